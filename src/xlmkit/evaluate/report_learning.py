"""How every language's validation score moves while a task is learned, drawn from results.json."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xlmkit.evaluate.drawing import MUTED, Axis, Style
from xlmkit.evaluate.figures import Series, line_chart
from xlmkit.evaluate.report_curves import thinned, with_room
from xlmkit.evaluate.report_figures import Entry, Panel, language_styles
from xlmkit.evaluate.results import (
    Results,
    language_name,
    main_metric,
    metric_title,
    model_title,
    models_on,
    ordered_languages,
    sources_of,
)

_SELECTION = "selection"  # what points that choose the step have in place of an objective
_LINES = 12  # of a panel
_LABELLED = 3.2  # width of the lines of languages whose labels are learned
_AVERAGE = Style("var(--ink-text)", dash="6 3", width=2.2)

_Lines = Mapping[str, Sequence[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Learning:
    """Validation scores of a task by step.

    Attributes:
        panels: one for each model, on the same axes.
        legend: the languages that are drawn.
        some: whether there were too many languages to draw all of them.
    """

    panels: list[Panel]
    legend: list[Entry]
    some: bool


def learning_curves(results: Results, task: str) -> Learning | None:
    """Return validation scores by step, None where no step was validated.

    Of many languages the average, the lowest and the highest in the end, and those whose labels
    are learned are drawn. With several seeds the scores are those of the first.

    Args:
        results: the content of results.json.
        task: its name.
    """
    models = models_on(results, task)
    found = {key: lines for key, one in models.items() if (lines := _scores(one))}
    if not found:
        return None
    drawn = {key: _series(results, models[key], lines) for key, lines in found.items()}
    points = [point for series in drawn.values() for one in series for point in one.points]
    metric = metric_title(main_metric(models[next(iter(found))]))
    x = Axis("steps", 0.0, max(step for step, _ in points))
    y = Axis(f"{metric}, %", *with_room([value for _, value in points]))
    panels = []
    for key, series in drawn.items():
        title = model_title(results, key)
        drawing = line_chart(series, x, y, title=f"{metric} of {title} by language and step")
        panels.append(Panel(title, drawing, _kept(models[key])))
    some = any(len(lines) > _LINES for lines in found.values())
    return Learning(panels, _legend(results, list(drawn.values())), some)


def _scores(task: Mapping[str, Any]) -> dict[str, list[tuple[float, float]]]:
    """Return the points of each language: (step, score in percent)."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for point in task.get("curve") or ():
        value = point.get("value")
        if point.get("objective") == _SELECTION and value is not None and math.isfinite(value):
            lines.setdefault(point["language"], []).append((float(point["step"]), 100 * value))
    return lines


def _kept(task: Mapping[str, Any]) -> str:
    chosen = (task.get("source_selected") or {}).get("languages") or {}
    steps = {one["step"] for one in chosen.values()}
    return f"step {steps.pop()} is kept" if len(steps) == 1 else ""


def _series(results: Results, task: Mapping[str, Any], lines: _Lines) -> list[Series]:
    """Return the lines of a panel; those of the languages whose labels are learned lie on top."""
    codes = ordered_languages(results, set(lines))
    sources = [code for code in sources_of(results, task) if code in lines]
    others = [code for code in codes if code not in sources]
    average: list[Series] = []
    if len(codes) > _LINES:
        if not others:  # all languages have labels
            sources, others = [], codes
        name = "Average of the others" if sources else "Average"
        mean = _average([lines[code] for code in others])
        average = [Series("", name, thinned(mean), _AVERAGE)]
        others = _ends(others, lines)
        sources = sources[: _LINES - len(others) - len(average)]
    drawn = [_line(results, code, lines[code]) for code in others]
    wide = [_line(results, code, lines[code], labelled=True) for code in sources]
    return [*drawn, *average, *wide]


def _line(
    results: Results,
    code: str,
    points: Sequence[tuple[float, float]],
    *,
    labelled: bool = False,
) -> Series:
    name, look = language_name(results, code), language_styles(results).get(code, MUTED)
    if labelled:
        name, look = f"{name} (labels)", replace(look, width=_LABELLED)
    return Series(code, name, thinned(points), look, label=code)


def _average(lines: Sequence[Sequence[tuple[float, float]]]) -> list[tuple[float, float]]:
    """Return the mean at each step of the languages that have a score there."""
    values: dict[float, list[float]] = {}
    for line in lines:
        for step, value in line:
            values.setdefault(step, []).append(value)
    return [(step, math.fsum(values[step]) / len(values[step])) for step in sorted(values)]


def _ends(codes: Sequence[str], lines: _Lines) -> list[str]:
    """Return the languages that end highest and lowest."""
    last = {code: lines[code][-1][1] for code in codes}
    return list(dict.fromkeys([max(codes, key=last.__getitem__), min(codes, key=last.__getitem__)]))


def _legend(results: Results, panels: Sequence[Sequence[Series]]) -> list[Entry]:
    """Return what any panel shows, in the order of the languages, averages last."""
    entries = {one.key: Entry(one.key, one.name, one.style) for series in panels for one in series}
    codes = ordered_languages(results, entries.keys() - {""})
    return [entries[code] for code in [*codes, ""] if code in entries]
