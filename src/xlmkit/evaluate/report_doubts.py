"""Values of a task that say nothing of a model, or that are not there: told beside the tables."""

from collections.abc import Mapping
from typing import Any

from xlmkit.evaluate.formats import listed
from xlmkit.evaluate.results import (
    Results,
    language_name,
    main_metric,
    metric_title,
    model_title,
    ordered_languages,
    score,
)

_CORRELATIONS = ("spearman", "pearson")


def doubt_notes(results: Results, models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a sentence for whatever a reader of a task's table should not take at its word.

    Args:
        results: the content of results.json.
        models: the task's results by model.
    """
    notes = (_undefined, _without_entities, _one_class)
    return [note for of in notes for note in of(results, models)]


def only_answer(task: Mapping[str, Any], code: str) -> str | None:
    """Return the one class that a model gives every text, or word, of a language.

    It is empty where the model gives none of several classes to any text, or no question an answer.
    None where it gives several, where it is right throughout, and where nothing tells.

    Args:
        task: the model's part of a task.
        code: the language.
    """
    one = task["languages"][code]
    if one.get("answered") == 0:
        found = score(one, main_metric(task))
        return "" if found is not None and found.value < 1 else None
    confusion, labels = one.get("confusion"), task.get("labels") or ()
    if not confusion or len(confusion) != len(labels):
        return None
    counts = map(sum, zip(*confusion, strict=True))
    given = [label for label, n in zip(labels, counts, strict=True) if n]
    return str(given[0]) if len(given) == 1 and sum(map(any, confusion)) > 1 else None


def _one_class(results: Results, models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return which models give all texts of a language the same answer, or none."""
    notes = []
    for key, one in models.items():
        found: dict[str, list[str]] = {}
        for code in ordered_languages(results, one["languages"]):
            if (answer := only_answer(one, code)) is not None:
                found.setdefault(answer, []).append(language_name(results, code))
        kind, title = one.get("kind"), model_title(results, key)
        unit = "word" if kind == "tagging" else "text"
        nothing = "question an answer" if kind == "question_answering" else "text any class"
        notes += [
            f"{title} calls every {unit} in {listed(of)} {answer}."
            if answer
            else f"{title} gives no {nothing} in {listed(of)}."
            for answer, of in found.items()
        ]
    return notes


def _undefined(results: Results, models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return in which languages the metric that decides has no value, and why."""
    metric = main_metric(next(iter(models.values())))
    titles_by_languages: dict[tuple[str, ...], list[str]] = {}
    for key, one in models.items():
        missing = tuple(
            code
            for code in ordered_languages(results, one["languages"])
            if score(one["languages"][code], metric) is None
        )
        if missing:
            titles_by_languages.setdefault(missing, []).append(model_title(results, key))
    notes = []
    for codes, titles in titles_by_languages.items():
        of = "" if len(titles) == len(models) else f" of {listed(titles)}"
        told = f"{metric_title(metric)}{of} has no value in "
        told += listed([language_name(results, code) for code in codes])
        if metric in _CORRELATIONS:
            labels = "all its labels" if len(codes) == 1 else "all labels of each"
            told += f": {labels} (or the model's numbers) are the same"
        notes.append(f"{told}.")
    return notes


def _without_entities(results: Results, models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return which languages have no entity that could be found, so that their F1 is 0."""
    first = next(iter(models.values()))["languages"]
    names = [
        language_name(results, code)
        for code in ordered_languages(results, first)
        if "types" in first[code] and not any(x["support"] for x in first[code]["types"].values())
    ]
    if not names:
        return []
    has, whose = ("has", "its test file") if len(names) == 1 else ("have", "their test files")
    return [f"{listed(names)} {has} no entity in {whose}: F1 is 0 by definition there."]
