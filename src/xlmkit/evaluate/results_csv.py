"""All scores of a run as one tidy table: a row for each value, for spreadsheets and data frames."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xlmkit.core.files import atomic_write
from xlmkit.evaluate.results import Results

COLUMNS = ("model", "task", "language", "metric", "value", "low", "high", "n")


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
        writer.writerows(_rows(results))


def _rows(results: Results) -> Iterator[list[Any]]:
    for model, part in (results.get("models") or {}).items():
        for task, measured in (part.get("tasks") or {}).items():
            yield from _scores(model, task, measured.get("languages") or {})
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


def _row(model: str, task: str, language: str, metric: str, score: Mapping[str, Any]) -> list[Any]:
    return [model, task, language, metric, *(score.get(x) for x in ("value", "low", "high", "n"))]
