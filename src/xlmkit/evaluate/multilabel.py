"""Metrics where an item may be of several classes, equal to scikit-learn's with zero_division=0."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlmkit.evaluate.metrics import ClassScores
from xlmkit.evaluate.score import RESAMPLES, SEED, Score, Statistic, bootstrap, bootstrap_mean


def multilabel_f1(
    references: ArrayLike,
    predictions: ArrayLike,
    average: Literal["macro", "micro"],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Score:
    """Return F1: the mean over all classes, or that of all decisions together.

    Args:
        references: whether each item is of each class, (items, classes).
        predictions: likewise.
        average: `macro` or `micro`.
        resamples: number of bootstrap resamples over items.
        seed: seed of the bootstrap.

    Raises:
        ValueError: the shapes differ, or there is no item.
    """
    statistic = multilabel_f1_values(references, predictions, average)
    n = len(np.asarray(references))
    return bootstrap(f"{average}-f1", statistic, n, resamples=resamples, seed=seed, classes="all")


def multilabel_f1_values(
    references: ArrayLike, predictions: ArrayLike, average: Literal["macro", "micro"]
) -> Statistic:
    """Return F1 as a function of resampled items; arguments as `multilabel_f1`.

    Raises:
        ValueError: the shapes differ.
    """
    right, given = np.asarray(references, bool), np.asarray(predictions, bool)
    if right.shape != given.shape or right.ndim != 2:
        raise ValueError(f"{right.shape} references but {given.shape} predictions.")
    hits = (right & given).astype(np.float64)
    counted = right.astype(np.float64) + given  # (items, classes)

    def statistic(indices: NDArray[np.intp]) -> NDArray[np.float64]:
        values = np.empty(len(indices))
        for row, chosen in enumerate(indices):  # a row of weights at a time: little memory
            weights = np.bincount(chosen, minlength=len(right)).astype(np.float64)
            found, all_of_them = 2 * weights @ hits, weights @ counted
            if average == "micro":
                found, all_of_them = found.sum(keepdims=True), all_of_them.sum(keepdims=True)
            shares = np.zeros(found.shape)
            np.divide(found, all_of_them, out=shares, where=all_of_them > 0)
            values[row] = shares.mean()
        return values

    return statistic


def multilabel_class_scores(references: ArrayLike, predictions: ArrayLike) -> ClassScores:
    """Return precision, recall and F1 of each class; arguments as `multilabel_f1`.

    Raises:
        ValueError: the shapes differ.
    """
    right, given = np.asarray(references, bool), np.asarray(predictions, bool)
    if right.shape != given.shape or right.ndim != 2:
        raise ValueError(f"{right.shape} references but {given.shape} predictions.")
    hits = (right & given).sum(axis=0).astype(np.float64)
    return ClassScores.of(hits, support=right.sum(axis=0), predicted=given.sum(axis=0))


def label_sets_accuracy(
    references: ArrayLike, predictions: ArrayLike, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Score:
    """Return the share of items all of whose classes are right; arguments as `multilabel_f1`.

    Raises:
        ValueError: there is no item.
    """
    right, given = np.asarray(references, bool), np.asarray(predictions, bool)
    return bootstrap_mean(
        "exact-match", (right == given).all(axis=1), resamples=resamples, seed=seed
    )
