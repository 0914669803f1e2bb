"""All scores of a run as one tidy table: a row for each value, for spreadsheets and data frames."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xlmkit.core.files import atomic_write
from xlmkit.evaluate.comparable import SUMMARIES, TRANSLATION
from xlmkit.evaluate.results import (
    Results,
    gaps,
    main_metric,
    retrieval_average,
    task_metrics,
    transfer_average,
)

COLUMNS = (
    *("model", "task", "language", "metric", "value", "low", "high", "n", "gap"),
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
            yield from _task(results, model, task, measured)
        named = (part.get("retrievals") or {}).items()
        sets = {"retrieval": part.get("retrieval") or {}}
        sets |= {f"retrievals.{name}": found for name, found in named}
        for task, found in sets.items():
            yield from _directions(model, task, found, "accuracy")
            yield from _directions(model, task, found.get("margin") or {}, "accuracy by margin")
        for name, found in (part.get("lexicons") or {}).items():
            yield from _lexicon(model, f"lexicons.{name}", found)
        for name, found in (part.get("minings") or {}).items():
            yield from _mining(model, f"minings.{name}", found)
        for objective, languages in (part.get("language_modelling") or {}).items():
            yield from _scores(model, objective, languages)
    for translator, part in (results.get("translators") or {}).items():
        for direction, found in (part.get("test") or {}).items():
            for metric, score in (found.get("scores") or {}).items():
                task = SUMMARIES if metric.startswith("rouge") else TRANSLATION
                yield _row(translator, task, direction, metric, score)


def _task(
    results: Results, model: str, task: str, measured: Mapping[str, Any]
) -> Iterator[list[Any]]:
    """Yield a task's scores by language, their averages, and those by each language's own step."""
    over = measured.get("seeds") or {}
    spreads, below = over.get("languages") or {}, gaps(results, measured)
    for row in _scores(model, task, measured.get("languages") or {}):
        row[-1] = below.get(row[3], {}).get(row[2])
        yield row + _spread(over, spreads.get(row[2], {}), row[3])
    if not measured.get("languages"):
        return
    for metric in task_metrics(measured):
        value = transfer_average(results, measured, metric)
        if math.isfinite(value):
            row = _row(model, task, AVERAGE, metric, {"value": value})
            row[-1] = below[metric].get(AVERAGE)
            yield row + _spread(over, over.get("average") or {}, metric)
    yield from _by_step(model, task, measured, over)


def _by_step(
    model: str, task: str, measured: Mapping[str, Any], over: Mapping[str, Any]
) -> Iterator[list[Any]]:
    """Yield the scores by each language's own step, and the average by the source's beside them.

    Both averages are over the same languages; that of all without labels is the task's.
    """
    metric = main_metric(measured)
    if source := measured.get("source_selected"):
        row = _row(model, task, AVERAGE, f"{metric} by source step", {"value": source["average"]})
        spreads = (over.get("source_selected") or {}).get("average") or {}
        yield row + _spread(over, spreads, metric)
    own, spread = measured.get("own_selected"), over.get("own_selected") or {}
    if own:
        named = f"{metric} by own step"
        for language, found in own["languages"].items():
            where = (spread.get("languages") or {}).get(language, {})
            yield _row(model, task, language, named, found[metric]) + _spread(over, where, metric)
        row = _row(model, task, AVERAGE, named, {"value": own["average"]})
        yield row + _spread(over, spread.get("average") or {}, metric)


def _directions(
    model: str, task: str, found: Mapping[str, Any], metric: str
) -> Iterator[list[Any]]:
    for direction, score in (found.get("directions") or {}).items():
        yield _row(model, task, direction, metric, score)
    if found.get("directions"):
        yield _row(model, task, AVERAGE, metric, {"value": retrieval_average(found)})


def _mining(model: str, task: str, found: Mapping[str, Any]) -> Iterator[list[Any]]:
    yield from _scores(model, task, found["directions"])
    for metric, value in found["average"].items():
        yield _row(model, task, AVERAGE, metric, {"value": value})


def _lexicon(model: str, task: str, found: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Yield precision by kind of vectors, measure of nearness and number of candidates seen."""
    for direction, kinds in found["directions"].items():
        for metric, score in _precisions(kinds):
            yield _row(model, task, direction, metric, score)
    for metric, value in _precisions(found["average"]):
        yield _row(model, task, AVERAGE, metric, {"value": value})


def _precisions(kinds: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for kind in ("static", "contextual"):
        for measure, at in kinds[kind].items():
            for k, value in at.items():
                yield f"{kind} precision@{k} by {measure}", value


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
    """Return a row without a gap, which only tasks have."""
    values = (score.get(x) for x in ("value", "low", "high", "n"))
    return [model, task, language, metric, *values, None]
