"""Which tokens are real, and where each one stands.

Shapes: B sequences, L positions.
"""

from typing import Any

from keras import ops

Tensor = Any


def real_tokens(inputs: dict[str, Tensor], pad_index: int) -> Tensor:
    """Return what is not padding, (B, L): the attention mask as it was given, or booleans.

    Without a mask, a row's `lengths` count its first tokens; without these, as many tokens are real
    as differ from padding, from the first such token on.

    Args:
        inputs: of a call, by name.
        pad_index: the token that pads.
    """
    if (mask := inputs.get("attention_mask")) is not None:
        return mask
    ids, embeddings = inputs.get("input_ids"), inputs.get("inputs_embeds")
    rows, length = ops.shape(ids if ids is not None else embeddings)[:2]
    places_1L = ops.arange(length, dtype="int32")[None]
    if (lengths := inputs.get("lengths")) is not None:
        return places_1L < ops.cast(lengths, "int32")[:, None]
    if ids is None:
        return ops.ones((rows, length), dtype="bool")
    other_BL = ops.not_equal(ids, pad_index)
    count_B1 = ops.sum(ops.cast(other_BL, "int32"), axis=1, keepdims=True)
    start_B1 = first_real(other_BL)
    return ops.logical_and(places_1L >= start_B1, places_1L < start_B1 + count_B1)


def first_real(mask_BL: Tensor) -> Tensor:
    """Return the place of the first real token of each row, (B, 1), int32; 0 if there is none."""
    real = ops.cast(ops.not_equal(mask_BL, 0), "int32")
    return ops.cast(ops.argmax(real, axis=1, keepdims=True), "int32")


def last_real(mask_BL: Tensor) -> Tensor:
    """Return the place of the last real token of each row, (B, 1), int32."""
    real = ops.cast(ops.not_equal(mask_BL, 0), "int32")
    places_1L = ops.arange(ops.shape(mask_BL)[1], dtype="int32")[None]
    return ops.max(real * places_1L, axis=1, keepdims=True)


def positions(mask_BL: Tensor) -> Tensor:
    """Return the position of every token, (B, L), int32, counted from the row's first real one.

    So a row means the same wherever its padding stands. Hugging Face counts padding on the left.
    """
    places_1L = ops.arange(ops.shape(mask_BL)[1], dtype="int32")[None]
    return ops.maximum(places_1L - first_real(mask_BL), 0)


def visible(mask_BL: Tensor, *, causal: bool) -> Tensor:
    """Return which keys each query may see, (B, 1, 1 or L, L), booleans.

    Padding is never seen; Hugging Face's causal models see it.
    """
    real_B11L = ops.not_equal(mask_BL, 0)[:, None, None, :]
    if not causal:
        return real_B11L
    places_L = ops.arange(ops.shape(mask_BL)[1], dtype="int32")
    return ops.logical_and(real_B11L, places_L[None, None, None, :] <= places_L[:, None])
