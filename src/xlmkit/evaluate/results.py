"""Reading results.json: its parts by name, each of which may be missing."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from xlmkit.evaluate.formats import listed
from xlmkit.evaluate.score import Score
from xlmkit.evaluate.translation_metrics import TITLES

Results = Mapping[str, Any]
"""The content of results.json."""


def models_with(results: Results, part: str) -> dict[str, Mapping[str, Any]]:
    """Return the models that have this part, in order."""
    models: Mapping[str, Mapping[str, Any]] = results.get("models") or {}
    return {key: model for key, model in models.items() if model.get(part)}


def is_pretrained(model: Mapping[str, Any]) -> bool:
    """Tell whether a model knew anything before its adaptation: trained here, or ready."""
    return bool(model.get("pretraining") or model.get("checkpoint"))


def model_title(results: Results, key: str) -> str:
    """Return the name of a model as people read it."""
    return str(results["models"][key].get("title") or key)


def model_titles(results: Results, models: Iterable[str]) -> dict[str, str]:
    """Return the names of models by key."""
    return {key: model_title(results, key) for key in models}


def language_name(results: Results, code: str) -> str:
    """Return the name of a language; "en-fr" is the pair of both where it is no language itself."""
    names: Mapping[str, str] = results.get("language_names") or {}
    if code in names:
        return names[code]
    first, second = split_pair(results, code)
    if first == second:
        return names.get(first, first)
    if second:
        return f"{names.get(first, first)}\N{EN DASH}{names.get(second, second)}"
    return code


def split_pair(results: Results, code: str) -> tuple[str, str]:
    """Return the two languages of a pair such as "en-fr", or (code, "") where it is none.

    Codes may themselves have a hyphen ("pt-br"), so the known languages decide where to cut.
    """
    known = set(results.get("languages") or ())
    if code in known:
        return code, ""
    parts = code.split("-")
    cuts = [("-".join(parts[:i]), "-".join(parts[i:])) for i in range(1, len(parts))]
    for first, second in cuts:
        if first in known and second in known:
            return first, second
    return cuts[0] if len(cuts) == 1 else (code, "")


def ordered_languages(results: Results, found: Mapping[str, Any] | set[str]) -> list[str]:
    """Return the languages (or pairs) found, in the order of the results, unknown ones last."""
    known = [code for code in results.get("languages") or () if code in found]
    return known + sorted(set(found) - set(known))


def score(part: Mapping[str, Any] | None, key: str) -> Score | None:
    """Return a score of a part, None where it is missing or has no value."""
    value = (part or {}).get(key)
    if not value or value.get("value") is None:
        return None
    return Score.from_json(value)


def task_names(results: Results) -> list[str]:
    """Return the names of the tasks that some model was measured on."""
    names: dict[str, None] = {}
    for model in models_with(results, "tasks").values():
        names.update(
            dict.fromkeys(n for n, task in model["tasks"].items() if task.get("languages"))
        )
    return list(names)


def models_on(results: Results, task: str) -> dict[str, Mapping[str, Any]]:
    """Return the results of each model on a task, by model, in order."""
    return {
        key: model["tasks"][task]
        for key, model in models_with(results, "tasks").items()
        if model["tasks"].get(task, {}).get("languages")
    }


def task_title(results: Results, name: str) -> str:
    """Return the name of a task as people read it."""
    first = next(iter(models_on(results, name).values()), {})
    return str(first.get("title") or name)


def source_of(results: Results, task: Mapping[str, Any]) -> str:
    """Return the language that gave a task its labels."""
    return str(task.get("source_language") or results.get("source_language") or "")


def sources_of(results: Results, task: Mapping[str, Any]) -> list[str]:
    """Return all languages whose labels were learned, that which gives the gap first."""
    return list(task.get("source_languages") or [source_of(results, task)])


def learned_in(results: Results, task: Mapping[str, Any]) -> str:
    """Return the languages of the labels as people read them, and how few there were of others."""
    text = listed([language_name(results, code) for code in sources_of(results, task)])
    if not task.get("few_shot"):
        return text
    each = " of each class" if task.get("kind") == "classification" else ""
    return f"{text}, with {task['few_shot']} examples{each} of other languages"


def learned_in_one(results: Results, task: Mapping[str, Any]) -> bool:
    """Tell whether all labels were of one language: zero-shot transfer."""
    return len(sources_of(results, task)) == 1 and not task.get("few_shot")


def others_of(results: Results, task: Mapping[str, Any]) -> list[str]:
    """Return the languages of a task that gave no labels, or few."""
    sources = sources_of(results, task)
    return [x for x in ordered_languages(results, task["languages"]) if x not in sources]


def averaged_of(results: Results, task: Mapping[str, Any]) -> list[str]:
    """Return those of a task's other languages in which the main metric has a value."""
    parts, metric = task["languages"], main_metric(task)
    return [x for x in others_of(results, task) if score(parts[x], metric) is not None]


