r"""Whether probabilities mean what they say: how often answers of a certain confidence are right.

Answers are sorted into bins by the probability of the predicted class, and

    ECE = sum over bins of (share of the answers in the bin) * |share right - mean confidence|

is the expected calibration error of Guo et al., "On Calibration of Modern Neural Networks", 2017,
with their 15 bins of equal width, each closed at its upper end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlmkit.evaluate.score import Score, signature

BINS = 15


def softmax(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return probabilities over the last axis."""
    powers = np.exp(scores.astype(np.float64) - scores.max(axis=-1, keepdims=True))
    result: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return result


def top_probability(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the probability of the best of each item's classes, the highest of its softmax.

    Args:
        scores: before the softmax, (items, C).

    Returns:
        (items,).
    """
    powers = scores - scores.max(axis=1, keepdims=True)
    np.exp(powers, out=powers)  # of many words a second copy of the scores, and no third
    result: NDArray[np.float64] = 1 / powers.sum(axis=1, dtype=np.float64)
    return result


def decision_probability(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the probability of yes where a score is 0 or more, else of no; shapes are kept."""
    result: NDArray[np.float64] = 1 / (1 + np.exp(-np.abs(scores), dtype=np.float64))
    return result


@dataclass(frozen=True, slots=True)
class Calibration:
    """What answers of each confidence came to; arrays have shape (bins,), the least sure first.

    Attributes:
        counts: answers in each bin.
        confidences: sum of their probabilities.
        right: how many of them are right.
    """

    counts: NDArray[np.int64]
    confidences: NDArray[np.float64]
    right: NDArray[np.int64]

    @classmethod
    def of(cls, probabilities: ArrayLike, labels: ArrayLike, bins: int = BINS) -> Self:
        """Sort answers into bins by the probabilities of all classes.

        Args:
            probabilities: of every class, (items, classes).
            labels: number of the right class, (items,).
            bins: how many, of equal width.

        Raises:
            ValueError: the shapes do not fit, or a probability lies outside 0 to 1.
        """
        given, known = np.asarray(probabilities, np.float64), np.asarray(labels, np.int64)
        if given.ndim != 2 or known.shape != given.shape[:1]:
            raise ValueError(f"{given.shape} probabilities but {known.shape} labels.")
        return cls.of_answers(given.max(axis=1), given.argmax(axis=1) == known, bins)

    @classmethod
    def of_answers(cls, probabilities: ArrayLike, right: ArrayLike, bins: int = BINS) -> Self:
        """Sort answers into bins.

        Args:
            probabilities: of what was answered, (answers,).
            right: whether it is right, (answers,).
            bins: how many, of equal width.

        Raises:
            ValueError: the shapes do not fit, or a probability lies outside 0 to 1.
        """
        confidence, hits = np.asarray(probabilities, np.float64), np.asarray(right, bool)
        if confidence.ndim != 1 or hits.shape != confidence.shape:
            raise ValueError(f"{confidence.shape} probabilities but {hits.shape} answers.")
        if not ((confidence >= 0) & (confidence <= 1 + 1e-6)).all():
            raise ValueError("A probability lies outside 0 to 1.")
        edges = np.arange(1, bins) / bins
        place = np.searchsorted(edges, confidence, side="left")
        return cls(
            counts=np.bincount(place, minlength=bins).astype(np.int64),
            confidences=np.bincount(place, confidence, minlength=bins).astype(np.float64),
            right=np.bincount(place, hits, minlength=bins).astype(np.int64),
        )

    @property
    def error(self) -> Score:
        """The expected calibration error.

        It has no interval: chance alone makes bins differ, so that resamples lie above the value
        they should surround.
        """
        n = int(self.counts.sum())
        gaps = np.abs(self.right - self.confidences).sum()
        text = signature("ece", n, resamples=0, seed=0, bins=len(self.counts))
        return Score(float(gaps / n) if n else np.nan, None, None, n, text)

    def curve(self) -> list[tuple[float, float, int]]:
        """Return (mean confidence, share right, answers) of every bin that has any."""
        return [
            (float(confidence / count), float(right / count), int(count))
            for count, confidence, right in zip(
                self.counts, self.confidences, self.right, strict=True
            )
            if count
        ]

    def to_json(self) -> dict[str, Any]:
        """Return plain values: the error, and (answers, sum of confidence, right) of each bin."""
        rows = zip(self.counts, self.confidences, self.right, strict=True)
        return {
            "ece": self.error.to_json(),
            "bins": [[int(n), round(float(sum_), 4), int(hits)] for n, sum_, hits in rows],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave."""
        counts, confidences, right = np.array(value["bins"], np.float64).reshape(-1, 3).T
        return cls(counts.astype(np.int64), confidences, right.astype(np.int64))
