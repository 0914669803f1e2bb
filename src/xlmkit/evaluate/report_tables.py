"""The tables that compare models, made once for the page and the terminal."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xlmkit.evaluate import formats
from xlmkit.evaluate.results import (
    Results,
    averaged_of,
    gap,
    language_name,
    metric_title,
    model_titles,
    models_on,
    models_with,
    ordered_languages,
    others_of,
    retrieval_average,
    score,
    sources_of,
    task_metrics,
    transfer_average,
)
from xlmkit.evaluate.score import Score

GAP = "Gap"
"""Head of the columns that say how far a language lies from that of the labels."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a table, what stands small below it, and whether it is the best of its row."""

    text: str
    detail: str = ""
    best: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its label, its cells, its language (for highlighting), and "source" or "summary"."""

    label: str
    cells: tuple[Cell, ...]
    key: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        corner: head of the column of labels.
        columns: heads of the other columns.
        rows: the rows, each with one cell for each column.
        groups: (head, columns below it) over the columns; empty for none.
        text_columns: columns of words and not of numbers.
    """

    corner: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    groups: tuple[tuple[str, int], ...] = ()
    text_columns: frozenset[int] = frozenset()

    def by_measure(self) -> tuple[tuple[str, "Table"], ...]:
        """Return a grouped table as one for each measure, its columns being the groups."""
        if not self.groups:
            return (("", self),)
        heads, size = tuple(head for head, _ in self.groups), self.groups[0][1]
        return tuple(
            (
                self.columns[i],
                Table(
                    corner=self.corner,
                    columns=heads,
                    rows=tuple(replace(row, cells=row.cells[i::size]) for row in self.rows),
                ),
            )
            for i in range(size)
        )


@dataclass(frozen=True, slots=True)
class Measure:
    """One column below every model.

    Attributes:
        name: head of the column.
        get: from (model, row) to a value, with or without an interval, or None.
        show: from a value to its text.
        better: +1 where more is better, -1 where less is, 0 where neither is.
        deviation: from (model, row) to the standard deviation of the value, where it is a mean.
        always: whether the column stays where no model has a value in it.
    """

    name: str
    get: Callable[[str, str], Score | float | None]
    show: Callable[[float], str] = formats.hundredths
    better: int = 1
    deviation: Callable[[str, str], float | None] | None = None
    always: bool = False


def comparison(
    corner: str,
    models: Mapping[str, str],
    rows: Sequence[tuple[str, str, str]],
    measures: Sequence[Measure],
) -> Table:
    """Return a table of models side by side, the best value of each row and measure marked.

    Args:
        corner: head of the column of labels.
        models: their titles by key.
        rows: (key, label, kind), see `Row`.
        measures: what is shown of each model; those that no model has anywhere are left out,
            unless they always stand.
    """
    found = {
        (measure.name, row[0], model): _known(measure.get(model, row[0]))
        for measure in measures
        for row in rows
        for model in models
    }
    used = [
        m for m in measures if m.always or any(v for (n, *_), v in found.items() if n == m.name)
    ]
    made = []
    for key, label, kind in rows:
        best = {
            m.name: _best_text(m, [found[m.name, key, model] for model in models]) for m in used
        }
        cells = tuple(
            _cell(measure, found[measure.name, key, model], best[measure.name], (model, key))
            for model in models
            for measure in used
        )
        made.append(Row(label=label, cells=cells, key=key, kind=kind))
    groups = tuple((title, len(used)) for title in models.values()) if len(used) > 1 else ()
    names = tuple(m.name for _ in models for m in used) if groups else tuple(models.values())
    return Table(corner=corner, columns=names, rows=tuple(made), groups=groups)


def _known(value: Score | float | None) -> Score | None:
    """Return a value as a score, None where it is missing or undefined."""
    if isinstance(value, int | float):
        value = Score(value=float(value), low=None, high=None, n=0, signature="")
    return value if value is not None and math.isfinite(value.value) else None


def _best_text(measure: Measure, values: Sequence[Score | None]) -> str | None:
    """Return the text of the best value, None where there is nothing to compare.

    Values that read the same share the mark: more digits than are shown decide nothing.
    """
    known = [one.value for one in values if one is not None]
    texts = {measure.show(value) for value in known}
    if not measure.better or len(texts) < 2:
        return None
    return measure.show(max(known) if measure.better > 0 else min(known))


def _cell(measure: Measure, value: Score | None, best: str | None, place: tuple[str, str]) -> Cell:
    if value is None:
        return Cell(formats.MISSING)
    detail = ""
    if value.low is not None and value.high is not None:
        detail = f"{measure.show(value.low)}\N{EN DASH}{measure.show(value.high)}"
    deviation = measure.deviation(*place) if measure.deviation else None
    if deviation is not None:
        detail = f"{formats.PLUS_MINUS} {measure.show(deviation)}"
    text = measure.show(value.value)
    return Cell(text, detail, text == best)


