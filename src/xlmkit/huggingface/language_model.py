"""`XLMWithLMHeadModel`: word prediction, and writing with `generate`.

A causal model writes word after word, and each step computes the new word only. Any other model is
shown a mask behind what is written, as in `transformers`; since every word sees the mask, all has
to be computed again for each. Unlike there, `langs` is honoured, for every row by itself, and a
causal model is shown no mask.
"""

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import GenerationMixin
from transformers.cache_utils import Cache

from xlmkit.huggingface.base import XLMHeadedModel, XLMModel
from xlmkit.huggingface.configuration import XLMConfig
from xlmkit.huggingface.outputs import XLMLanguageModelOutput
from xlmkit.model.heads import AdaptivePredictionLayer, PredictionLayer, prediction_layer

IGNORED = -100


class XLMWithLMHeadModel(XLMHeadedModel, GenerationMixin):
    """A language model: scores of all words at every position."""

    _tied_weights_keys = {"pred_layer.proj.weight": "transformer.embeddings.weight"}  # noqa: RUF012

    def __init__(self, config: XLMConfig) -> None:
        super().__init__(config)
        self.transformer = XLMModel(self.config)
        self.pred_layer = prediction_layer(self.transformer.architecture)
        if self.config.asm:
            self._tied_weights_keys = {}  # clusters have weights of their own
        self.post_init()

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
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        lengths: Tensor | None = None,
        cache: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        *,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> XLMLanguageModelOutput | tuple[Any, ...]:
        """Return scores of words, (B, L, V), logarithms of probabilities for an adaptive softmax.

        Args:
            labels: the word to predict at every position, (B, L), -100 where none counts. They are
                not shifted: position i of a causal model predicts what is given as label i.
            logits_to_keep: score only the last so many positions, or those in a tensor; 0 for all.
            past_key_values: another name of `cache`.
            use_cache: return the keys and values, to go on from there.
        """
        states = self._states(
            input_ids=input_ids,
            attention_mask=attention_mask,
            langs=langs,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            lengths=lengths,
            cache=cache,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            past_key_values=past_key_values,
            use_cache=use_cache,
        )
        hidden_BLE = states.last_hidden_state
        if not isinstance(logits_to_keep, int):
            hidden_BLE = hidden_BLE[:, logits_to_keep]
        elif logits_to_keep:
            hidden_BLE = hidden_BLE[:, -logits_to_keep:]
        logits = self.pred_layer(hidden_BLE)
        output = XLMLanguageModelOutput(
            loss=None if labels is None else word_loss(self.pred_layer, hidden_BLE, logits, labels),
            logits=logits,
            hidden_states=states.hidden_states,
            attentions=states.attentions,
            cache=states.cache,
        )
        return self._result(output, return_dict)

    def generate(self, inputs: Tensor | None = None, **kwargs: Any) -> Any:  # noqa: ANN401
        """Write on; arguments as in `transformers`, and `langs` as in `forward`.

        `lengths` are ignored with a warning, and in `transformers` without one: what is written
        would stand behind the padding. Padding belongs on the left, with an attention mask.
        """
        if kwargs.pop("lengths", None) is not None:
            warnings.warn(
                "generate ignores lengths; pad on the left and give the attention_mask.",
                stacklevel=2,
            )
        tokens = kwargs.get("input_ids") if inputs is None else inputs
        if kwargs.get("inputs_embeds") is not None and tokens is not None:
            kwargs["n_prompt_ids"] = tokens.shape[1]
        return super().generate(inputs, **for_every_row(inputs, kwargs, ("langs",)))

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        langs: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        cache: Cache | None = None,
        past_key_values: Cache | None = None,
        n_prompt_ids: int = 0,
        **kwargs: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Return what `forward` is given at a step of `generate`.

        Args:
            langs: of the prompt, (B, L), or one for each row, (B,); what is written has the
                language of the prompt's last token. Without it, `config.lang_id`.
            inputs_embeds: a prompt as embedded words, (B, P, E).
            n_prompt_ids: how many of `input_ids` stand for the same prompt and not for what was
                written; `generate` knows.
        """
        wanted = ("output_attentions", "output_hidden_states", "logits_to_keep", "return_dict")
        inputs = {name: kwargs[name] for name in wanted if name in kwargs}
        if langs is None:
            langs = torch.full(input_ids.shape[:1], self.config.lang_id, device=input_ids.device)
        if not self.config.causal:
            written = input_ids[:, n_prompt_ids:]
            return inputs | self._with_mask(written, attention_mask, langs, inputs_embeds)
        cache = past_key_values if cache is None else cache
        n_past = 0 if cache is None else cache.get_seq_length()
        if inputs_embeds is not None and not n_past:
            inputs["inputs_embeds"] = inputs_embeds
            n_new = inputs_embeds.shape[1]
        else:
            # After a prompt of embeddings the ids hold only what was written.
            n_new = 1 if inputs_embeds is not None else input_ids.shape[1] - n_past
            inputs["input_ids"] = input_ids[:, -n_new:]
        return inputs | {
            "attention_mask": attention_mask,
            "langs": continued(langs, n_past + n_new, n_past),
            "cache": cache,
            "use_cache": kwargs.get("use_cache"),
        }

    def _with_mask(
        self,
        ids_BL: Tensor,
        attention_mask: Tensor | None,
        langs: Tensor,
        prompt_BPE: Tensor | None,
    ) -> dict[str, Any]:
        """Return the inputs with a mask behind them, whose word is asked for."""
        mask_B1 = ids_BL.new_full((ids_BL.shape[0], 1), int(self.config.mask_token_id or 0))
        words_BL = torch.cat([ids_BL, mask_B1], dim=1)
        if prompt_BPE is None:
            words, length = {"input_ids": words_BL}, words_BL.shape[1]
        else:
            embedded = torch.cat([prompt_BPE, self.transformer.embeddings(words_BL)], dim=1)
            words, length = {"inputs_embeds": embedded}, embedded.shape[1]
        if attention_mask is not None:
            attention_mask = torch.cat([attention_mask, torch.ones_like(mask_B1)], dim=1)
        return words | {
            "attention_mask": attention_mask,
            "langs": continued(langs, length),
        }

    def _prepare_cache_for_generation(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401
        """Make no cache where nothing could be kept."""
        if not self.config.causal:
            return None
        return GenerationMixin._prepare_cache_for_generation(self, *arguments, **named)  # type: ignore[arg-type]


def for_every_row(
    inputs: Tensor | None, kwargs: dict[str, Any], names: tuple[str, ...]
) -> dict[str, Any]:
    """Return the arguments of `generate`, the named ones of a single row repeated for all."""
    given = next(
        (part for part in (inputs, kwargs.get("input_ids"), kwargs.get("inputs_embeds"))
         if part is not None), None
    )  # fmt: skip
    if given is None:
        return kwargs
    repeated = {
        name: kwargs[name].expand(given.shape[0], *kwargs[name].shape[1:])
        for name in names
        if kwargs.get(name) is not None and kwargs[name].shape[0] == 1
    }
    return kwargs | repeated


def continued(langs: Tensor, length: int, past: int = 0) -> Tensor:
    """Return languages up to `length`: those given, then the last of them.

    Args:
        langs: one for each row, (B,), or for each token of the prompt, (B, L).
        length: tokens there are, with those before.
        past: leave out so many.

    Returns:
        (B,) where each row has one, else (B, length - past).
    """
    if langs.dim() == 1:
        return langs
    rest = max(0, length - langs.shape[1])
    whole_BL = torch.cat([langs, langs[:, -1:].expand(-1, rest)], dim=1)
    return whole_BL[:, past:length]


def word_loss(
    layer: PredictionLayer | AdaptivePredictionLayer,
    hidden_BLE: Tensor,
    logits_BLV: Tensor,
    labels_BL: Tensor,
) -> Tensor:
    """Return the mean of -log p(label) over the labels that count, a scalar."""
    targets_N = labels_BL.reshape(-1)
    if isinstance(layer, PredictionLayer):
        return functional.cross_entropy(logits_BLV.flatten(0, -2), targets_N, ignore_index=IGNORED)
    counts_N = targets_N != IGNORED
    loss_N, _ = layer.loss(hidden_BLE.flatten(0, -2)[counts_N], targets_N[counts_N])
    return loss_N.mean()
