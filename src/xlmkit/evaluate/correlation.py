"""Correlations, equal to scipy's: Pearson's of values, Spearman's of their ranks."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlmkit.evaluate.score import RESAMPLES, SEED, Score, Statistic, bootstrap


def pearson(
    references: ArrayLike, predictions: ArrayLike, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Score:
    """Return Pearson's correlation; not a number where either side is constant.

    Args:
        references: values, (items,).
        predictions: values, (items,).
        resamples: number of bootstrap resamples over items.
        seed: seed of the bootstrap.

    Raises:
        ValueError: the lengths differ, or there is no item.
    """
    x, y = _paired(references, predictions)
    return bootstrap("pearson", correlations(x, y), len(x), resamples=resamples, seed=seed)


def spearman(
    references: ArrayLike, predictions: ArrayLike, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Score:
    """Return Spearman's correlation, Pearson's of the ranks; those that tie share their mean rank.

    Arguments as `pearson`. Every resample is ranked anew.

    Raises:
        ValueError: the lengths differ, or there is no item.
    """
    x, y = _paired(references, predictions)
    return bootstrap("spearman", rank_correlations(x, y), len(x), resamples=resamples, seed=seed)


def correlations(x: NDArray[np.floating], y: NDArray[np.floating]) -> Statistic:
    """Return Pearson's correlation of two columns, (items,), as a function of resamples."""
    return lambda indices: _correlation(x[indices], y[indices])


def rank_correlations(x: NDArray[np.floating], y: NDArray[np.floating]) -> Statistic:
    """Return Spearman's correlation of two columns, (items,), as a function of resamples."""

    def values(indices: NDArray[np.intp]) -> NDArray[np.float64]:
        ranked = (np.stack([ranks(v[row]) for row in indices]) for v in (x, y))
        return _correlation(*ranked)

    return values


def ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return ranks from 1, the mean of them for values that tie, (items,)."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    result: NDArray[np.float64] = (last - (counts - 1) / 2)[inverse]
    return result


def _paired(
    references: ArrayLike, predictions: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.asarray(references, np.float64), np.asarray(predictions, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"{x.shape} references but {y.shape} predictions.")
    return x, y


def _correlation(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the correlation of each row, (resamples,)."""
    # A constant row's mean may be off by rounding, so that constancy is not left to the sum.
    constant = (np.ptp(x, axis=1) == 0) | (np.ptp(y, axis=1) == 0)
    x = x - x.mean(axis=1, keepdims=True, dtype=np.float64)
    y = y - y.mean(axis=1, keepdims=True, dtype=np.float64)
    below = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    result: NDArray[np.float64] = np.full(len(x), np.nan)
    np.divide((x * y).sum(axis=1), below, out=result, where=~constant & (below > 0))
    return result
