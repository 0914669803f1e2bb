"""Classification, retrieval and language-model metrics, on numpy arrays.

Every function that returns a `Score` resamples the unit that is independent: examples for
classification, queries for retrieval, texts for measures over tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlmkit.evaluate.score import (
    RESAMPLES,
    SEED,
    Score,
    bootstrap_mean,
    bootstrap_ratio,
    interval,
    signature,
)

_CELLS_AT_ONCE = 1 << 21  # cells of resampled confusion matrices held in memory together


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Scores of each class; every array has shape (..., classes).

    A share whose denominator is zero is 0, as in scikit-learn with `zero_division=0`.

    Attributes:
        precision: of the items predicted as the class, the share that is of it.
        recall: of the items of the class, the share predicted as it.
        f1: harmonic mean of precision and recall.
        support: items of the class among the references.
        occurs: whether the class is among the references or the predictions.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]
    occurs: NDArray[np.bool_]

    @classmethod
    def of(
        cls, hits: NDArray[np.float64], *, support: NDArray[np.int64], predicted: NDArray[np.int64]
    ) -> Self:
        """Make them of how often each class is found, is right and is predicted, (..., classes)."""
        return cls(
            precision=_share(hits, predicted),
            recall=_share(hits, support),
            f1=_share(2 * hits, support + predicted),
            support=support,
            occurs=(support + predicted) > 0,
        )

    def by_name(self, names: Sequence[str], *, every: bool) -> dict[str, dict[str, float]]:
        """Return the scores of a single matrix as plain values for JSON.

        Args:
            names: of the classes.
            every: whether those that do not occur are there, too.
        """
        return {
            name: {
                "precision": float(self.precision[i]),
                "recall": float(self.recall[i]),
                "f1": float(self.f1[i]),
                "support": int(self.support[i]),
            }
            for i, name in enumerate(names)
            if every or self.occurs[i]
        }


def confusion_matrix(
    references: ArrayLike, predictions: ArrayLike, classes: int
) -> NDArray[np.int64]:
    """Count the items of each (reference, prediction).

    Args:
        references: class numbers, shape (items,).
        predictions: class numbers, shape (items,).
        classes: number of classes.

    Returns:
        Counts of shape (classes, classes): rows are references, columns are predictions.

    Raises:
        ValueError: the lengths differ, or a number is not in [0, classes).
    """
    rows, columns = _paired(references, predictions)
    for name, numbers in (("reference", rows), ("prediction", columns)):
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < classes:
            raise ValueError(f"A {name} lies outside the {classes} classes.")
    counts = np.bincount(rows * classes + columns, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def _paired(
    references: ArrayLike, predictions: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows = np.asarray(references, dtype=np.int64)
    columns = np.asarray(predictions, dtype=np.int64)
    if rows.shape != columns.shape or rows.ndim != 1:
        raise ValueError(f"{rows.shape} references but {columns.shape} predictions.")
    return rows, columns


def accuracy(
    references: ArrayLike,
    predictions: ArrayLike,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Score:
    """Return the share of items whose prediction equals the reference.

    Args:
        references: class numbers, shape (items,).
        predictions: class numbers, shape (items,).
        resamples: number of bootstrap resamples.
        seed: seed of the bootstrap.

    Raises:
        ValueError: the lengths differ, or there is no item.
    """
    rows, columns = _paired(references, predictions)
    return bootstrap_mean("accuracy", rows == columns, resamples=resamples, seed=seed)


def class_scores(confusion: NDArray[np.int64]) -> ClassScores:
    """Return precision, recall and F1 of each class.

    Args:
        confusion: counts of shape (..., classes, classes), rows are references.
    """
    hits = np.asarray(np.diagonal(confusion, axis1=-2, axis2=-1), dtype=np.float64)
    return ClassScores.of(hits, support=confusion.sum(axis=-1), predicted=confusion.sum(axis=-2))


def _share(part: NDArray[np.float64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


def macro_f1_values(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return macro F1 of each confusion matrix: the mean over the classes that occur.

    A class occurs if it is among the references or the predictions: a class that a language does
    not have, and that was not predicted for it, says nothing about the model. This is what
    scikit-learn computes by default and with `labels=sorted(set(references) | set(predictions))`.

    Args:
        confusion: counts of shape (..., classes, classes), rows are references.

    Returns:
        Values of shape (...); not a number for an empty matrix.
    """
    scores = class_scores(confusion)
    classes = np.asarray(scores.occurs.sum(axis=-1), dtype=np.float64)
    totals = np.asarray((scores.f1 * scores.occurs).sum(axis=-1))
    means: NDArray[np.float64] = np.full(classes.shape, np.nan)
    np.divide(totals, classes, out=means, where=classes > 0)
    return means


