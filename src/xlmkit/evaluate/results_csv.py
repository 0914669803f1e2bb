"""All scores of a run as one tidy table: a row for each value, for spreadsheets and data frames."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xlmkit.core.files import atomic_write
from xlmkit.evaluate.results import Results

COLUMNS = (
    *("model", "task", "language", "metric", "value", "low", "high", "n"),
    *("mean", "deviation", "seeds"),
)
"""The last three are over the seeds of an adaptation, where it was done with several."""

AVERAGE = "average"
"""Stands for the mean over the languages without labels, in place of a language."""


def write_csv(results: Results, path: Path) -> None:
    """Write every score of results.json, named as there.

    Args:
        results: the content of results.json.
        path: the table, UTF-8, with the heads of `COLUMNS`.

    Raises:
        UserError: the file cannot be written.
    """
    with atomic_write(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in _rows(results):
            writer.writerow(row + [None] * (len(COLUMNS) - len(row)))


def _rows(results: Results) -> Iterator[list[Any]]:
    for model, part in (results.get("models") or {}).items():
        for task, measured in (part.get("tasks") or {}).items():
            over = measured.get("seeds") or {}
            for row in _scores(model, task, measured.get("languages") or {}):
                yield row + _spread(over, (over.get("languages") or {}).get(row[2], {}), row[3])
            for metric, spread in (over.get("average") or {}).items():
                score = {"value": measured["average"].get(metric)}
                row = _row(model, task, AVERAGE, metric, score)
                yield row + _spread(over, {metric: spread}, metric)
        retrieval = part.get("retrieval") or {}
        for direction, score in (retrieval.get("directions") or {}).items():
            yield _row(model, "retrieval", direction, "accuracy", score)
        for objective, languages in (part.get("language_modelling") or {}).items():
            yield from _scores(model, objective, languages)
    for translator, part in (results.get("translators") or {}).items():
        for direction, found in (part.get("test") or {}).items():
            for metric, score in (found.get("scores") or {}).items():
                task = "summaries" if metric.startswith("rouge") else "translation"
                yield _row(translator, task, direction, metric, score)


def _scores(model: str, task: str, languages: Mapping[str, Any]) -> Iterator[list[Any]]:
    for language, found in languages.items():
        for metric, score in _named(found):
            yield _row(model, task, language, metric, score)


def _named(found: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Yield the scores of a language, those within its calibration too."""
    for name, value in found.items():
        if isinstance(value, Mapping) and "signature" in value:
            yield name, value
        elif isinstance(value, Mapping):
            yield from _named(value)


def _spread(
    over: Mapping[str, Any], spreads: Mapping[str, Mapping[str, Any]], metric: str
) -> list[Any]:
    """Return a metric's mean and deviation over seeds, and their number; nothing without them."""
    spread = spreads.get(metric)
    return [spread["mean"], spread["deviation"], len(over["seeds"])] if spread else []


def _row(model: str, task: str, language: str, metric: str, score: Mapping[str, Any]) -> list[Any]:
    return [model, task, language, metric, *(score.get(x) for x in ("value", "low", "high", "n"))]
