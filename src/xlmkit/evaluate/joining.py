"""The scores, or the vector, of a text from those of its windows.

A text of one window keeps its scores as they are. `mean` is the mean of the windows' scores before
any softmax, `max` the highest of each class, `first` those of the first window. In a `vote` every
window has one vote and one more is shared out as the mean says, which decides ties and nothing
else; the scores returned are logarithms (or log-odds, where classes are decided one by one) of the
shares.
"""

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.text_windows import Join
from xlmkit.evaluate.calibration import softmax


def join_windows(
    scores: NDArray[np.float32], owners: NDArray[np.int64], join: Join, *, several: bool = False
) -> NDArray[np.float32]:
    """Return the scores of texts, (texts, C).

    Args:
        scores: of the windows, (windows, C).
        owners: the number of each window's text, ascending, every text at least once, (windows,).
        join: the rule.
        several: whether each class is decided by itself, by a score of 0 or more.
    """
    if len(owners) == 0 or len(owners) == owners[-1] + 1:
        return scores
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    counts = np.diff(first, append=len(owners))[:, None]
    if join == "first":
        return scores[first]
    if join == "max":
        highest: NDArray[np.float32] = np.maximum.reduceat(scores, first)
        return highest
    sums = np.add.reduceat(scores, first)
    mean: NDArray[np.float32] = (sums / counts).astype(np.float32)
    joined = mean if join == "mean" else _votes(scores, mean, first, counts, several)
    result: NDArray[np.float32] = np.where(counts == 1, scores[first], joined).astype(np.float32)
    return result


def mean_of_windows(
    vectors: NDArray[np.float32], owners: NDArray[np.int64], lengths: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Return the vectors of texts: the mean of their windows', weighted by their tokens.

    Args:
        vectors: of the windows, (windows, ...).
        owners: the number of each window's text, ascending, every text at least once, (windows,).
        lengths: tokens of each window, (windows,).

    Returns:
        (texts, ...), float32.
    """
    if len(owners) == 0 or len(owners) == owners[-1] + 1:
        return vectors
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    weights = lengths.astype(np.float32).reshape(-1, *[1] * (vectors.ndim - 1))
    sums = np.add.reduceat(vectors * weights, first)
    return np.asarray(sums / np.add.reduceat(weights, first), np.float32)


def _votes(
    scores: NDArray[np.float32],
    mean: NDArray[np.float32],
    first: NDArray[np.int64],
    counts: NDArray[np.int64],
    several: bool,
) -> NDArray[np.float32]:
    if several:
        votes = np.add.reduceat((scores >= 0).astype(np.float32), first)
        share = (votes + 1 / (1 + np.exp(-mean))) / (counts + 1)
        return np.asarray(np.log(share) - np.log1p(-share), np.float32)
    best = np.eye(scores.shape[1], dtype=np.float32)[scores.argmax(axis=1)]
    votes = np.add.reduceat(best, first)
    return np.asarray(np.log((votes + softmax(mean)) / (counts + 1)), np.float32)
