"""One vector, or class scores, from the states of a sequence.

Shapes: B sequences, L positions, E width.
"""

from typing import Any

import keras
from keras import ops

from xlmkit.huggingface.configuration import XLMConfig
from xlmkit.keras.layers import Linear
from xlmkit.keras.masks import first_real, last_real

Tensor = Any

_ACTIVATIONS = {
    "gelu": lambda x: ops.gelu(x, approximate=False),
    "gelu_new": lambda x: ops.gelu(x, approximate=True),
    "linear": lambda x: x,
    "relu": ops.relu,
    "sigmoid": ops.sigmoid,
    "silu": ops.silu,
    "swish": ops.silu,
    "tanh": ops.tanh,
}


class SequenceSummary(keras.layers.Layer):
    """Picks or averages states as `summary_type` says, then projects them.

    `first` is the first real token, so that padding on the left changes nothing. `last` and `mean`
    take padding in as Hugging Face's classes do, unless `summary_over_padding` is off.

    Args:
        config: its fields that begin with `summary_`.

    Raises:
        ValueError: a type or an activation that is unknown.
    """

    def __init__(self, config: XLMConfig, name: str = "sequence_summary") -> None:
        super().__init__(name=name)
        if config.summary_type not in ("last", "first", "mean", "cls_index"):
            raise ValueError(
                f"summary_type={config.summary_type!r} is unknown; choose last, first, mean or "
                "cls_index."
            )
        activation = config.summary_activation or "linear"
        if activation not in _ACTIVATIONS:
            raise ValueError(
                f"summary_activation={activation!r} is unknown; choose {', '.join(_ACTIVATIONS)}."
            )
        self.kind = config.summary_type
        self.over_padding = config.summary_over_padding
        self.activation = _ACTIVATIONS[activation]
        self.width = config.emb_dim
        self.summary = None
        if config.summary_use_proj:
            if config.summary_proj_to_labels and config.num_labels:
                self.width = config.num_labels
            self.summary = Linear(config.emb_dim, self.width, config.init_std, name="summary")
        self.first_dropout = keras.layers.Dropout(config.summary_first_dropout)
        self.last_dropout = keras.layers.Dropout(getattr(config, "summary_last_dropout", 0.0))

    def build(self, input_shape: object = None) -> None:
        """Make the weights."""
        if self.summary is not None:
            self.summary.build()

    def call(self, states_BLE: Tensor, mask_BL: Tensor, training: bool = False) -> Tensor:
        """Return the summary, (B, width).

        Args:
            states_BLE: of the last layer.
            mask_BL: which tokens are real.
            training: whether dropout is on.
        """
        summary_BE = self.first_dropout(self._pool(states_BLE, mask_BL), training=training)
        if self.summary is not None:
            summary_BE = self.summary(summary_BE)
        return self.last_dropout(self.activation(summary_BE), training=training)

    def _pool(self, states_BLE: Tensor, mask_BL: Tensor) -> Tensor:
        if self.kind == "first":
            return _state_at(states_BLE, first_real(mask_BL))
        if self.kind == "mean":
            if self.over_padding:
                return ops.mean(states_BLE, axis=1)
            real_BL1 = ops.cast(ops.not_equal(mask_BL, 0), states_BLE.dtype)[..., None]
            return ops.sum(states_BLE * real_BL1, axis=1) / ops.maximum(
                ops.sum(real_BL1, axis=1), 1
            )
        if self.over_padding:
            return states_BLE[:, -1]
        return _state_at(states_BLE, last_real(mask_BL))


def _state_at(states_BLE: Tensor, places_B1: Tensor) -> Tensor:
    return ops.squeeze(ops.take_along_axis(states_BLE, places_B1[..., None], axis=1), axis=1)
