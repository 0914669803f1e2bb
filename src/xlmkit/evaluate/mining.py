"""Mining: which sentences of two texts that are not aligned are translations of each other?

Every sentence proposes its best partner by margin among its nearest; proposals are taken from the
best on, each sentence once ("max" of Artetxe & Schwenk 2019, "Margin-based parallel corpus
mining"). Scores against gold pairs are those of BUCC: precision, recall and F1 at the threshold
that was best on other pairs.

Shapes: N and M sentences, E width, P pairs.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.evaluate.neighbours import Places, Vectors, adjusted, nearest
from xlmkit.evaluate.score import Score, bootstrap_ratio
from xlmkit.evaluate.spaces import of_length_one

_ROWS = 8192  # brought to length one at a time


@dataclass(frozen=True, slots=True)
class Pairs:
    """Proposed translations, the best first; every sentence stands in at most one.

    Attributes:
        first: numbers of sentences of the one text, (P,).
        second: numbers of sentences of the other, (P,).
        scores: margins, (P,).
    """

    first: Places
    second: Places
    scores: Vectors

    def above(self, threshold: float) -> "Pairs":
        """Return the pairs with this score or more."""
        n = int((self.scores >= threshold).sum())
        return Pairs(self.first[:n], self.second[:n], self.scores[:n])


def to_one_space(vectors_NE: Vectors, *, centre: bool = True) -> None:
    """Centre vectors and give them length one, in place, a part at a time: a map of a file too."""
    parts = [slice(start, start + _ROWS) for start in range(0, len(vectors_NE), _ROWS)]
    total_E = np.zeros(vectors_NE.shape[1], np.float64)
    for rows in parts if centre else ():
        total_E += vectors_NE[rows].sum(axis=0, dtype=np.float64)
    mean_E = (total_E / max(1, len(vectors_NE))).astype(np.float32)
    for rows in parts:
        vectors_NE[rows] = of_length_one(vectors_NE[rows] - mean_E)


def mine(a_NE: Vectors, b_ME: Vectors, *, neighbours: int = 4) -> Pairs:
    """Return the best partners of sentences that have one.

    Similarities are computed in tiles; memory holds the nearest neighbours of each sentence only.

    Args:
        a_NE: of length one, (N, E), N at least one.
        b_ME: of length one, (M, E), M at least one.
        neighbours: k of the margin, among which partners are sought.
    """
    forward, backward = nearest(a_NE, b_ME, neighbours), nearest(b_ME, a_NE, neighbours)
    of_a, of_b = forward.means, backward.means
    margins_ab = adjusted(forward.cosines, of_a[:, None], of_b[forward.places], "margin")
    margins_ba = adjusted(backward.cosines, of_b[:, None], of_a[backward.places], "margin")
    best_ab, best_ba = margins_ab.argmax(axis=1), margins_ba.argmax(axis=1)
    rows_a, rows_b = np.arange(len(a_NE)), np.arange(len(b_ME))
    first = np.concatenate([rows_a, backward.places[rows_b, best_ba]])
    second = np.concatenate([forward.places[rows_a, best_ab], rows_b])
    scores = np.concatenate([margins_ab[rows_a, best_ab], margins_ba[rows_b, best_ba]])
    order = np.lexsort((second, first, -scores))
    used_a, used_b = np.zeros(len(a_NE), bool), np.zeros(len(b_ME), bool)
    taken = []
    for place in order.tolist():
        if not used_a[first[place]] and not used_b[second[place]]:
            used_a[first[place]] = used_b[second[place]] = True
            taken.append(place)
    kept = np.array(taken, np.int64)
    return Pairs(first[kept], second[kept], scores[kept])


@dataclass(frozen=True, slots=True)
class Found:
    """How well pairs agree with gold pairs.

    Attributes:
        threshold: least score of a pair that counts.
        precision: share of the pairs that are gold.
        recall: share of the gold pairs that were found.
        f1: harmonic mean of both.
        pairs: how many count.
        gold: how many gold pairs there are.
    """

    threshold: float
    precision: float
    recall: float
    f1: float
    pairs: int
    gold: int


def judge(scores: Vectors, right: NDArray[np.bool_], n_gold: int, threshold: float) -> Found:
    """Return how well the pairs with at least this score agree.

    Args:
        scores: of pairs, (P,).
        right: which pairs are gold, (P,).
        n_gold: gold pairs there are.
        threshold: least score of a pair that counts.
    """
    counted = scores >= threshold
    n, hits = int(counted.sum()), int((counted & right).sum())
    return Found(
        threshold,
        hits / n if n else 0.0,
        hits / n_gold if n_gold else 0.0,
        2 * hits / (n + n_gold) if n + n_gold else 0.0,
        n,
        n_gold,
    )


def f1_interval(
    pairs: NDArray[np.int64], hits: NDArray[np.int64], gold: NDArray[np.int64]
) -> Score:
    """Return F1 with its interval; sentences of the first text are resampled.

    Args:
        pairs: of each sentence, how many of its pairs count, (sentences,).
        hits: how many of them are gold, (sentences,).
        gold: its gold pairs, (sentences,). Sentences with neither do not count.
    """
    counted = pairs + gold > 0
    above, below = 2 * hits[counted], (pairs + gold)[counted]
    return bootstrap_ratio("mining-f1", above, below)


def best_threshold(scores: Vectors, right: NDArray[np.bool_], n_gold: int) -> float:
    """Return the score from which on pairs have the best F1; infinite where none is right."""
    if not right.any():
        return float("inf")
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], right[order].cumsum()
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + n_gold)
    # Equal scores are taken together.
    last = np.append(ordered[1:] < ordered[:-1], True)
    return float(ordered[np.where(last, f1, -1.0).argmax()])


def to_json(found: Found) -> Mapping[str, Any]:
    """Return plain values for JSON, which has no infinity: without any right pair, None."""
    return {**asdict(found), "threshold": found.threshold if isfinite(found.threshold) else None}