def macro_f1(
    confusion: NDArray[np.int64], *, resamples: int = RESAMPLES, seed: int = SEED
) -> Score:
    """Return macro F1 over the classes that occur, with its interval.

    Drawing items with replacement is drawing a confusion matrix from the multinomial distribution
    of its cells, so matrices are drawn, not items; the classes that occur are found anew in each.

    Args:
        confusion: counts of shape (classes, classes), rows are references.
        resamples: number of bootstrap resamples.
        seed: seed of the bootstrap.

    Raises:
        ValueError: the matrix is empty.
    """
    n = int(confusion.sum())
    if not n:
        raise ValueError("Macro F1 needs at least one item.")
    low, high = None, None
    if resamples:
        low, high = interval(_resampled_macro_f1(confusion, n, resamples, seed))
    return Score(
        value=float(macro_f1_values(confusion)),
        low=low,
        high=high,
        n=n,
        signature=signature("macro-f1", n, resamples=resamples, seed=seed, classes="occurring"),
    )


def _resampled_macro_f1(
    confusion: NDArray[np.int64], n: int, resamples: int, seed: int
) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    filled = np.flatnonzero(confusion)
    shares = confusion.reshape(-1)[filled] / n
    rows = max(1, _CELLS_AT_ONCE // confusion.size)
    values = []
    for done in range(0, resamples, rows):
        drawn = np.zeros((min(rows, resamples - done), confusion.size), dtype=np.int64)
        drawn[:, filled] = generator.multinomial(n, shares, size=len(drawn))
        values.append(macro_f1_values(drawn.reshape(-1, *confusion.shape)))
    return np.concatenate(values)


def retrieval_hits(
    similarity: NDArray[np.floating],
    gold: ArrayLike | None = None,
    *,
    tolerance: float = 1e-6,
) -> NDArray[np.float64]:
    """Return for each query what finding its partner first is worth: 0, or 1/k in a tie of k.

    A tie counts as what a fair draw among the tied candidates gives on average, so that a model
    that gives everything one vector gets 1/candidates and not 1.

    Args:
        similarity: shape (queries, candidates), greater is nearer.
        gold: the right candidate of each query, shape (queries,); by default the one of its number.
        tolerance: similarities this near to the greatest count as tied with it: equal vectors
            differ by rounding.

    Raises:
        ValueError: the shapes do not fit, or a similarity is not a number.
    """
    if similarity.ndim != 2 or not similarity.shape[1]:
        raise ValueError(f"Similarities are (queries, candidates), not {similarity.shape}.")
    queries, candidates = similarity.shape
    right = np.arange(queries) if gold is None else np.asarray(gold, dtype=np.intp)
    if right.shape != (queries,):
        raise ValueError(f"{queries} queries but {right.shape} right candidates.")
    if queries and not 0 <= right.min() <= right.max() < candidates:
        raise ValueError(f"A right candidate lies outside the {candidates} candidates.")
    if np.isnan(similarity).any():
        raise ValueError("A similarity is not a number.")
    best = similarity >= similarity.max(axis=1, keepdims=True) - tolerance
    found = best[np.arange(queries), right]
    return np.where(found, 1.0 / best.sum(axis=1), 0.0)


def perplexity(
    losses: ArrayLike, counts: ArrayLike, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Score:
    """Return exp(sum of losses / sum of counts).

    Args:
        losses: summed negative log-likelihood in nats, of each text (texts,) or of all as one
            number; one number gives no interval.
        counts: predicted tokens, of each text (texts,) or of all as one number.
        resamples: number of bootstrap resamples over texts.
        seed: seed of the bootstrap.

    Raises:
        ValueError: the lengths differ, or there is no text.
    """
    sums = np.atleast_1d(np.asarray(losses, dtype=np.float64))
    return bootstrap_ratio(
        "perplexity",
        sums,
        np.atleast_1d(np.asarray(counts, dtype=np.float64)),
        resamples=resamples if len(sums) > 1 else 0,
        seed=seed,
        transform=_exponential,
    )


def _exponential(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):  # a loss above 709 nats: infinite is the answer
        return np.exp(values)


def token_accuracy(
    correct: ArrayLike, counts: ArrayLike, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Score:
    """Return the share of predicted tokens that are right (of masked ones, for MLM and TLM).

    Args:
        correct: tokens predicted rightly, of each text (texts,) or of all as one number; one
            number gives no interval.
        counts: predicted tokens, likewise.
        resamples: number of bootstrap resamples over texts.
        seed: seed of the bootstrap.

    Raises:
        ValueError: the lengths differ, or there is no text.
    """
    hits = np.atleast_1d(np.asarray(correct, dtype=np.float64))
    return bootstrap_ratio(
        "token-accuracy",
        hits,
        np.atleast_1d(np.asarray(counts, dtype=np.float64)),
        resamples=resamples if len(hits) > 1 else 0,
        seed=seed,
    )
