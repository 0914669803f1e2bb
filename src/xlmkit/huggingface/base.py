"""`XLMModel`: the Transformer as Hugging Face's class of this name.

Equal to `transformers` 5 in float32 to rounding, but for what is wrong there: padding on the left,
padding in causal mode, and a cache that is built without being asked for (docs/huggingface.md).
"""

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.cache_utils import Cache
from transformers.utils.generic import ModelOutput

from xlmkit.huggingface.attention import attention_by_name
from xlmkit.huggingface.cache import HuggingFacePast, new_cache
from xlmkit.huggingface.configuration import XLMConfig, own_config
from xlmkit.huggingface.inputs import (
    Padding,
    language_ids,
    self_attention_mask,
    source_mask,
    values_are_known,
)
from xlmkit.huggingface.outputs import XLMModelOutput
from xlmkit.model.attention import WeightKeeper
from xlmkit.model.memory import ProductKeyMemory
from xlmkit.model.positions import sinusoidal_positions
from xlmkit.model.transformer import Surroundings, TransformerLayers


class XLMPreTrainedModel(PreTrainedModel):
    """What all classes share: configuration, fresh weights, and what they can do."""

    config: XLMConfig
    config_class = XLMConfig
    base_model_prefix = "transformer"
    supports_gradient_checkpointing = True
    accepts_loss_kwargs = False  # losses are means over their own batch
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True
    _can_set_attn_implementation_cached_value = True
    _no_split_modules = ["XLMModel"]  # noqa: RUF012 - the parts of a layer lie in several lists
    _keys_to_ignore_on_load_unexpected = [r"position_ids$"]  # noqa: RUF012

    def __init__(self, config: XLMConfig, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        super().__init__(own_config(config), *arguments, **named)

    def _resize_token_embeddings(self, *arguments: Any, **named: Any) -> nn.Module:  # noqa: ANN401
        """Resize the word embeddings.

        Raises:
            ValueError: words are predicted by clusters, whose sizes are fixed.
        """
        if self.config.asm and hasattr(self, "pred_layer"):
            raise ValueError("The clusters of an adaptive softmax cannot be resized.")
        return super()._resize_token_embeddings(*arguments, **named)

    @property
    def dummy_inputs(self) -> dict[str, Any]:
        """A small batch with padding, and with languages if the model has them."""
        mask = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
        has_languages = self.config.use_lang_emb and self.config.n_langs > 1
        return {
            "input_ids": torch.tensor([[7, 6, 9, 1, 2], [1, 12, 1, 2, 2], [1, 8, 4, 5, 1]]),
            "attention_mask": mask,
            "langs": mask if has_languages else None,
        }

    def _initialize_weights(self, module: nn.Module, *_: bool) -> None:
        """Initialise also modules without parameters of their own.

        `transformers` passes those over in classes that are not its own, since they might overwrite
        what was loaded; `init` sees to that here.
        """
        super()._initialize_weights(module)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Give fresh weights the original's spread."""
        super()._init_weights(module)
        config = self.config
        if isinstance(module, nn.Embedding):
            init.normal_(module.weight, std=config.embed_init_std)
            is_fresh = not getattr(module.weight, "_is_hf_initialized", False)
            if module.padding_idx is not None and is_fresh:
                init.zeros_(module.weight[module.padding_idx])
        elif isinstance(module, ProductKeyMemory):
            bound = module.keys.shape[-1] ** -0.5
            init.uniform_(module.keys, -bound, bound)
            init.normal_(module.values.weight, std=config.emb_dim**-0.5)
        elif isinstance(module, TransformerLayers) and config.sinusoidal_embeddings:
            weight = module.position_embeddings.weight
            init.copy_(weight, sinusoidal_positions(*weight.shape))


class XLMModel(TransformerLayers, XLMPreTrainedModel):
    """The Transformer without a head: an encoder, or with `is_encoder=False` a decoder."""

    def __init__(self, config: XLMConfig) -> None:
        super().__init__(config)
        architecture = self.config.architecture
        self.build(architecture if self.config.is_encoder else architecture.decoder)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the word embeddings."""
        return self.embeddings

    def set_input_embeddings(self, new_embeddings: nn.Module) -> None:
        """Replace the word embeddings."""
        self.embeddings = new_embeddings  # type: ignore[assignment]

    def recompute(self, function: Any, *arguments: Any) -> Tensor:  # noqa: ANN401
        """Call a function with Hugging Face's kind of gradient checkpointing."""
        result: Tensor = self._gradient_checkpointing_func(function, *arguments)
        return result

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
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        *,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,  # noqa: ANN401 - what other models take, as in transformers
    ) -> XLMModelOutput | tuple[Any, ...]:
        """Return the states of the last layer, and of all layers and the attention if asked.

        Args:
            input_ids: tokens, (B, L).
            attention_mask: 0 at padding, (B, L), or (B, K) with the positions of the cache.
            langs: language ids, (B, L), or one for each sequence, (B,); none adds no language.
            token_type_ids: ids that are looked up among the words, (B, L); XLM learned none.
            position_ids: (B, L); by default counted from each row's first real token.
            lengths: real tokens of each sequence, (B,), instead of a mask.
            cache: of earlier positions, also as `past_key_values`; inputs are then the new ones.
            inputs_embeds: embedded words instead of tokens, (B, L, E).
            output_attentions: return attention weights, (B, H, L, K) for each layer.
            output_hidden_states: return the embeddings' output and every layer's.
            return_dict: an output object, or a tuple.
            encoder_hidden_states: what a decoder attends to, (B, S, E).
            encoder_attention_mask: 0 at its padding, (B, S).
            use_cache: make a cache if none is given and return it.

        Raises:
            ValueError: inputs are missing, or their shapes do not fit.
        """
        embedded_BLE = self._embed_words(input_ids, inputs_embeds, token_type_ids)
        cache = self._cache(past_key_values if cache is None else cache, make=bool(use_cache))
        past = None if cache is None else HuggingFacePast(cache)
        shape = (embedded_BLE.shape[0], embedded_BLE.shape[1])
        n_past = 0 if past is None else past.length
        padding = self.padding(input_ids, attention_mask, lengths, shape, n_past)
        positions = self._positions(position_ids, padding, shape, n_past, embedded_BLE.device)
        hidden_BLE = self.embed(embedded_BLE, positions, language_ids(langs, shape, n_past))
        keeper = self._keeper(output_attentions)
        around = self._around(hidden_BLE, padding, past, encoder_attention_mask, keeper)
        keep_states = wanted(output_hidden_states, self.config.output_hidden_states)
        states = self._run(hidden_BLE, encoder_hidden_states, around, keep_all=keep_states)
        output = XLMModelOutput(
            last_hidden_state=states[-1],
            cache=cache if use_cache else None,
            hidden_states=tuple(states) if keep_states else None,
            **_attentions(keeper, encoder_hidden_states is not None),
        )
        return output if wanted(return_dict, self.config.return_dict) else output.to_tuple()

    def _cache(self, given: Cache | None, *, make: bool) -> Cache | None:
        if given is None and make:
            return new_cache(with_source=self.architecture.is_decoder)
        return given

    def _keeper(self, output_attentions: bool | None) -> WeightKeeper | None:
        keep = wanted(output_attentions, self.config.output_attentions)
        return WeightKeeper() if keep else None

    def _around(
        self,
        hidden_BLE: Tensor,
        padding: Padding | None,
        past: HuggingFacePast | None,
        source_attention_mask: Tensor | None,
        keeper: WeightKeeper | None,
    ) -> Surroundings:
        """Return what every layer is given beside the states."""
        B, L, _ = hidden_BLE.shape
        causal, n_past = self.architecture.causal, 0 if past is None else past.length
        return Surroundings(
            mask=self_attention_mask(padding, (B, L), n_past, causal, hidden_BLE.device),
            causal=causal,
            keep=None if padding is None else padding.factor(L, hidden_BLE.dtype),
            source_mask=source_mask(source_attention_mask),
            past=past,
            attend=keeper or attention_by_name(self.config._attn_implementation),
        )

    def _run(
        self,
        hidden_BLE: Tensor,
        source_BSE: Tensor | None,
        around: Surroundings,
        *,
        keep_all: bool,
    ) -> list[Tensor]:
        """Return the states that go in and those of every layer, or only the last."""
        states = [hidden_BLE if around.keep is None else hidden_BLE * around.keep]
        for state_BLE in self.layers(states[0], source_BSE, around):
            states = [*states, state_BLE] if keep_all else [state_BLE]
        return states

    def padding(
        self,
        input_ids: Tensor | None,
        attention_mask: Tensor | None,
        lengths: Tensor | None,
        shape: tuple[int, int],
        past: int = 0,
    ) -> Padding | None:
        """Return which positions are real, None if all are; arguments as for `forward`."""
        return Padding.find(
            tokens_BL=input_ids,
            attention_mask=attention_mask,
            lengths_B=lengths,
            shape=shape,
            past=past,
            pad_index=self.architecture.pad_index,
        )

    def _embed_words(
        self, tokens_BL: Tensor | None, embedded_BLE: Tensor | None, token_types_BL: Tensor | None
    ) -> Tensor:
        """Return the word embeddings of the inputs, (B, L, E)."""
        if (tokens_BL is None) == (embedded_BLE is None):
            raise ValueError("Give either input_ids or inputs_embeds.")
        words_BLE: Tensor = self.embeddings(tokens_BL) if embedded_BLE is None else embedded_BLE
        if token_types_BL is None:
            return words_BLE
        if values_are_known() and not bool(token_types_BL.any()):
            warnings.warn(
                "token_type_ids are all zero. XLM looks them up among its words, so this adds the "
                "vector of word 0 to every token; leave them out.",
                stacklevel=3,
            )
        types_BLE: Tensor = self.embeddings(token_types_BL)
        return words_BLE + types_BLE

    def _positions(
        self,
        given: Tensor | None,
        padding: Padding | None,
        shape: tuple[int, int],
        past: int,
        device: torch.device,
    ) -> Tensor | None:
        """Return position ids, (B or 1, L), or None for those from 0 on.

        Raises:
            ValueError: there are more tokens than positions.
        """
        B, L = shape
        if given is not None:
            if (
                given.dim() != 2
                or given.shape[0] not in (1, B)
                or given.shape[1] not in (L, past + L)
            ):
                raise ValueError(
                    f"position_ids has the shape {tuple(given.shape)}, but {(B, L)} is expected."
                )
            return given[:, -L:]
        most = self.architecture.max_position_embeddings
        if past + L > most:
            raise ValueError(
                f"The input has {past + L} tokens, but the model has only {most} positions; "
                "shorten it, for instance by the tokenizer's truncation=True."
            )
        if padding is not None:
            return padding.positions(past)
        return torch.arange(past, past + L, device=device)[None] if past else None


class XLMHeadedModel(XLMPreTrainedModel):
    """A Transformer with a head on it."""

    transformer: XLMModel

    def _states(self, **inputs: Any) -> XLMModelOutput:  # noqa: ANN401 - those of XLMModel
        output: XLMModelOutput = self.transformer(**inputs, return_dict=True)
        return output

    def _result(self, output: ModelOutput, return_dict: bool | None) -> Any:  # noqa: ANN401
        """Return the output, or the tuple of what it holds."""
        return output if wanted(return_dict, self.config.return_dict) else output.to_tuple()


def wanted(given: bool | None, configured: bool | None) -> bool:
    """Return a call's choice, or the configuration's where the call makes none."""
    return bool(configured if given is None else given)


def _attentions(keeper: WeightKeeper | None, has_source: bool) -> dict[str, tuple[Tensor, ...]]:
    """Return the weights by name; a layer attends to itself first and then to the source."""
    if keeper is None:
        return {}
    if not has_source:
        return {"attentions": tuple(keeper.weights)}
    return {
        "attentions": tuple(keeper.weights[::2]),
        "cross_attentions": tuple(keeper.weights[1::2]),
    }
