"""A number with its uncertainty and the recipe by which it was made.

Intervals are percentile bootstrap intervals (Efron and Tibshirani, "An Introduction to the
Bootstrap", 1993, chapter 13). Signatures follow the idea of sacreBLEU (Post, "A Call for Clarity in
Reporting BLEU Scores", 2018): a score travels with everything needed to compute it again.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlmkit import __version__

RESAMPLES = 1000
SEED = 1
CONFIDENCE = 0.95

_DRAWS_AT_ONCE = 1 << 21  # indices held in memory together: 16 MiB of them

Statistic = Callable[[NDArray[np.intp]], NDArray[np.float64]]
"""From item indices of shape (resamples, items) to one value for each resample."""


@dataclass(frozen=True, slots=True)
class Score:
    """A measured value.

    Attributes:
        value: the value on all items; not a number where it is undefined.
        low: lower end of the 95 % interval, None where no interval was made.
        high: upper end of the 95 % interval, None where no interval was made.
        n: number of items that were resampled (examples, queries or texts).
        signature: how the value was made, "accuracy|n:1000|bootstrap:1000|seed:1|v:0.1.0".
    """

    value: float
    low: float | None
    high: float | None
    n: int
    signature: str

    def to_json(self) -> dict[str, float | int | str | None]:
        """Return plain values for JSON, which has no infinity: those become None."""
        return {
            "value": _finite(self.value),
            "low": _finite(self.low),
            "high": _finite(self.high),
            "n": self.n,
            "signature": self.signature,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Score":
        """Read back what `to_json` gave."""
        measured = value["value"]
        return cls(
            value=math.nan if measured is None else float(measured),
            low=value.get("low"),
            high=value.get("high"),
            n=int(value["n"]),
            signature=str(value["signature"]),
        )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def signature(name: str, n: int, *, resamples: int, seed: int, **details: object) -> str:
    """Return a signature: metric, options, items, bootstrap, version.

    Args:
        name: the metric's name.
        n: number of items.
        resamples: number of bootstrap resamples, 0 for no interval.
        seed: seed of the bootstrap; left out without one.
        **details: options of the metric that change its value, in the order given.
    """
    parts = [name, *(f"{key}:{value}" for key, value in details.items()), f"n:{n}"]
    parts += [f"bootstrap:{resamples}", f"seed:{seed}"] if resamples else ["bootstrap:none"]
    return "|".join([*parts, f"v:{__version__}"])


def definition(signature: str) -> str:
    """Return the part of a signature that two scores must share to be compared.

    That is all but the items, the bootstrap and the versions, sacreBLEU's names for them included.
    """
    told = {"n", "bootstrap", "bs", "seed", "v", "version"}
    return "|".join(part for part in signature.split("|") if part.partition(":")[0] not in told)


def interval(samples: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Return the percentile interval of bootstrap samples; undefined samples are left out.

    Its ends are samples, the outer ones where the percentile falls between two: between a number
    and an infinite perplexity there is nothing to interpolate.
    """
    defined = np.sort(samples[~np.isnan(samples)])
    if not len(defined):
        return None, None
    outside = math.floor((1 - CONFIDENCE) / 2 * (len(defined) - 1))
    return float(defined[outside]), float(defined[-1 - outside])


def bootstrap(
    name: str,
    statistic: Statistic,
    n: int,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    **details: object,
) -> Score:
    """Return a statistic of `n` items with its percentile bootstrap interval.

    The same `n` and `seed` draw the same resamples, so that two systems measured on the same items
    can be compared resample by resample.

    Args:
        name: the metric's name, for the signature.
        statistic: from indices (resamples, n) to values (resamples,).
        n: number of items, at least 1.
        resamples: number of resamples; 0 gives a score without an interval.
        seed: seed of the draws.
        **details: options of the metric, for the signature.

    Raises:
        ValueError: there is no item.
    """
    if n < 1:
        raise ValueError(f"{name} needs at least one item.")
    value = float(statistic(np.arange(n, dtype=np.intp)[None, :])[0])
    low, high = None, None
    if resamples:
        generator = np.random.default_rng(seed)
        rows = max(1, _DRAWS_AT_ONCE // n)
        samples = [
            statistic(generator.integers(n, size=(min(rows, resamples - done), n), dtype=np.intp))
            for done in range(0, resamples, rows)
        ]
        low, high = interval(np.concatenate(samples))
    text = signature(name, n, resamples=resamples, seed=seed, **details)
    return Score(value=value, low=low, high=high, n=n, signature=text)


def bootstrap_mean(
    name: str,
    per_item: ArrayLike,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    **details: object,
) -> Score:
    """Return the mean of one value for each item, with its interval.

    Args:
        name: the metric's name, for the signature.
        per_item: values of shape (items,).
        resamples: number of resamples; 0 gives no interval.
        seed: seed of the draws.
        **details: options of the metric, for the signature.
    """
    values = np.asarray(per_item, dtype=np.float64)
    return bootstrap(
        name,
        lambda indices: values[indices].mean(axis=1),
        len(values),
        resamples=resamples,
        seed=seed,
        **details,
    )


def bootstrap_ratio(
    name: str,
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    transform: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
    **details: object,
) -> Score:
    """Return sum(numerators) / sum(denominators), resampled by item.

    For measures over tokens: the tokens of one text depend on each other, so that texts are what is
    resampled. A sum of zero below the line makes that value undefined (not a number).

    Args:
        name: the metric's name, for the signature.
        numerators: shape (items,), for instance the summed loss of each text.
        denominators: shape (items,), for instance the predicted tokens of each text.
        resamples: number of resamples; 0 gives no interval.
        seed: seed of the draws.
        transform: applied to the ratio, for instance the exponential.
        **details: options of the metric, for the signature.

    Raises:
        ValueError: the two have different lengths, or there is no item.
    """
    above = np.asarray(numerators, dtype=np.float64)
    below = np.asarray(denominators, dtype=np.float64)
    if above.shape != below.shape:
        raise ValueError(f"{name}: {above.shape} numerators but {below.shape} denominators.")

    def statistic(indices: NDArray[np.intp]) -> NDArray[np.float64]:
        tops, bottoms = above[indices].sum(axis=1), below[indices].sum(axis=1)
        ratios = np.divide(tops, bottoms, out=np.full(len(tops), np.nan), where=bottoms > 0)
        return ratios if transform is None else transform(ratios)

    return bootstrap(name, statistic, len(above), resamples=resamples, seed=seed, **details)
