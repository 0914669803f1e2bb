"""Translation in a report: scores, curves, examples, and what the outputs look like.

It reads `results["translators"]`, and shows nothing where that is missing. Every part may be
missing; what is in them, `xlmkit.evaluate.report_translators` says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xlmkit.core.tables import table
from xlmkit.evaluate import formats
from xlmkit.evaluate.report_figures import Entry, shortened
from xlmkit.evaluate.report_tables import Cell, Measure, Row, Table, comparison
from xlmkit.evaluate.report_translation_curves import Chart, training_table, translation_charts
from xlmkit.evaluate.report_translators import arrow, directions, named, styles, title, translators
from xlmkit.evaluate.results import Results, score, split_pair
from xlmkit.evaluate.score import Score
from xlmkit.evaluate.translation_diagnosis import Finding, together
from xlmkit.evaluate.translation_metrics import LESS_IS_BETTER, TITLES

_EXAMPLES = 3
_EXAMPLE_LENGTH = 240


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

    title: str
    table: Table | None
    training: Table | None
    legend: list[Entry]
    charts: list[Chart]
    warnings: list[str]
    health: Table | None
    examples: list[Examples]
    signatures: list[str]


def translation_section(results: Results) -> TranslationSection | None:
    """Return what the page shows of translation, None where nothing was translated."""
    charts = translation_charts(results)
    if not charts and not any(directions(results)):
        return None
    looks = styles(results)
    shown = [Entry("", title(results, name), looks[name]) for name in translators(results)]
    return TranslationSection(
        title=_heading(results),
        table=translation_table(results),
        training=training_table(results),
        legend=shown if charts and len(shown) > 1 else [],
        charts=charts,
        warnings=translation_warnings(results),
        health=health_table(results),
        examples=translation_examples(results),
        signatures=sorted(
            {
                one["signature"]
                for _, _, part in directions(results)
                for one in (part.get("scores") or {}).values()
            }
        ),
    )


def _heading(results: Results) -> str:
    """Return what the outputs are: translations, summaries, or both."""
    metrics = {name for *_, part in directions(results) for name in part.get("scores") or ()}
    summaries = {name for name in metrics if name.startswith("rouge")}
    if not summaries:
        return "Translation"
    return "Translation and summaries" if metrics - summaries else "Summaries"


def _points(value: float) -> str:
    return f"{value:.1f}"


def translation_table(results: Results) -> Table | None:
    """Return every metric by direction and model, with intervals; None without scores."""
    parts = {(model, direction): part for model, direction, part in directions(results)}
    metrics = dict.fromkeys(name for part in parts.values() for name in part.get("scores") or ())
    if not metrics:
        return None
    rows = dict.fromkeys(direction for _, direction in parts)

    def measure(name: str) -> Measure:
        def get(model: str, direction: str) -> Score | None:
            return score(parts.get((model, direction), {}).get("scores"), name)

        called, better = TITLES.get(name, name), -1 if name in LESS_IS_BETTER else 1
        return Measure(called, get, _points, better)

    return comparison(
        "Direction",
        {model: title(results, model) for model in translators(results)},
        [(direction, arrow(results, direction), "") for direction in rows],
        [measure(name) for name in metrics],
    )


def translation_warnings(results: Results) -> list[str]:
    """Return what the diagnoses say, a sentence for each kind, with the model where needed."""
    several = len(translators(results)) > 1
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for model, _, part in directions(results):
        parts.setdefault(model, []).append(part)
    told = []
    for model, of_model in parts.items():
        found = [Finding(**one) for part in of_model for one in part.get("findings") or ()]
        whole = [s for p in of_model if "findings" not in p for s in p.get("diagnosis") or ()]
        begin = f"{title(results, model)}: " if several else ""
        told += [f"{begin}{sentence}" for sentence in (*together(found), *whole)]
    return told


def health_table(results: Results) -> Table | None:
    """Return what the outputs look like by model and direction; None where no one looked."""
    rows = [
        Row(label=named(results, model, direction), cells=_health_cells(part["health"]))
        for model, direction, part in directions(results)
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
    for model, direction, part in directions(results):
        source, target = split_pair(results, direction)
        sentences = [
            Translated(*(_short(one.get(key)) for key in ("source", "output", "reference")))
            for one in (part.get("examples") or ())[:_EXAMPLES]
        ]
        if sentences:
            found.append(Examples(named(results, model, direction), source, target, sentences))
    return found


def _short(text: str | None) -> str:
    return shortened(text or "", _EXAMPLE_LENGTH)


def print_translation(results: Results) -> None:
    """Print the scores, and what is wrong with which direction."""
    rows = [
        [named(results, model, direction), TITLES.get(name, name), _points(one.value), _ends(one)]
        for model, direction, part in directions(results)
        for name in part.get("scores") or ()
        if (one := score(part["scores"], name)) is not None
    ]
    warnings = translation_warnings(results)
    if rows:
        table(_heading(results), ["Direction", "Metric", "Score", "95% interval"], rows)
    if warnings:
        table("What to look at in what was written", ["Finding"], [[text] for text in warnings])


def _ends(one: Score) -> str:
    """Return the interval of a score, empty for none."""
    if one.low is None or one.high is None:
        return ""
    return f"{_points(one.low)}\N{EN DASH}{_points(one.high)}"
