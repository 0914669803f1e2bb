"""Whether two models that answered the same examples differ by more than chance.

- The paired bootstrap resamples the examples, the same ones for both models (Efron & Tibshirani
  1993; Koehn, "Statistical Significance Tests for Machine Translation Evaluation", 2004).
- Averages over languages whose texts are translations of one another resample all translations of
  an example together: the cluster bootstrap (Field & Welsh, "Bootstrapping Clustered Data", 2007).
- McNemar's exact test looks at the examples that one model has right and the other wrong: were
  both equally good, each of these would be a fair coin (McNemar 1947; the exact form is the
  binomial test, as Dietterich 1998 recommends for two classifiers on one test set).
- Holm's procedure keeps the chance of any false finding among several tests at the level of one
  (Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlmkit.evaluate.score import Statistic, interval

RESAMPLES = 10_000  # more than for an interval: a corrected p needs finer steps
SEED = 1
_DRAWS_AT_ONCE = 1 << 21


@dataclass(frozen=True, slots=True)
class Difference:
    """A metric of one model less that of another.

    Attributes:
        value: on all examples.
        low: lower end of its 95 % interval, None where it is undefined.
        high: upper end.
        p: how likely a difference of this size or greater is if both are equally good, two-sided.
        n: examples.
        test: what p is from, "mcnemar-exact" or "bootstrap".
    """

    value: float
    low: float | None
    high: float | None
    p: float
    n: int
    test: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        names = ("value", "low", "high", "p", "n", "test")
        return {name: getattr(self, name) for name in names}


def resampled_differences(
    first: Statistic, second: Statistic, n: int, *, resamples: int = RESAMPLES, seed: int = SEED
) -> NDArray[np.float64]:
    """Return first - second on the same resamples of `n` examples, (resamples,).

    The same `n` and `seed` draw the same numbers of examples, in every language; other `n` draw
    independently.
    """
    generator = np.random.default_rng((seed, n))
    rows = max(1, _DRAWS_AT_ONCE // n)
    parts = []
    for done in range(0, resamples, rows):
        drawn = generator.integers(n, size=(min(rows, resamples - done), n), dtype=np.intp)
        parts.append(first(drawn) - second(drawn))
    return np.concatenate(parts)


def bootstrap_p(samples: NDArray[np.float64]) -> float:
    """Return the two-sided p of a difference from its bootstrap samples.

    Twice the share of samples on the rarer side of zero, the difference itself counted as one
    sample, so that it is never zero (Davison & Hinkley 1997, section 4.2). Undefined samples are
    left out.
    """
    defined = samples[~np.isnan(samples)]
    rarer = min(int((defined <= 0).sum()), int((defined >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(defined) + 1))


def mcnemar(first_right: ArrayLike, second_right: ArrayLike) -> float:
    """Return the two-sided p of McNemar's exact test.

    Args:
        first_right: whether the first model has each example right, (examples,).
        second_right: whether the second has.

    Raises:
        ValueError: the lengths differ.
    """
    first, second = np.asarray(first_right, bool), np.asarray(second_right, bool)
    if first.shape != second.shape:
        raise ValueError(f"{first.shape} answers but {second.shape}.")
    n = int((first != second).sum())
    fewer = min(int((first & ~second).sum()), int((second & ~first).sum()))
    term = tail = 1  # binomial coefficients of n, summed up to `fewer`: whole numbers, so exact
    for k in range(fewer):
        term = term * (n - k) // (k + 1)
        tail += term
    return min(1.0, float(2 * tail / 2**n))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, in the order given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, floor = [0.0] * len(p_values), 0.0
    for rank, number in enumerate(order):
        floor = max(floor, min(1.0, (len(order) - rank) * p_values[number]))
        corrected[number] = floor
    return corrected


def difference(
    first: Statistic,
    second: Statistic,
    n: int,
    samples: NDArray[np.float64],
    right: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> Difference:
    """Return the difference of two models on one language.

    Args:
        first: a metric of the first model.
        second: of the second.
        n: examples.
        samples: what `resampled_differences` gave for both.
        right: whether each example is right, 1 or 0, where the metric is the mean of that; p is
            McNemar's then.
    """
    everything = np.arange(n, dtype=np.intp)[None, :]
    value = float(first(everything)[0] - second(everything)[0])
    low, high = interval(samples)
    p = mcnemar(*right) if right else bootstrap_p(samples)
    return Difference(value, low, high, p, n, "mcnemar-exact" if right else "bootstrap")
