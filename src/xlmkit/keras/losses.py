"""The models' own losses, in the shapes that Hugging Face's TensorFlow classes gave them.

Shapes: B sequences, L positions, C classes.
"""

from typing import Any

import keras
from keras import ops

Tensor = Any

PROBLEM_TYPES = ("regression", "single_label_classification", "multi_label_classification")


def cross_entropy(labels: Tensor, logits: Tensor) -> Tensor:
    """Return -log p(label) for each label, in float32.

    Args:
        labels: class numbers, (...).
        logits: scores of the classes, (..., C).
    """
    loss: Tensor = keras.losses.sparse_categorical_crossentropy(
        labels, ops.cast(logits, "float32"), from_logits=True
    )
    return loss


def token_cross_entropy(labels_BL: Tensor, logits_BLC: Tensor, weights: Tensor = None) -> Tensor:
    """Return the mean of -log p(label) over all labels but the negative ones, (1,).

    It is 0 where no label counts.

    Args:
        labels_BL: class numbers, negative where there is none.
        logits_BLC: scores of the classes.
        weights: a factor for each sequence (B,) or token (B, L).
    """
    counts_BL = ops.cast(ops.greater_equal(labels_BL, 0), "float32")
    each_BL = cross_entropy(ops.maximum(labels_BL, 0), logits_BLC) * counts_BL
    if weights is not None:
        each_BL = weighted(each_BL, weights[:, None] if len(weights.shape) == 1 else weights)
    total = ops.sum(each_BL) / ops.maximum(ops.sum(counts_BL), 1.0)
    return ops.reshape(total, (1,))


def weighted(losses: Tensor, weights: Tensor) -> Tensor:
    """Return losses times their weights, if there are weights."""
    return losses if weights is None else losses * ops.cast(weights, losses.dtype)


def sequence_loss(labels: Tensor, logits_BC: Tensor, problem_type: str | None) -> Tensor:
    """Return a loss for each sequence, (B,).

    Args:
        labels: class numbers (B,); numbers (B,) or (B, C) for a regression; 0 or 1 for each class,
            (B, C), where several may hold.
        logits_BC: scores.
        problem_type: that of the configuration; by default a regression if there is one score, and
            otherwise a classification.

    Raises:
        ValueError: there is no such type of problem.
    """
    if problem_type is None:
        single = logits_BC.shape[-1] == 1
        problem_type = "regression" if single else "single_label_classification"
    if problem_type not in PROBLEM_TYPES:
        raise ValueError(
            f"problem_type={problem_type!r} is unknown; choose {' or '.join(PROBLEM_TYPES)}."
        )
    logits_BC = ops.cast(logits_BC, "float32")
    if problem_type == "single_label_classification":
        return cross_entropy(ops.reshape(labels, (-1,)), logits_BC)
    target_BC = ops.reshape(ops.cast(labels, "float32"), ops.shape(logits_BC))
    if problem_type == "regression":
        return ops.mean(ops.square(target_BC - logits_BC), axis=-1)
    losses_BC = ops.binary_crossentropy(target_BC, logits_BC, from_logits=True)
    return ops.mean(losses_BC, axis=-1)


def span_loss(positions_B: Tensor, logits_BL: Tensor) -> Tensor:
    """Return -log p(position) for each sequence, (B,).

    A position outside the sequence does not count: it is 0, and the others are scaled so that the
    mean of all is the mean of those that count.
    """
    positions_B = ops.reshape(positions_B, (-1,))
    length = ops.shape(logits_BL)[1]
    within_B = ops.logical_and(positions_B >= 0, positions_B < length)
    counts_B = ops.cast(within_B, "float32")
    each_B = cross_entropy(ops.where(within_B, positions_B, 0), logits_BL)
    return each_B * counts_B / ops.maximum(ops.mean(counts_B), 1e-9)
