"""Translation in a report: scores, BLEU against time, examples, and what the outputs look like.

It reads `results["translation"]`, and shows nothing where that is missing:

    {MODEL: {DIRECTION: {
        "scores": {METRIC: score},          # `Score.to_json`, by names of `translation_metrics`
        "curve": [{"seconds", "bleu"}],     # of the validation during training
        "examples": [{"source", "output", "reference"}],
        "health": {...},                    # `Health.to_json`
        "diagnosis": [sentence],            # of `translation_diagnosis`
    }}}

MODEL is a key of `results["models"]` or a name; DIRECTION is "en-de". Every part may be missing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from xlmkit.core.tables import table
from xlmkit.evaluate import formats
from xlmkit.evaluate.drawing import Axis, Style, style
from xlmkit.evaluate.figures import Series, line_chart
from xlmkit.evaluate.report_figures import Entry, Panel, model_styles, shortened
from xlmkit.evaluate.report_tables import Cell, Measure, Row, Table, comparison
from xlmkit.evaluate.results import Results, language_name, score, split_pair
from xlmkit.evaluate.score import Score
from xlmkit.evaluate.translation_metrics import LESS_IS_BETTER, TITLES

_EXAMPLES = 3
_EXAMPLE_LENGTH = 240

Direction = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Translated:
    """A sentence, its translation and, where there is one, a human's."""

    source: str
    output: str
    reference: str


@dataclass(frozen=True, slots=True)
class Examples:
    """Sentences that one model translated in one direction, with the codes of both languages."""

    title: str
    source: str
    target: str
    sentences: list[Translated]


@dataclass(frozen=True, slots=True)
class TranslationSection:
    """What a page shows of translation."""

    table: Table | None
    legend: list[Entry]
    panels: list[Panel]
    warnings: list[str]
    health: Table | None
    examples: list[Examples]
    signatures: list[str]


def translation_section(results: Results) -> TranslationSection | None:
    """Return what the page shows of translation, None where nothing was translated."""
    if not any(_directions(results)):
        return None
    panels = translation_panels(results)
    styles = _styles(results)
    shown = [Entry("", _title(results, model), styles[model]) for model in _models(results)]
    return TranslationSection(
        table=translation_table(results),
        legend=shown if panels and len(shown) > 1 else [],
        panels=panels,
        warnings=translation_warnings(results),
        health=health_table(results),
        examples=translation_examples(results),
        signatures=sorted(
            {
                one["signature"]
                for _, _, part in _directions(results)
                for one in (part.get("scores") or {}).values()
            }
        ),
    )


def _models(results: Results) -> Mapping[str, Mapping[str, Direction]]:
    models: Mapping[str, Mapping[str, Direction]] = results.get("translation") or {}
    return models


def _directions(results: Results) -> Iterator[tuple[str, str, Direction]]:
    """Yield (model, direction, what was found)."""
    for model, directions in _models(results).items():
        for direction, part in directions.items():
            yield model, direction, part


def _title(results: Results, model: str) -> str:
    return str(((results.get("models") or {}).get(model) or {}).get("title") or model)


def _arrow(results: Results, direction: str) -> str:
    """Return "English \N{RIGHTWARDS ARROW} German" for "en-de"."""
    names = [language_name(results, code) for code in split_pair(results, direction) if code]
    return " \N{RIGHTWARDS ARROW} ".join(names)


def _named(results: Results, model: str, direction: str) -> str:
    """Return a direction, with the model where there are several."""
    arrow = _arrow(results, direction)
    return f"{_title(results, model)}: {arrow}" if len(_models(results)) > 1 else arrow


def _styles(results: Results) -> dict[str, Style]:
    known = model_styles(results)
    return {key: known.get(key) or style(number) for number, key in enumerate(_models(results))}


def _points(value: float) -> str:
    return f"{value:.1f}"


