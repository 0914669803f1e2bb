"""The parts of a Transformer layer.

Shapes: B sequences, L positions, E width, H heads, D width of a head, V rows of a table.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any


@contextmanager
def dtypes_of(layer: keras.layers.Layer) -> Iterator[None]:
    """Give the layers that are made meanwhile the types of numbers that this one computes with."""
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(layer.dtype_policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(usual)


def array_of(variable: Any) -> np.ndarray:  # noqa: ANN401 - a Keras variable
    """Return a copy of a variable's value, float32."""
    return np.array(ops.convert_to_numpy(variable), dtype=np.float32)


class Linear(keras.layers.Dense):
    """A linear layer that knows its width, and so can make its weights before it is used.

    Args:
        n_in: width of what comes in.
        n_out: width of what goes out.
        stddev: spread of fresh weights.
        name: as in the PyTorch classes.
    """

    def __init__(self, n_in: int, n_out: int, stddev: float, *, name: str) -> None:
        # Each layer its own initializer: one that is shared would give all the same weights.
        initializer = keras.initializers.TruncatedNormal(stddev=stddev)
        super().__init__(n_out, kernel_initializer=initializer, name=name)
        self.n_in = n_in

    def build(self, input_shape: object = None) -> None:
        """Make the weights."""
        super().build((None, self.n_in))


class Embedding(keras.layers.Layer):
    """A table of vectors, looked up by row or, for word prediction, multiplied with states.

    Args:
        rows: V.
        width: E.
        stddev: spread of fresh weights.
        padding_row: a row that starts at zero and is not trained by looking it up.
        table: fixed contents, (V, E), instead of fresh weights.
    """

    def __init__(
        self,
        rows: int,
        width: int,
        stddev: float,
        *,
        padding_row: int | None = None,
        table: np.ndarray | None = None,
        name: str,
    ) -> None:
        super().__init__(name=name)
        self.rows = rows
        self.width = width
        self.stddev = stddev
        self.padding_row = padding_row
        self.table = table

    def build(self, input_shape: object = None) -> None:
        """Make the table."""
        self.weight = self.add_weight(
            shape=(self.rows, self.width),
            initializer=keras.initializers.TruncatedNormal(stddev=self.stddev),
            trainable=self.table is None,
            name="weight",
        )
        if self.table is not None:
            self.weight.assign(self.table)
        if self.padding_row is not None:
            fresh = array_of(self.weight)
            fresh[self.padding_row] = 0
            self.weight.assign(fresh)

    def call(self, ids: Tensor) -> Tensor:
        """Return the rows of these numbers, one more axis of width E."""
        vectors = ops.take(self.weight, ids, axis=0)
        if self.padding_row is None:
            return vectors
        is_padding = ops.equal(ids, self.padding_row)[..., None]
        return ops.where(is_padding, ops.stop_gradient(vectors), vectors)

    def scores(self, states: Tensor) -> Tensor:
        """Return the products of states (..., E) with all rows, (..., V)."""
        return ops.matmul(states, ops.transpose(self.weight))

    def resize(self, rows: int) -> None:
        """Cut rows off the end, or add fresh ones."""
        old, kept = self.weight, min(rows, self.rows)
        self._untrack_variable(old)
        self._tracker.unlock()  # Keras allows no new weights after build() otherwise
        self.rows = rows
        self.build()
        fresh = array_of(self.weight)
        fresh[:kept] = array_of(old)[:kept]
        self.weight.assign(fresh)