def transfer_table(results: Results, task: str) -> Table:
    """Return a task's metrics, and the gap to the source language, by language and model."""
    models = models_on(results, task)
    first = next(iter(models.values()))
    languages = ordered_languages(results, {x for one in models.values() for x in one["languages"]})
    sources = [code for code in sources_of(results, first) if code in languages]
    rows = [(x, f"{language_name(results, x)} (labels)", "source") for x in sources]
    rows += [(x, language_name(results, x), "") for x in languages if x not in sources]
    if any(others_of(results, one) for one in models.values()):
        name = "Average of the others" if sources else "Average"
        if any(averaged_of(results, x) != others_of(results, x) for x in models.values()):
            name += ", where there is a value"
        rows.append(("", name, "summary"))

    def measured(metric: str) -> Callable[[str, str], Score | float | None]:
        def get(model: str, language: str) -> Score | float | None:
            if not language:
                return transfer_average(results, models[model], metric)
            return score(models[model]["languages"].get(language), metric)

        return get

    metrics = task_metrics(first)

    def to_source(model: str, language: str) -> float | None:
        return gap(results, models[model], metrics[0], language)

    measures = [
        Measure(metric_title(metrics[0]), measured(metrics[0]), always=True),
        Measure(GAP, to_source, show=formats.points, better=0),
        *(Measure(metric_title(name), measured(name)) for name in metrics[1:]),
    ]
    return comparison("Language", model_titles(results, models), rows, measures)


def retrieval_table(
    results: Results, parts: Mapping[str, Mapping[str, Any]] | None = None
) -> Table:
    """Return retrieval accuracy by language and model, in both directions.

    Args:
        results: the content of results.json.
        parts: what was measured, by model; by default on the corpus.
    """
    if parts is None:
        models = models_with(results, "retrieval")
        parts = {key: model["retrieval"] for key, model in models.items()}
    pivot = str(next(iter(parts.values())).get("pivot") or results.get("source_language") or "")
    languages = ordered_languages(
        results, {x for one in parts.values() for x in retrieval_languages(one, pivot)}
    )
    rows = [(x, language_name(results, x), "") for x in languages]
    rows.append(("", "Average", "summary"))

    def direction(pattern: str) -> Callable[[str, str], Score | float | None]:
        def get(model: str, language: str) -> Score | float | None:
            ends = parts[model].get("directions") or {}
            if language:
                return score(ends, pattern.format(language))
            found = [score(ends, pattern.format(x)) for x in languages]
            values = [one.value for one in found if one is not None]
            return sum(values) / len(values) if values else None

        return get

    def both(model: str, language: str) -> float | None:
        return None if language else retrieval_average(parts[model])

    name = language_name(results, pivot)
    measures = [
        Measure(f"To {name}", direction(f"{{}}-{pivot}")),
        Measure(f"From {name}", direction(f"{pivot}-{{}}")),
    ]
    if not languages:
        measures = [Measure("Accuracy", both)]
    return comparison("Language", model_titles(results, parts), rows, measures)


def retrieval_languages(retrieval: Mapping[str, Any], pivot: str) -> list[str]:
    """Return the languages that a model's retrieval was measured in, against the pivot."""
    found: dict[str, None] = {}
    for key in retrieval.get("directions") or ():
        if key.endswith(f"-{pivot}"):
            found[key.removesuffix(f"-{pivot}")] = None
        elif key.startswith(f"{pivot}-"):
            found[key.removeprefix(f"{pivot}-")] = None
    return list(found)


def language_model_tables(results: Results) -> dict[str, Table]:
    """Return perplexity and accuracy of predicted tokens by language and model, by objective."""
    models = models_with(results, "language_modelling")
    objectives = dict.fromkeys(x for m in models.values() for x in m["language_modelling"])
    tables = {}
    for objective in objectives:
        parts = {
            key: model["language_modelling"][objective]
            for key, model in models.items()
            if model["language_modelling"].get(objective)
        }
        codes = ordered_languages(results, {x for part in parts.values() for x in part})
        if not codes:
            continue
        tables[objective] = comparison(
            "Language",
            model_titles(results, parts),
            [(x, language_name(results, x), "") for x in codes],
            [
                Measure("Perplexity", _measured(parts, "perplexity"), formats.number, better=-1),
                Measure("Accuracy", _measured(parts, "accuracy")),
            ],
        )
    return tables


def _measured(
    parts: Mapping[str, Mapping[str, Any]], metric: str
) -> Callable[[str, str], Score | float | None]:
    return lambda model, language: score(parts[model].get(language), metric)
