"""How mined pairs are scored against gold ones, as in BUCC: precision, recall and F1.

Only pairs whose margin is at least a threshold count, and the threshold is that with the best F1 on
other pairs than those that are measured.

Shapes: N sentences of the first text, P pairs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.bitexts import GoldPairs
from xlmkit.data.permutation import key_of
from xlmkit.evaluate.mining import Pairs
from xlmkit.evaluate.neighbours import Vectors
from xlmkit.evaluate.score import Score, bootstrap_ratio

METRICS = ("f1", "precision", "recall")
"""What is scored, that which decides first."""

Sentences = NDArray[np.bool_]
"""Which sentences of the first text count, (N,)."""


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


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found, with intervals: sentences of the first text are resampled.

    Attributes:
        found: the numbers.
        precision: see `Found`; none is found where no pair counts.
        recall: see `Found`.
        f1: see `Found`.
    """

    found: Found
    precision: Score
    recall: Score
    f1: Score


def tuning_part(names: Sequence[str], share: float) -> Sentences:
    """Return which sentences choose the threshold: a share of them, by the hash of their names."""
    return np.array([key_of(name) % 1000 < 1000 * share for name in names], bool)


def count_gold(gold: GoldPairs, sentences: Sentences) -> int:
    """Return how many gold pairs these sentences have."""
    return sum(len(partners) for number, partners in gold.items() if sentences[number])


def choose_threshold(pairs: Pairs, gold: GoldPairs, sentences: Sentences) -> float:
    """Return the margin from which on the pairs of some sentences have the best F1."""
    counted = sentences[pairs.first]
    right = _right(pairs, gold)[counted]
    return best_threshold(pairs.scores[counted], right, count_gold(gold, sentences))


def measure_pairs(
    pairs: Pairs,
    gold: GoldPairs,
    sentences: Sentences,
    threshold: float,
    details: Mapping[str, Any],
) -> Measured:
    """Return how well the pairs of some sentences agree with their gold pairs.

    Args:
        pairs: all that were mined.
        gold: all gold pairs; at least one is of these sentences.
        sentences: which are measured.
        threshold: least margin of a pair that counts.
        details: for the signatures.
    """
    right, own = _right(pairs, gold), sentences[pairs.first]
    found = judge(pairs.scores[own], right[own], count_gold(gold, sentences), threshold)
    counted = own & (pairs.scores >= threshold)
    size = len(sentences)
    n_pairs = np.bincount(pairs.first[counted], minlength=size)
    n_right = np.bincount(pairs.first[counted & right], minlength=size)
    n_gold = np.array([len(gold.get(i, ())) if sentences[i] else 0 for i in range(size)], np.int64)
    return Measured(found, *_scores(n_pairs, n_right, n_gold, details))


def _scores(
    pairs: NDArray[np.int64],
    right: NDArray[np.int64],
    gold: NDArray[np.int64],
    details: Mapping[str, Any],
) -> tuple[Score, Score, Score]:
    """Return precision, recall and F1.

    Args:
        pairs: of each sentence, how many of its pairs count, (N,).
        right: how many of them are gold, (N,).
        gold: its gold pairs, (N,). Sentences with neither are not resampled.
        details: for the signatures.
    """
    used = pairs + gold > 0
    pairs, right, gold = pairs[used], right[used], gold[used]

    def share(name: str, above: NDArray[np.int64], below: NDArray[np.int64]) -> Score:
        # Where nothing is found, or nothing is to be found, none is right.
        return bootstrap_ratio(f"mining-{name}", above, below, transform=np.nan_to_num, **details)

    return (
        share("precision", right, pairs),
        share("recall", right, gold),
        share("f1", 2 * right, pairs + gold),
    )


def _right(pairs: Pairs, gold: GoldPairs) -> NDArray[np.bool_]:
    """Return which pairs are gold, (P,)."""
    found = zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    return np.array([j in gold.get(i, ()) for i, j in found], bool)