def translation_table(results: Results) -> Table | None:
    """Return every metric by direction and model, with intervals; None without scores."""
    parts = {(model, direction): part for model, direction, part in _directions(results)}
    metrics = dict.fromkeys(name for part in parts.values() for name in part.get("scores") or ())
    if not metrics:
        return None
    rows = dict.fromkeys(direction for _, direction in parts)

    def measure(name: str) -> Measure:
        def get(model: str, direction: str) -> Score | None:
            return score(parts.get((model, direction), {}).get("scores"), name)

        title, better = TITLES.get(name, name), -1 if name in LESS_IS_BETTER else 1
        return Measure(title, get, _points, better)

    return comparison(
        "Direction",
        {model: _title(results, model) for model in _models(results)},
        [(direction, _arrow(results, direction), "") for direction in rows],
        [measure(name) for name in metrics],
    )


def translation_panels(results: Results) -> list[Panel]:
    """Return a chart of BLEU against minutes for each direction, all on the same axes."""
    styles = _styles(results)
    lines: dict[str, list[Series]] = {}
    for model, direction, part in _directions(results):
        points = [
            (point["seconds"] / 60, point["bleu"])
            for point in part.get("curve") or ()
            if point.get("bleu") is not None
        ]
        if points:
            name = _title(results, model)
            lines.setdefault(direction, []).append(Series("", name, points, styles[model]))
    every = [point for series in lines.values() for one in series for point in one.points]
    if not every:
        return []
    x = Axis("minutes", 0.0, max(point[0] for point in every))
    y = Axis("BLEU", 0.0, max(point[1] for point in every) * 1.05)
    return [
        Panel(
            _arrow(results, direction),
            line_chart(series, x, y, title=f"BLEU of {_arrow(results, direction)} by minutes"),
        )
        for direction, series in lines.items()
    ]


def translation_warnings(results: Results) -> list[str]:
    """Return what the diagnoses say, with the model where there are several."""
    several = len(_models(results)) > 1
    return [
        f"{_title(results, model)}: {sentence}" if several else sentence
        for model, _, part in _directions(results)
        for sentence in part.get("diagnosis") or ()
    ]


def health_table(results: Results) -> Table | None:
    """Return what the outputs look like by model and direction; None where no one looked."""
    rows = [
        Row(label=_named(results, model, direction), cells=_health_cells(part["health"]))
        for model, direction, part in _directions(results)
        if part.get("health")
    ]
    heads = (
        *("Sentences", "Copies, %", "Overlap, %", "Language, %"),
        *("Length", "Empty, %", "Repeating, %", "Different, %"),
    )
    return Table(corner="Direction", columns=heads, rows=tuple(rows)) if rows else None


def _health_cells(health: Mapping[str, Any]) -> tuple[Cell, ...]:
    def share(key: str) -> Cell:
        value = health.get(key)
        return Cell(formats.MISSING if value is None else formats.hundredths(value))

    return (
        Cell(formats.count(health["n"])),
        *(share(key) for key in ("copied", "overlap", "in_language")),
        Cell(f"{health['length_ratio']:.2f}"),
        *(share(key) for key in ("empty", "repeated", "distinct")),
    )


def translation_examples(results: Results) -> list[Examples]:
    """Return a few translations of each model and direction."""
    found = []
    for model, direction, part in _directions(results):
        source, target = split_pair(results, direction)
        sentences = [
            Translated(*(_short(one.get(key)) for key in ("source", "output", "reference")))
            for one in (part.get("examples") or ())[:_EXAMPLES]
        ]
        if sentences:
            found.append(Examples(_named(results, model, direction), source, target, sentences))
    return found


def _short(text: str | None) -> str:
    return shortened(text or "", _EXAMPLE_LENGTH)


def print_translation(results: Results) -> None:
    """Print the scores, and what is wrong with which direction."""
    rows = [
        [_named(results, model, direction), TITLES.get(name, name), _points(one.value), _ends(one)]
        for model, direction, part in _directions(results)
        for name in part.get("scores") or ()
        if (one := score(part["scores"], name)) is not None
    ]
    warnings = translation_warnings(results)
    if rows:
        table("Translation", ["Direction", "Metric", "Score", "95% interval"], rows)
    if warnings:
        table("What to look at in the translations", ["Finding"], [[text] for text in warnings])


def _ends(one: Score) -> str:
    """Return the interval of a score, empty for none."""
    if one.low is None or one.high is None:
        return ""
    return f"{_points(one.low)}\N{EN DASH}{_points(one.high)}"
