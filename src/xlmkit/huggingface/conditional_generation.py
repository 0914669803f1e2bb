"""`XLMForConditionalGeneration`: XLM's translator, which Hugging Face's library lacks.

The model is that of `xlmkit.model.encoder_decoder`; names of arguments and results are those of the
encoder-decoders in `transformers`, and languages are `langs` for the source and `decoder_langs` for
what is written.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from transformers import GenerationMixin
from transformers.cache_utils import Cache
from transformers.modeling_outputs import BaseModelOutput

from xlmkit.huggingface.base import XLMModel, wanted
from xlmkit.huggingface.configuration import XLMConfig, own_config
from xlmkit.huggingface.language_model import IGNORED, for_every_row, word_loss
from xlmkit.huggingface.outputs import XLMConditionalGenerationOutput, XLMModelOutput
from xlmkit.huggingface.pretrained import XLMPreTrainedModel
from xlmkit.model.heads import prediction_layer


class XLMForConditionalGeneration(XLMPreTrainedModel, GenerationMixin):
    """Encoder and decoder, for translation and other text to text."""

    base_model_prefix = "model"
    _tied_weights_keys = {"pred_layer.proj.weight": "decoder.embeddings.weight"}  # noqa: RUF012
    # The layer by which the original's encoder learns MLM beside translation.
    _keys_to_ignore_on_load_unexpected = [r"encoder_pred_layer\."]  # noqa: RUF012

    def __init__(self, config: XLMConfig) -> None:
        config = copy.deepcopy(own_config(config))
        config.is_encoder_decoder = True
        if config.decoder_start_token_id is None:
            eos = config.eos_token_id
            config.decoder_start_token_id = eos[0] if isinstance(eos, list) else eos
        super().__init__(config)
        self.encoder = XLMModel(_part(config, is_encoder=True))
        self.decoder = XLMModel(_part(config, is_encoder=False))
        self.pred_layer = prediction_layer(self.decoder.architecture)
        if config.asm:
            self._tied_weights_keys = {}  # clusters have weights of their own
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the source's word embeddings."""
        return self.encoder.embeddings

    def set_input_embeddings(self, new_embeddings: nn.Module) -> None:
        """Replace the source's word embeddings."""
        self.encoder.set_input_embeddings(new_embeddings)

    def _resize_token_embeddings(self, *arguments: Any, **named: Any) -> nn.Module:  # noqa: ANN401
        """Resize the embeddings of both sides, each with its own words."""
        resized: Any = super()._resize_token_embeddings(*arguments, **named)
        size = resized.num_embeddings
        target = self._get_resized_embeddings(
            self.decoder.embeddings, size, mean_resizing=named.get("mean_resizing", True)
        )
        self.decoder.set_input_embeddings(target)
        for part in (self.encoder, self.decoder):
            part.config.vocab_size = size
        return resized

    def get_output_embeddings(self) -> nn.Module | None:
        """Return the layer whose weights are those of the words, None for an adaptive softmax."""
        return None if self.config.asm else self.pred_layer.proj

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        """Replace that layer."""
        self.pred_layer.proj = new_embeddings  # type: ignore[assignment]

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        langs: Tensor | None = None,
        position_ids: Tensor | None = None,
        lengths: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        decoder_langs: Tensor | None = None,
        decoder_position_ids: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        encoder_outputs: BaseModelOutput | tuple[Any, ...] | None = None,
        cache: Cache | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        *,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> XLMConditionalGenerationOutput | tuple[Any, ...]:
        """Return scores of the words to write, (B, L, V), and with labels the loss.

        Args:
            langs: languages of the source, (B, S) or (B,).
            decoder_input_ids: `</s>` and the words before each that is scored, (B, L); made from
                `labels` where it is missing.
            decoder_langs: the language to write, (B, L) or (B,); without it
                `config.target_lang_id`, and none where that is None.
            encoder_outputs: what the encoder gave before, instead of the source.
            labels: the words to write with `</s>` at their end, (B, L), -100 where none counts.
        """
        flags: dict[str, Any] = {
            "output_attentions": output_attentions,
            "output_hidden_states": output_hidden_states,
        }
        if encoder_outputs is None:
            encoder_outputs, attention_mask = self._encode(
                input_ids, attention_mask, langs, position_ids, lengths, inputs_embeds, flags
            )
        if decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
        target = self.decoder(
            decoder_input_ids,
            attention_mask=decoder_attention_mask,
            langs=self._target_languages(decoder_langs, encoder_outputs[0]),
            position_ids=decoder_position_ids,
            inputs_embeds=decoder_inputs_embeds,
            encoder_hidden_states=encoder_outputs[0],
            encoder_attention_mask=attention_mask,
            cache=past_key_values if cache is None else cache,
            use_cache=use_cache,
            return_dict=True,
            **flags,
        )
        output = self._output(encoder_outputs, target, labels)
        return output if wanted(return_dict, self.config.return_dict) else output.to_tuple()

    def _encode(
        self,
        input_ids: Tensor | None,
        attention_mask: Tensor | None,
        langs: Tensor | None,
        position_ids: Tensor | None,
        lengths: Tensor | None,
        inputs_embeds: Tensor | None,
        flags: dict[str, Any],
    ) -> tuple[XLMModelOutput, Tensor | None]:
        """Return what the encoder gives, and which of its positions are real."""
        source = self.encoder(
            input_ids,
            attention_mask=attention_mask,
            langs=langs,
            position_ids=position_ids,
            lengths=lengths,
            inputs_embeds=inputs_embeds,
            return_dict=True,
            **flags,
        )
        padding = self.encoder.padding(input_ids, attention_mask, lengths, source[0].shape[:2])
        return source, None if padding is None else padding.keep

    def _target_languages(self, given: Tensor | None, source_BSE: Tensor) -> Tensor | None:
        """Return the language to write, by default the configuration's."""
        if given is not None or self.config.target_lang_id is None:
            return given
        return torch.full(
            source_BSE.shape[:1], self.config.target_lang_id, device=source_BSE.device
        )

    def _output(
        self,
        source: BaseModelOutput | tuple[Any, ...],
        target: XLMModelOutput,
        labels: Tensor | None,
    ) -> XLMConditionalGenerationOutput:
        """Return scores and loss with what both sides gave."""
        if not isinstance(source, BaseModelOutput):
            source = XLMModelOutput(*source)
        hidden_BLE = target.last_hidden_state
        logits = self.pred_layer(hidden_BLE)
        return XLMConditionalGenerationOutput(
            loss=None if labels is None else word_loss(self.pred_layer, hidden_BLE, logits, labels),
            logits=logits,
            cache=target.cache,
            decoder_hidden_states=target.hidden_states,
            decoder_attentions=target.attentions,
            cross_attentions=target.cross_attentions,
            encoder_last_hidden_state=source[0],
            encoder_hidden_states=source.hidden_states,
            encoder_attentions=source.attentions,
        )

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor | None) -> Tensor:
        """Return `</s>` and all labels but the last, with padding where none counts, (B, L)."""
        if labels is None:
            raise ValueError("Give decoder_input_ids, decoder_inputs_embeds or labels.")
        start = self.config.decoder_start_token_id
        start_B1 = torch.full_like(labels[:, :1], 0 if start is None else start)
        words_BL = torch.cat([start_B1, labels[:, :-1]], dim=1)
        return words_BL.masked_fill(words_BL == IGNORED, self.decoder.architecture.pad_index)

    def generate(self, inputs: Tensor | None = None, **kwargs: Any) -> Any:  # noqa: ANN401
        """Write for every source; padding is found as in `forward`, also from `lengths`."""
        kwargs = for_every_row(inputs, kwargs, ("langs", "decoder_langs"))
        source = kwargs.get("input_ids") if inputs is None else inputs
        shaped = kwargs.get("inputs_embeds") if source is None else source
        lengths = kwargs.pop("lengths", None)
        if kwargs.get("attention_mask") is None and shaped is not None:
            B, L = shaped.shape[:2]
            padding = self.encoder.padding(source, None, lengths, (B, L))
            if padding is not None:
                kwargs["attention_mask"] = padding.keep.long()
        return super().generate(inputs, **kwargs)

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        decoder_langs: Tensor | None = None,
        encoder_outputs: BaseModelOutput | None = None,
        cache: Cache | None = None,
        past_key_values: Cache | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Return what `forward` is given at a step of `generate`: the words not yet computed."""
        cache = past_key_values if cache is None else cache
        n_past = 0 if cache is None else cache.get_seq_length()
        if decoder_langs is not None and decoder_langs.dim() == 2:
            decoder_langs = decoder_langs[:, -1]
        names = ("output_attentions", "output_hidden_states", "return_dict", "use_cache")
        return {name: kwargs[name] for name in names if name in kwargs} | {
            "encoder_outputs": encoder_outputs,
            "attention_mask": attention_mask,
            "decoder_input_ids": input_ids[:, n_past:],
            "decoder_langs": decoder_langs,
            "cache": cache,
        }


def _part(config: XLMConfig, *, is_encoder: bool) -> XLMConfig:
    """Return the configuration of one side."""
    part = copy.deepcopy(config)
    part.is_encoder_decoder = False
    part.is_encoder = is_encoder
    part.causal = False if is_encoder else part.causal
    return part
