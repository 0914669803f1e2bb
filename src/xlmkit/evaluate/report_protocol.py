"""What the report says of how a task's numbers came about: step, seeds, and what was tried."""

from collections.abc import Callable, Mapping
from typing import Any

from xlmkit.evaluate import formats
from xlmkit.evaluate.report_tables import Cell, Measure, Row, Table, comparison
from xlmkit.evaluate.results import (
    Results,
    language_name,
    main_metric,
    model_titles,
    models_on,
    ordered_languages,
    score,
)
from xlmkit.evaluate.score import Score

_AVERAGE = "Average without labels"
_OF_SOME = "Average of those with a choice"  # where not all of them have validation texts


def selection_table(results: Results, task: str) -> Table | None:
    """Return a task's main metric by language and by who chose the step, None without choice."""
    models = {key: one for key, one in models_on(results, task).items() if "own_selected" in one}
    if not models:
        return None
    metric = main_metric(next(iter(models.values())))
    found = {code for one in models.values() for code in one["own_selected"]["languages"]}
    rows = [(x, language_name(results, x), "") for x in ordered_languages(results, found)]
    rows.append(_average_row(models))

    def chosen(rule: str) -> Callable[[str, str], Score | float | None]:
        def get(model: str, language: str) -> Score | float | None:
            part = models[model][rule]
            if not language:
                average: float | None = part["average"]
                return average
            return score(part["languages"].get(language), metric)

        return get

    measures = [
        Measure("Source's choice", chosen("source_selected"), better=0),
        Measure("Own choice", chosen("own_selected"), better=0),
    ]
    return comparison("Language", model_titles(results, models), rows, measures)


def seeds_table(results: Results, task: str) -> Table | None:
    """Return mean and deviation of a task's main metric over seeds, None with one seed only.

    Where each language chose its step as well, the mean and deviation of that stand beside them,
    and the averages of both are over the languages that did.
    """
    models = {key: one["seeds"] for key, one in models_on(results, task).items() if "seeds" in one}
    if not models:
        return None
    metric = main_metric(next(iter(models_on(results, task).values())))
    found = {code for one in models.values() for code in one["languages"]}
    rows = [(x, language_name(results, x), "") for x in ordered_languages(results, found)]
    rows.append(_average_row(models_on(results, task)))

    def over(part: Callable[[Mapping[str, Any]], Any], name: str) -> Callable[..., float | None]:
        def get(model: str, language: str) -> float | None:
            spreads = part(models[model]) or {}
            where = spreads.get("languages", {}).get(language) if language else spreads["average"]
            value: float | None = (where or {}).get(metric, {}).get(name)
            return value

        return get

    def source(spreads: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**spreads, **spreads.get("source_selected", {})}

    def own(spreads: Mapping[str, Any]) -> Mapping[str, Any]:
        return spreads.get("own_selected") or {"average": {}}

    measures = [
        Measure("Mean", over(source, "mean"), deviation=over(source, "deviation")),
        Measure("Own choice", over(own, "mean"), deviation=over(own, "deviation")),
    ]
    return comparison("Language", model_titles(results, models), rows, measures)


def _average_row(models: Mapping[str, Mapping[str, Any]]) -> tuple[str, str, str]:
    """Return the row of averages, named by the languages that both rules are averaged over."""

    def fewer(part: Mapping[str, Any]) -> bool:
        every = part["average"]["over"]
        return 0 < len(part.get("own_selected", {}).get("over", every)) < len(every)

    return ("", _OF_SOME if any(map(fewer, models.values())) else _AVERAGE, "summary")


def seeds_sentence(results: Results, task: str, model: str) -> str:
    """Return what a model reaches on average over its seeds, nothing with one seed only."""
    part = models_on(results, task)[model]
    spread = part["seeds"]["average"][main_metric(part)] if "seeds" in part else {}
    if spread.get("deviation") is None:
        return ""
    number = formats.words(len(part["seeds"]["seeds"]))
    deviation = formats.points(spread["deviation"]).lstrip("+")
    return (
        f"Over {number} seeds its average is {formats.percent(spread['mean'])}, with a standard "
        f"deviation of {deviation} points; the scores of single languages are those of the first."
    )


def trials_table(results: Results, task: str) -> Table | None:
    """Return what each trial of a task's sweep reached, by model, None without a sweep.

    The trial that was chosen is marked; values are those on the valid texts of the source.
    """
    measured = models_on(results, task)
    models = {key: one["trials"] for key, one in measured.items() if "trials" in one}
    if not models:
        return None
    names = list(dict.fromkeys(_trial_name(one) for trials in models.values() for one in trials))
    found = {key: {_trial_name(one): one for one in trials} for key, trials in models.items()}
    rows = tuple(Row(name, tuple(_trial(found[key].get(name)) for key in models)) for name in names)
    return Table("Trial", tuple(model_titles(results, models).values()), rows)


def _trial_name(trial: Mapping[str, Any]) -> str:
    parts = [] if trial["lr"] is None else [f"rate {trial['lr']:g}"]
    if trial["tokens_per_batch"] is not None:
        parts.append(f"{formats.count(trial['tokens_per_batch'])} tokens")
    return ", ".join(parts)


def _trial(trial: Mapping[str, Any] | None) -> Cell:
    if trial is None:
        return Cell(formats.MISSING)
    if "diverged" in trial:
        return Cell("diverged")
    score = formats.MISSING if trial["score"] is None else formats.hundredths(trial["score"])
    return Cell(score, f"step {trial['step']}", trial["chosen"])