class LayerNorm(keras.layers.Layer):
    """Layer normalisation whose variance is the mean of squared deviations on every backend.

    Keras's own takes the mean of squares less the square of the mean on some, which loses digits.
    """

    def __init__(self, width: int, epsilon: float, *, name: str) -> None:
        super().__init__(name=name)
        self.width = width
        self.epsilon = epsilon

    def build(self, input_shape: object = None) -> None:
        """Make scale and shift."""
        self.weight = self.add_weight(shape=(self.width,), initializer="ones", name="weight")
        self.bias = self.add_weight(shape=(self.width,), initializer="zeros", name="bias")

    def call(self, states: Tensor) -> Tensor:
        """Normalise the last axis, in float32."""
        dtype = states.dtype
        states = ops.cast(states, "float32")
        centred = states - ops.mean(states, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        normal = ops.cast(centred * ops.rsqrt(variance + self.epsilon), dtype)
        return normal * self.weight + self.bias


class MultiHeadAttention(keras.layers.Layer):
    """Attention of every position to all that it may see."""

    def __init__(
        self, n_heads: int, width: int, dropout: float, stddev: float, *, name: str
    ) -> None:
        super().__init__(name=name)
        self.n_heads = n_heads
        self.width = width
        self.q_lin = Linear(width, width, stddev, name="q_lin")
        self.k_lin = Linear(width, width, stddev, name="k_lin")
        self.v_lin = Linear(width, width, stddev, name="v_lin")
        self.out_lin = Linear(width, width, stddev, name="out_lin")
        self.dropout = keras.layers.Dropout(dropout, name="dropout")

    def build(self, input_shape: object = None) -> None:
        """Make the weights."""
        for layer in (self.q_lin, self.k_lin, self.v_lin, self.out_lin):
            layer.build()

    def call(
        self,
        states_BLE: Tensor,
        visible: Tensor,
        head_mask: Tensor = None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Return what was gathered, (B, L, E), and the weights of the heads, (B, H, L, L).

        Args:
            states_BLE: (B, L, E).
            visible: which keys each query may see, (B, 1, 1 or L, L).
            head_mask: a factor for the weights of every head, (H,).
            training: whether dropout is on.
        """
        scale = (self.width // self.n_heads) ** -0.5
        query_BHLD = self._heads(self.q_lin(states_BLE)) * scale
        key_BHDL = ops.transpose(self._heads(self.k_lin(states_BLE)), (0, 1, 3, 2))
        value_BHLD = self._heads(self.v_lin(states_BLE))
        scores_BHLL = ops.cast(ops.matmul(query_BHLD, key_BHDL), "float32")
        scores_BHLL = ops.where(visible, scores_BHLL, float(np.finfo(np.float32).min))
        weights_BHLL = ops.cast(softmax(scores_BHLL), value_BHLD.dtype)
        weights_BHLL = self.dropout(weights_BHLL, training=training)
        if head_mask is not None:
            weights_BHLL = weights_BHLL * ops.cast(head_mask, weights_BHLL.dtype)[:, None, None]
        context_BLHD = ops.transpose(ops.matmul(weights_BHLL, value_BHLD), (0, 2, 1, 3))
        return self.out_lin(ops.reshape(context_BLHD, ops.shape(states_BLE))), weights_BHLL

    def _heads(self, states_BLE: Tensor) -> Tensor:
        rows, length = ops.shape(states_BLE)[:2]
        shape = (rows, length, self.n_heads, self.width // self.n_heads)
        return ops.transpose(ops.reshape(states_BLE, shape), (0, 2, 1, 3))


def softmax(scores: Tensor) -> Tensor:
    """Return the softmax over the last axis; Keras's own warns of an axis of one."""
    odds = ops.exp(scores - ops.stop_gradient(ops.max(scores, axis=-1, keepdims=True)))
    return odds / ops.sum(odds, axis=-1, keepdims=True)


class FeedForward(keras.layers.Layer):
    """Two linear layers with a non-linearity, four times as wide inside."""

    def __init__(self, width: int, dropout: float, stddev: float, *, gelu: bool, name: str) -> None:
        super().__init__(name=name)
        self.gelu = gelu
        self.lin1 = Linear(width, 4 * width, stddev, name="lin1")
        self.lin2 = Linear(4 * width, width, stddev, name="lin2")
        self.dropout = keras.layers.Dropout(dropout, name="dropout")

    def build(self, input_shape: object = None) -> None:
        """Make the weights."""
        self.lin1.build()
        self.lin2.build()

    def call(self, states_BLE: Tensor, training: bool = False) -> Tensor:
        """Transform every position by itself, (B, L, E) to (B, L, E)."""
        inner = self.lin1(states_BLE)  # (B, L, 4E)
        inner = ops.gelu(inner, approximate=False) if self.gelu else ops.relu(inner)
        return self.dropout(self.lin2(inner), training=training)
