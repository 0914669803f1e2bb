"""How a classifier errs: which classes it takes for which, and whether it knows when it may err."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.evaluate import formats
from xlmkit.evaluate.calibration import Calibration
from xlmkit.evaluate.drawing import MUTED, Axis, Style
from xlmkit.evaluate.figures import Series, line_chart
from xlmkit.evaluate.heat_map import MAXIMUM_CLASSES, grouped, heat_map, most_frequent
from xlmkit.evaluate.report_figures import Panel, language_styles
from xlmkit.evaluate.report_tables import Measure, Table, comparison
from xlmkit.evaluate.results import (
    Results,
    language_name,
    model_title,
    models_on,
    ordered_languages,
    source_of,
)
from xlmkit.evaluate.score import Score

_LANGUAGES = 12  # whose confusions are drawn
_MODELS = 3  # whose curves are drawn
_FEWEST = 10  # answers of a bin that is drawn
_LABELS = 5  # named of those that are left out
_DIAGONAL = Style(color="var(--muted)", dash="2 3", width=1.0)


def confusion_panels(results: Results, task: Mapping[str, Any]) -> list[Panel]:
    """Return a confusion matrix of each language.

    Of very many classes the most frequent are drawn; of very many languages the source and those
    with the most mistakes. All numbers are in results.json.

    Args:
        results: the content of results.json.
        task: one model's part of a task.
    """
    found = {
        code: np.array(part["confusion"], np.int64)
        for code, part in task["languages"].items()
        if part.get("confusion")
    }
    labels = [str(label) for label in task.get("labels") or ()]
    if not found or any(counts.shape != 2 * (len(labels),) for counts in found.values()):
        return []
    everything: NDArray[np.int64] = np.sum(list(found.values()), axis=0)
    fits = len(labels) <= MAXIMUM_CLASSES
    kept = most_frequent(everything, len(labels) if fits else MAXIMUM_CLASSES - 1)
    panels = []
    for code in _most_confused(results, task, found):
        counts, names = grouped(found[code], labels, kept)
        language, often = language_name(results, code), _commonest(counts, names)
        title = f"Confusions in {language}" + (f"; most often {often}" if often else "")
        panels.append(Panel(language, heat_map(counts, names, title=title), often))
    return panels


def class_table(results: Results, task: Mapping[str, Any]) -> Table | None:
    """Return F1 of each class by language; None where no text may be of several classes.

    Of very many classes the most frequent are shown. All numbers are in results.json.

    Args:
        results: the content of results.json.
        task: one model's part of a task.
    """
    found = {code: part["classes"] for code, part in task["languages"].items() if "classes" in part}
    if not found:
        return None
    support: Counter[str] = Counter()
    for scores in found.values():
        support.update({name: one["support"] for name, one in scores.items()})
    languages = {code: language_name(results, code) for code in ordered_languages(results, found)}
    return comparison(
        "Class",
        languages,
        [(name, name, "") for name, _ in support.most_common(MAXIMUM_CLASSES)],
        [Measure("F1", lambda code, name: float(found[code][name]["f1"]), better=0)],
    )


def _most_confused(
    results: Results, task: Mapping[str, Any], found: Mapping[str, NDArray[np.int64]]
) -> list[str]:
    source, codes = source_of(results, task), ordered_languages(results, found)
    if len(codes) <= _LANGUAGES:
        return codes

    def right(code: str) -> float:
        return float(found[code].trace() / max(1, found[code].sum()))

    worst = sorted((code for code in codes if code != source), key=right)[: _LANGUAGES - 1]
    return [code for code in codes if code == source or code in worst]


def _commonest(counts: NDArray[np.int64], labels: list[str]) -> str:
    """Return the commonest mistake in words, empty without any."""
    mistakes = counts * ~np.eye(len(labels), dtype=bool)
    if not mistakes.any():
        return ""
    row, column = np.unravel_index(mistakes.argmax(), mistakes.shape)
    number, total = formats.count(mistakes[row, column]), formats.count(counts[row].sum())
    return f"{labels[row]} taken for {labels[column]}, {number} of {total}"


def counted_answer(task: Mapping[str, Any]) -> str:
    """Return what is counted as an answer where it is not that to a whole text; else nothing."""
    answers = {
        "tagging": "the tag of a word",
        "multilabel": "that a text is of a class, or that it is not",
    }
    return answers.get(str(task.get("kind")), "")


def _calibrations(results: Results, name: str) -> dict[str, dict[str, Calibration]]:
    """Return what each model's confidence came to, by model and language."""
    found = {
        key: {
            code: Calibration.from_json(part["calibration"])
            for code, part in one["languages"].items()
            if part.get("calibration")
        }
        for key, one in models_on(results, name).items()
    }
    return {key: parts for key, parts in found.items() if parts}


def calibration_table(results: Results, name: str) -> Table | None:
    """Return the expected calibration error by language and model, None where none was kept."""
    found = _calibrations(results, name)
    if not found:
        return None
    codes = ordered_languages(results, {code for parts in found.values() for code in parts})

    def of(value: Callable[[Calibration], Score | float]) -> Callable[[str, str], Any]:
        def get(model: str, language: str) -> Score | float | None:
            one = found[model].get(language)
            return None if one is None else value(one)

        return get

    return comparison(
        "Language",
        {key: model_title(results, key) for key in found},
        [(code, language_name(results, code), "") for code in codes],
        [
            Measure("ECE", of(lambda one: one.error), better=-1),
            Measure("Too sure by", of(_too_sure), show=formats.points, better=0),
        ],
    )


def _too_sure(one: Calibration) -> float:
    n = int(one.counts.sum())
    return float((one.confidences.sum() - one.right.sum()) / n) if n else np.nan


def reliability_panels(results: Results, name: str) -> list[Panel]:
    """Return reliability curves, one panel for each of the last three models, a line a language."""
    styles, panels = language_styles(results), []
    for key, parts in list(_calibrations(results, name).items())[-_MODELS:]:
        series = [Series("", "as sure as right", [(0.0, 0.0), (1.0, 1.0)], _DIAGONAL)]
        for code in ordered_languages(results, parts):
            curve = [(x, y) for x, y, n in parts[code].curve() if n >= _FEWEST]
            language, look = language_name(results, code), styles.get(code, MUTED)
            series.append(Series(code, language, curve, look, label=code))
        if not any(one.points for one in series[1:]):
            continue
        x, y = Axis("probability given", 0.0, 1.0), Axis("share right", 0.0, 1.0)
        title = f"Reliability of {model_title(results, key)} by language"
        panels.append(Panel(model_title(results, key), line_chart(series, x, y, title=title)))
    return panels


def left_out_notes(results: Results, models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a sentence about test texts whose labels were not learned, if there are any.

    Args:
        results: the content of results.json.
        models: the task's results by model.
    """
    first = next(iter(models.values()))
    told = []
    for code, labels in (first.get("left_out") or {}).items():
        most = sorted(labels.items(), key=lambda one: -one[1])[:_LABELS]
        named = ", ".join(f"{label} {formats.count(n)}" for label, n in most)
        everything = "" if code in first["languages"] else "all; "
        total = formats.count(sum(labels.values()))
        told.append(f"{total} in {language_name(results, code)} ({everything}{named})")
    if not told:
        return []
    what = "Test texts whose labels were not learned"
    if first.get("kind") == "tagging":
        what = "Words of languages none of whose tags were learned"
    return [f"{what} are left out: {formats.listed(told)}."]
