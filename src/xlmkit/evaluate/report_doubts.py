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


def doubt_notes(results: Results, models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a sentence for whatever a reader of a task's table should not take at its word.

    Args:
        results: the content of results.json.
        models: the task's results by model.
    """
    return _undefined(results, models)


def _undefined(results: Results, models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return in which languages the metric that decides has no value, and why."""
    metric = main_metric(next(iter(models.values())))
    why = ": all its labels (or the model's numbers) are the same"
    models_by_languages: dict[tuple[str, ...], list[str]] = {}
    for key, one in models.items():
        codes = ordered_languages(results, one["languages"])
        missing = tuple(x for x in codes if score(one["languages"][x], metric) is None)
        models_by_languages.setdefault(missing, []).append(model_title(results, key))
    notes = []
    for codes, titles in models_by_languages.items():
        of = "" if len(titles) == len(models) else f" of {listed(titles)}"
        named = listed([language_name(results, code) for code in codes]) if codes else ""
        reason = why if metric in ("spearman", "pearson") else ""
        if named and len(codes) > 1:
            reason = reason.replace("all its labels", "all labels of each")
        if named:
            notes.append(f"{metric_title(metric)}{of} has no value in {named}{reason}.")
    return notes
