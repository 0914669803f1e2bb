"""How translators trained, in a report: what it took, and curves by minutes and by steps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from xlmkit.evaluate import formats
from xlmkit.evaluate.drawing import Axis
from xlmkit.evaluate.figures import Series, line_chart
from xlmkit.evaluate.report_figures import Panel
from xlmkit.evaluate.report_tables import Cell, Row, Table
from xlmkit.evaluate.report_translators import arrow, styles, title, translators
from xlmkit.evaluate.results import Results

_MINUTES, _STEPS = "minutes", "steps"
_WORTH_SHOWING = 0.1  # of the outputs: less copies at every measurement are those of any text


@dataclass(frozen=True, slots=True)
class Chart:
    """Panels on the same axes, one for each direction, and what they show."""

    note: str
    panels: list[Panel]


def translation_charts(results: Results) -> list[Chart]:
    """Return what was measured while training: BLEU, ROUGE, round trips, and copies if any."""
    made = [
        Chart("BLEU on validation sentences while training.", _panels(results, "bleu", _MINUTES)),
        Chart("The same by steps.", _panels(results, "bleu", _STEPS)),
        Chart(
            "ROUGE-L of summaries of validation texts while training.",
            _panels(results, "rouge", _MINUTES),
        ),
        Chart("The same by steps.", _panels(results, "rouge", _STEPS)),
        Chart(
            "Round-trip BLEU: of sentences that went there and back, copies counted as nothing.",
            _panels(results, "round_trip", _STEPS),
        ),
        Chart("Share of outputs that copy their source.", _panels(results, "copied", _STEPS)),
    ]
    return [chart for chart in made if chart.panels]


def training_table(results: Results) -> Table | None:
    """Return what each translator's training took; None without any."""
    rows = tuple(
        Row(
            label=title(results, name),
            cells=(
                _cell(one.get("parameters"), formats.large),
                _cell(one.get("steps"), formats.count),
                _cell(one.get("best_step"), formats.count),
                _cell(one.get("tokens"), formats.large),
                _cell(one.get("seconds"), formats.duration),
                _cell(one.get("tokens_per_second"), formats.count),
            ),
        )
        for name, one in translators(results).items()
    )
    heads = ("Parameters", "Steps", "Best step", "Tokens", "Time", "Tokens per second")
    return Table(corner="Translator", columns=heads, rows=rows) if rows else None


def _cell(value: float | None, written: Callable[[float], str]) -> Cell:
    return Cell(formats.MISSING if value is None else written(value))


_MEASURES = {
    "bleu": ("bleu", "bleu", 1.0, "BLEU"),
    "rouge": ("rouge", "rouge", 1.0, "ROUGE-L"),
    "round_trip": ("round_trip", "bleu", 1.0, "Round-trip BLEU"),
    "copied": ("health", "copied", 100.0, "Copies, %"),
}
"""Measure -> objective of its points, what they hold, its unit, and the title of the axis."""


def _panels(results: Results, measure: str, by: str) -> list[Panel]:
    """Return a panel for each direction that was measured, all on the same axes."""
    objective, key, unit, what = _MEASURES[measure]
    looks = styles(results)
    lines: dict[str, list[Series]] = {}
    for name, translator in translators(results).items():
        for direction, points in _measured(translator, objective, key, unit, by).items():
            series = Series("", title(results, name), points, looks[name])
            lines.setdefault(direction, []).append(series)
    every = [point for several in lines.values() for one in several for point in one.points]
    top = max((value for _, value in every), default=0.0)
    if not every or (measure == "copied" and top < 100 * _WORTH_SHOWING):
        return []
    x = Axis(by, 0.0, max(place for place, _ in every))
    y = Axis(what, 0.0, top * 1.05 or 1.0)
    return [
        Panel(
            arrow(results, direction),
            line_chart(series, x, y, title=f"{what} of {arrow(results, direction)} by {by}"),
        )
        for direction, series in lines.items()
    ]


def _measured(
    translator: Any,  # noqa: ANN401 - an object of results.json
    objective: str,
    key: str,
    unit: float,
    by: str,
) -> dict[str, list[tuple[float, float]]]:
    """Return the points of every direction: (minutes or steps, value)."""
    found: dict[str, list[tuple[float, float]]] = {}
    for point in translator.get("curve") or ():
        value = point.get(key)
        if point.get("objective") == objective and "-" in str(point.get("language")):
            if value is None:
                continue
            place = point["seconds"] / 60 if by == _MINUTES else float(point["step"])
            found.setdefault(point["language"], []).append((place, value * unit))
    return found
