"""What a report says first of translators."""

import math
from collections.abc import Mapping
from typing import Any

from xlmkit.evaluate import formats
from xlmkit.evaluate.report_translators import arrow, title, translators
from xlmkit.evaluate.results import Results, best_of, score
from xlmkit.evaluate.translation_metrics import TITLES


def translation_headline(
    results: Results, sentences: list[str], figures: list[tuple[str, str]]
) -> list[str]:
    """Add what the best translator does; return a title for the report, none without any."""
    averages = {name: _average(part) for name, part in translators(results).items()}
    best = best_of(averages)
    if best is None:
        return []
    translator, metric = translators(results)[best], _metric(translators(results)[best])
    ways = list(translator["test"])
    value, called = f"{averages[best]:.1f}", TITLES.get(metric, metric)
    among = f"on average over {formats.words(len(ways))} directions"
    where = arrow(results, ways[0]) if len(ways) == 1 else among
    rank = f", the best of {formats.words(len(averages))}," if len(averages) > 1 else ""
    sentences.append(
        f"{title(results, best)}{rank} reaches {value} {called}{_interval(translator, metric)} "
        f"on {formats.count(_texts(translator))} held-out texts, {where}{_training(translator)}."
    )
    figures.append((value, f"{called}, {where}"))
    return [f"{called} {value}, {where}"]


def _metric(translator: Mapping[str, Any]) -> str:
    """Return the metric that comes first in every direction, nothing where there is none."""
    first = {next(iter(part.get("scores") or {}), "") for part in _tests(translator)}
    return first.pop() if len(first) == 1 else ""


def _average(translator: Mapping[str, Any]) -> float:
    """Return the mean of the first metric over the directions, not a number without one."""
    metric = _metric(translator)
    if not metric:
        return math.nan
    found = [score(part["scores"], metric) for part in _tests(translator)]
    return math.fsum(one.value if one else math.nan for one in found) / len(found)


def _tests(translator: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list((translator.get("test") or {}).values())


def _texts(translator: Mapping[str, Any]) -> int:
    return sum(int(part.get("n") or 0) for part in _tests(translator))


def _interval(translator: Mapping[str, Any], metric: str) -> str:
    """Return the interval of a single direction."""
    tests = _tests(translator)
    found = score(tests[0]["scores"], metric) if len(tests) == 1 else None
    if found is None or found.low is None or found.high is None or math.isnan(found.low):
        return ""
    return f" ({found.low:.1f}\N{EN DASH}{found.high:.1f})"


def _training(translator: Mapping[str, Any]) -> str:
    """Return how long it learned, as the end of a sentence."""
    if not (seconds := translator.get("seconds")):
        return ""
    size = translator.get("parameters")
    of = f" with {formats.large(size)} parameters" if size else ""
    return f", after {formats.duration(seconds)} of learning{of}"
