"""A task's scores over several seeds of its adaptation: their mean and standard deviation.

Finetuning moves with its seed, on small data by more than the models that are compared differ
(Dodge et al. 2020; Keung et al. 2020 for cross-lingual transfer), which an interval over test texts
does not show.
"""

from collections.abc import Iterable, Mapping
from statistics import fmean, stdev
from typing import Any

Spread = dict[str, Any]
"""`mean`, `deviation` (with n - 1) and the `values` of all seeds in their order; a value that is
undefined is None and counts in neither."""


def over_seeds(found: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the spread of every score, and of the average over the languages without labels.

    Args:
        found: a task's results by seed, as one seed has them in results.json.

    Returns:
        `seeds`, `languages` (code to metric to spread), `average` (metric to spread), and
        `own_selected` with both for the main metric, where each language chose its step as well;
        beside it `source_selected` with the average over the same languages.
    """
    parts = list(found.values())
    metrics, codes = parts[0]["metrics"], parts[0]["languages"]
    spreads: dict[str, Any] = {
        "seeds": list(found),
        "languages": {
            code: {m: spread(_value(one["languages"], code, m) for one in parts) for m in metrics}
            for code in codes
        },
        "average": {m: spread(one["average"].get(m) for one in parts) for m in metrics},
    }
    if all("source_selected" in one for one in parts):
        averages = [one["source_selected"]["average"] for one in parts]
        spreads["source_selected"] = {"average": {metrics[0]: spread(averages)}}
    if all("own_selected" in one for one in parts):
        own, main = [one["own_selected"] for one in parts], metrics[0]
        spreads["own_selected"] = {
            "languages": {
                code: {main: spread(_value(one["languages"], code, main) for one in own)}
                for code in own[0]["languages"]
            },
            "average": {main: spread(one["average"] for one in own)},
        }
    return spreads


def _value(languages: Mapping[str, Any], code: str, metric: str) -> float | None:
    found: float | None = languages.get(code, {}).get(metric, {}).get("value")
    return found


def spread(values: Iterable[float | None]) -> Spread:
    """Return mean and deviation of what is defined; the deviation of fewer than two is None."""
    listed = list(values)
    known = [value for value in listed if value is not None]
    return {
        "mean": fmean(known) if known else None,
        "deviation": stdev(known) if len(known) > 1 else None,
        "values": listed,
    }
