"""The bars, maps and legends of a report, drawn from results.json."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xlmkit.evaluate.drawing import MUTED, Style, style
from xlmkit.evaluate.figures import Bar, Point, bar_chart, scatter_plot
from xlmkit.evaluate.report_tables import retrieval_languages
from xlmkit.evaluate.results import (
    Results,
    best_of,
    is_pretrained,
    language_name,
    main_metric,
    metric_title,
    model_title,
    models_on,
    models_with,
    ordered_languages,
    retrieval_average,
    score,
)
from xlmkit.evaluate.score import Score

_MESSAGES_OF_A_MAP = 60
_MAPS = 3
_TEXT_LENGTH = 160


@dataclass(frozen=True, slots=True)
class Panel:
    """A figure with its title, and what stands small behind that."""

    title: str
    svg: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a legend; `key` is what a press of it brings out."""

    key: str
    name: str
    style: Style


def language_styles(results: Results) -> dict[str, Style]:
    """Return the look of each language, the same throughout the report."""
    return {code: style(i) for i, code in enumerate(results.get("languages") or ())}


def model_styles(results: Results) -> dict[str, Style]:
    """Return the look of each model: one without pretraining stands back in grey."""
    styles, number = {}, 0
    for key, model in (results.get("models") or {}).items():
        if is_pretrained(model):
            styles[key], number = style(number), number + 1
        else:
            styles[key] = replace(MUTED, width=1.8)
    return styles


def model_legend(results: Results, keys: Sequence[str] | Mapping[str, Any]) -> list[Entry]:
    """Return the legend of these models."""
    styles = model_styles(results)
    return [Entry("", model_title(results, key), styles[key]) for key in keys]


def transfer_bars(results: Results, task: str) -> str:
    """Return bars of a task's main metric by language and model."""
    models, styles = models_on(results, task), model_styles(results)
    metric = main_metric(next(iter(models.values())))
    found = {code for one in models.values() for code in one["languages"]}
    groups = []
    for code in ordered_languages(results, found):
        bars = [
            _bar(results, key, score(one["languages"].get(code), metric), styles)
            for key, one in models.items()
        ]
        groups.append((language_name(results, code), [bar for bar in bars if bar is not None]))
    title = f"{metric_title(metric)} on {task} by language and model"
    return bar_chart(groups, title=title)


def retrieval_bars(results: Results) -> str:
    """Return bars of retrieval accuracy, asked in each language for the text of the pivot."""
    models, styles = models_with(results, "retrieval"), model_styles(results)
    parts = {key: model["retrieval"] for key, model in models.items()}
    pivot = str(next(iter(parts.values())).get("pivot") or results.get("source_language") or "")
    found = {code for part in parts.values() for code in retrieval_languages(part, pivot)}
    groups = []
    for code in ordered_languages(results, found):
        bars = [
            _bar(results, key, score(part.get("directions"), f"{code}-{pivot}"), styles)
            for key, part in parts.items()
        ]
        groups.append((language_name(results, code), [bar for bar in bars if bar is not None]))
    groups = [group for group in groups if group[1]]
    title = f"Retrieval accuracy to {language_name(results, pivot)} by language and model"
    return bar_chart(groups, title=title) if groups else ""


def _bar(
    results: Results, key: str, value: Score | None, styles: Mapping[str, Style]
) -> Bar | None:
    if value is None:
        return None
    return Bar(model_title(results, key), value.value, value.low, value.high, styles[key])


def map_panels(results: Results) -> list[Panel]:
    """Return maps of the shared space: the first model's and those of the best at retrieval."""
    maps = {
        key: model["retrieval"]
        for key, model in models_with(results, "retrieval").items()
        if model["retrieval"].get("map")
    }
    averages = {key: retrieval_average(part) for key, part in maps.items()}
    keys = list(maps)[:1]
    while len(keys) < min(_MAPS, len(maps)):
        rest = {key: averages[key] for key in maps if key not in keys}
        keys.append(best_of(rest) or next(iter(rest)))
    names = {code: language_name(results, code) for code in results.get("languages") or ()}
    return [
        Panel(
            model_title(results, key),
            scatter_plot(
                _map_points(maps[key]["map"]),
                language_styles(results),
                names,
                title=f"Translations in the space of {model_title(results, key)}",
            ),
        )
        for key in maps
        if key in keys
    ]


def _map_points(points: Sequence[Mapping[str, Any]]) -> list[Point]:
    """Return the points of at most 60 messages, taken evenly."""
    kept = set(_even(list(dict.fromkeys(p["group"] for p in points))))
    return [
        Point(p["x"], p["y"], str(p["language"]), p["group"], shortened(str(p.get("text", ""))))
        for p in points
        if p["group"] in kept
    ]


def _even(groups: list[int]) -> list[int]:
    return groups[:: max(1, math.ceil(len(groups) / _MESSAGES_OF_A_MAP))]


def shortened(text: str, length: int = _TEXT_LENGTH) -> str:
    """Return a text of at most `length` characters, with an ellipsis where it was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def language_legend(results: Results, codes: Sequence[str]) -> list[Entry]:
    """Return the legend of these languages."""
    styles = language_styles(results)
    known = [code for code in results.get("languages") or () if code in set(codes)]
    return [Entry(code, language_name(results, code), styles[code]) for code in known]


def map_languages(results: Results) -> list[str]:
    """Return the languages that the maps show."""
    return [
        str(point["language"])
        for model in models_with(results, "retrieval").values()
        for point in model["retrieval"].get("map") or ()
    ]


def map_messages(results: Results) -> int:
    """Return how many messages the maps show."""
    found = {
        point["group"]
        for model in models_with(results, "retrieval").values()
        for point in model["retrieval"].get("map") or ()
    }
    return len(_even(list(found)))