def learned_of(results: Results, task: Mapping[str, Any]) -> list[str]:
    """Return those of a task's languages that gave labels in which the main metric has a value."""
    parts, metric = task["languages"], main_metric(task)
    return [x for x in sources_of(results, task) if score(parts.get(x), metric) is not None]


def main_metric(task: Mapping[str, Any]) -> str:
    """Return the metric that decides which model is best on a task."""
    return task_metrics(task)[0]


def task_metrics(task: Mapping[str, Any]) -> list[str]:
    """Return the metrics of a task, that which decides first."""
    return list(task.get("metrics") or ("accuracy", "macro_f1"))


def metric_title(metric: str) -> str:
    """Return the name of a metric as people read it: "macro_f1" is "Macro F1"."""
    if metric in TITLES:
        return TITLES[metric]
    text = metric.replace("_", " ").replace("f1", "F1")
    return text[:1].upper() + text[1:]


def transfer_average(results: Results, task: Mapping[str, Any], metric: str) -> float:
    """Return a task's mean over the languages that gave no labels; not a number without any."""
    given = (task.get("average") or {}).get(metric)
    if given is not None:
        return float(given)
    found = [score(task["languages"][language], metric) for language in others_of(results, task)]
    values = [one.value for one in found if one is not None]
    return math.fsum(values) / len(values) if values else math.nan


def gap(results: Results, task: Mapping[str, Any], metric: str, language: str) -> float | None:
    """Return how much higher a language's value is than that of the language that gave the labels.

    Args:
        results: the content of results.json.
        task: one model's part of a task.
        metric: whose value.
        language: its code, or nothing for the average over languages without labels.

    Returns:
        The difference; None for the source language itself, and where either value is not known.
    """
    source, measured = source_of(results, task), task["languages"]
    home = score(measured.get(source), metric)
    if language:
        found = score(measured.get(language), metric)
        here = math.nan if found is None else found.value
    else:
        here = transfer_average(results, task, metric)
    if language == source or home is None or not math.isfinite(here - home.value):
        return None
    return here - home.value


def gaps(results: Results, task: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the gaps of a task by metric and language, `average` among them."""
    places = {**{code: code for code in task.get("languages") or ()}, "average": ""}
    found = {
        metric: {name: gap(results, task, metric, code) for name, code in places.items()}
        for metric in task_metrics(task)
    }
    return {
        metric: {name: value for name, value in each.items() if value is not None}
        for metric, each in found.items()
    }


def task_average(results: Results, task: Mapping[str, Any]) -> float:
    """Return a task's mean of the main metric over languages without labels, and over its seeds."""
    metric = main_metric(task)
    spread = ((task.get("seeds") or {}).get("average") or {}).get(metric) or {}
    if spread.get("mean") is not None:
        return float(spread["mean"])
    return transfer_average(results, task, metric)


def learned_average(results: Results, task: Mapping[str, Any]) -> float:
    """Return the mean of the main metric, and over seeds, in the languages that gave labels."""
    metric, values = main_metric(task), []
    spreads = (task.get("seeds") or {}).get("languages") or {}
    for code in learned_of(results, task):
        mean = spreads.get(code, {}).get(metric, {}).get("mean")
        values.append(float(task["languages"][code][metric]["value"] if mean is None else mean))
    return math.fsum(values) / len(values) if values else math.nan


def retrieval_average(retrieval: Mapping[str, Any]) -> float:
    """Return a model's mean retrieval accuracy over the directions; not a number without any."""
    given = retrieval.get("average")
    if given is not None:
        return float(given)
    found = [score(retrieval.get("directions"), key) for key in retrieval.get("directions") or ()]
    values = [one.value for one in found if one is not None]
    return math.fsum(values) / len(values) if values else math.nan


def best_of(values: Mapping[str, float]) -> str | None:
    """Return the key of the greatest value, None where none is defined."""
    defined = {key: value for key, value in values.items() if math.isfinite(value)}
    return max(defined, key=defined.__getitem__) if defined else None
