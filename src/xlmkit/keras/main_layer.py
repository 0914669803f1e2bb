"""`TFXLMMainLayer`: the encoder that all models share.

Conneau & Lample 2019, "Cross-lingual Language Model Pretraining". It computes what Hugging Face's
XLM computes, but for padding on the left and the padding of causal models (see `masks`).

Shapes: B sequences, L positions, E width, H heads, N layers.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import keras
from keras import ops

from xlmkit.huggingface.configuration import XLMConfig
from xlmkit.keras.arguments import FLAGS, by_name, signature
from xlmkit.keras.configuration import supported
from xlmkit.keras.layers import (
    Embedding,
    FeedForward,
    LayerNorm,
    MultiHeadAttention,
    dtypes_of,
)
from xlmkit.keras.masks import positions, real_tokens, visible
from xlmkit.keras.outputs import ModelOutput, TFBaseModelOutput
from xlmkit.model.positions import sinusoidal_positions
from xlmkit.text.vocabulary import PAD

Tensor = Any


@keras.saving.register_keras_serializable(package="xlmkit")
class TFXLMMainLayer(keras.layers.Layer):
    """Word, position and language embeddings, then post-norm Transformer layers.

    Args:
        config: the shape; a mapping is read as one.
        **kwargs: of a Keras layer, such as `name`.

    Raises:
        ValueError: the configuration asks for what only the PyTorch classes have.
    """

    config_class = XLMConfig

    def __init__(self, config: XLMConfig | Mapping[str, Any], **kwargs: Any) -> None:  # noqa: ANN401 - Keras's
        super().__init__(**{"name": "transformer", **kwargs})
        self.config = supported(config)
        self.pad_index = PAD if self.config.pad_token_id is None else self.config.pad_token_id
        with dtypes_of(self):
            self._make_tables()
            self._make_layers()

    def _make_tables(self) -> None:
        c = self.config
        width = c.emb_dim
        self.embeddings = Embedding(
            c.vocab_size,
            width,
            c.embed_init_std,
            padding_row=self.pad_index,
            name="embeddings",
        )
        n_positions = c.max_position_embeddings
        self.position_embeddings = Embedding(
            n_positions,
            width,
            c.embed_init_std,
            table=(
                sinusoidal_positions(n_positions, width).numpy()
                if c.sinusoidal_embeddings
                else None
            ),
            name="position_embeddings",
        )
        self.lang_embeddings = None
        if c.n_langs > 1 and c.use_lang_emb:
            self.lang_embeddings = Embedding(
                c.n_langs, width, c.embed_init_std, name="lang_embeddings"
            )
        self.layer_norm_emb = LayerNorm(width, c.layer_norm_eps, name="layer_norm_emb")
        self.dropout = keras.layers.Dropout(c.dropout, name="dropout")

    def _make_layers(self) -> None:
        c = self.config
        width, norm_eps, layers = c.emb_dim, c.layer_norm_eps, range(c.n_layers)
        self.attentions = [
            MultiHeadAttention(
                c.n_heads, width, c.attention_dropout, c.init_std, name=f"attentions_{i}"
            )
            for i in layers
        ]
        self.layer_norm1 = [LayerNorm(width, norm_eps, name=f"layer_norm1_{i}") for i in layers]
        self.ffns = [
            FeedForward(width, c.dropout, c.init_std, gelu=c.gelu_activation, name=f"ffns_{i}")
            for i in layers
        ]
        self.layer_norm2 = [LayerNorm(width, norm_eps, name=f"layer_norm2_{i}") for i in layers]

    def build(self, input_shape: object = None) -> None:
        """Make the weights of all parts."""
        tables = [self.embeddings, self.position_embeddings, self.lang_embeddings]
        layers: list[Any] = [
            *(table for table in tables if table is not None),
            self.layer_norm_emb,
            *self.attentions,
            *self.layer_norm1,
            *self.ffns,
            *self.layer_norm2,
        ]
        for layer in layers:
            layer.build()

    def named_layers(self) -> Iterator[tuple[str, keras.layers.Layer]]:
        """Yield the layers that have weights, with the names of the PyTorch classes."""
        yield "embeddings", self.embeddings
        yield "position_embeddings", self.position_embeddings
        if self.lang_embeddings is not None:
            yield "lang_embeddings", self.lang_embeddings
        yield "layer_norm_emb", self.layer_norm_emb
        for i, (attention, ffn) in enumerate(zip(self.attentions, self.ffns, strict=True)):
            for part in (attention.q_lin, attention.k_lin, attention.v_lin, attention.out_lin):
                yield f"attentions.{i}.{part.name}", part
            yield f"layer_norm1.{i}", self.layer_norm1[i]
            for part in (ffn.lin1, ffn.lin2):
                yield f"ffns.{i}.{part.name}", part
            yield f"layer_norm2.{i}", self.layer_norm2[i]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - tensors
        """Take the arguments in any form that `call` takes."""
        return super().__call__(**by_name((), args, kwargs))

    def call(self, *args: Any, **kwargs: Any) -> ModelOutput | tuple[Tensor, ...]:  # noqa: ANN401 - tensors
        """Return the states of the last layer and, if asked for, of all layers and the weights.

        Raises:
            ValueError: not exactly one of `input_ids` and `inputs_embeds` is given, or a cache is.
        """
        inputs = by_name((), args, kwargs)
        flags = {name: inputs.pop(name, getattr(self.config, name)) for name in FLAGS}
        training = inputs.pop("training", False)
        _check(inputs)
        mask_BL = real_tokens(inputs, self.pad_index)
        hidden_BLE = self._embed(inputs, mask_BL, training)
        visible_B1LL = visible(mask_BL, causal=self.config.causal)
        states, weights = [hidden_BLE], []
        for i in range(self.config.n_layers):
            head_mask = _of_layer(inputs.get("head_mask"), i)
            hidden_BLE, attention = self._layer(i, hidden_BLE, visible_B1LL, head_mask, training)
            hidden_BLE = _masked(hidden_BLE, mask_BL)
            states.append(hidden_BLE)
            weights.append(attention)
        output = TFBaseModelOutput.of(
            last_hidden_state=hidden_BLE,
            hidden_states=tuple(states) if flags["output_hidden_states"] else None,
            attentions=tuple(weights) if flags["output_attentions"] else None,
        )
        return output if flags["return_dict"] else output.to_tuple()

    call.__signature__ = signature(())  # type: ignore[attr-defined]

    def _embed(self, inputs: dict[str, Tensor], mask_BL: Tensor, training: bool) -> Tensor:
        hidden_BLE = inputs.get("inputs_embeds")
        if hidden_BLE is None:
            hidden_BLE = self.embeddings(inputs["input_ids"])
        places_BL = inputs.get("position_ids")
        if places_BL is None:
            places_BL = positions(mask_BL)
        hidden_BLE = hidden_BLE + self.position_embeddings(places_BL)
        if self.lang_embeddings is not None and inputs.get("langs") is not None:
            hidden_BLE = hidden_BLE + self.lang_embeddings(inputs["langs"])
        if inputs.get("token_type_ids") is not None:
            hidden_BLE = hidden_BLE + self.embeddings(inputs["token_type_ids"])
        hidden_BLE = self.dropout(self.layer_norm_emb(hidden_BLE), training=training)
        return _masked(hidden_BLE, mask_BL)

    def _layer(
        self, i: int, hidden_BLE: Tensor, visible_B1LL: Tensor, head_mask: Tensor, training: bool
    ) -> tuple[Tensor, Tensor]:
        attended_BLE, weights_BHLL = self.attentions[i](
            hidden_BLE, visible_B1LL, head_mask=head_mask, training=training
        )
        attended_BLE = self.dropout(attended_BLE, training=training)
        hidden_BLE = self.layer_norm1[i](hidden_BLE + attended_BLE)
        inner_BLE = self.ffns[i](hidden_BLE, training=training)
        return self.layer_norm2[i](hidden_BLE + inner_BLE), weights_BHLL

    def get_config(self) -> dict[str, Any]:
        """Return what makes the layer again, as JSON."""
        return {**super().get_config(), "config": self.config.to_dict()}


def _check(inputs: Mapping[str, Tensor]) -> None:
    if ("input_ids" in inputs) == ("inputs_embeds" in inputs):
        raise ValueError("Give either input_ids or inputs_embeds.")
    if "cache" in inputs:
        raise ValueError(
            "The Keras classes keep no cache of earlier keys and values; leave cache out, or use "
            "the PyTorch class xlmkit.XLMWithLMHeadModel."
        )


def _masked(hidden_BLE: Tensor, mask_BL: Tensor) -> Tensor:
    """Return states that are zero at padding."""
    return hidden_BLE * ops.cast(mask_BL, hidden_BLE.dtype)[..., None]


def _of_layer(head_mask: Tensor, layer: int) -> Tensor:
    """Return a layer's part of a mask (H,) or (N, H)."""
    if head_mask is None or len(head_mask.shape) == 1:
        return head_mask
    return head_mask[layer]
