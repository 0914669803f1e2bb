"""What the report says of how a task's numbers came about: who chose the step."""

from collections.abc import Callable

from xlmkit.evaluate.report_tables import Measure, Table, comparison
from xlmkit.evaluate.results import (
    Results,
    language_name,
    main_metric,
    model_title,
    models_on,
    ordered_languages,
    score,
)
from xlmkit.evaluate.score import Score


def selection_table(results: Results, task: str) -> Table | None:
    """Return a task's main metric by language and by who chose the step, None without choice."""
    models = {key: one for key, one in models_on(results, task).items() if "own_selected" in one}
    if not models:
        return None
    metric = main_metric(next(iter(models.values())))
    found = {code for one in models.values() for code in one["own_selected"]["languages"]}
    rows = [(x, language_name(results, x), "") for x in ordered_languages(results, found)]
    rows.append(("", "Average without labels", "summary"))

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
    titles = {key: model_title(results, key) for key in models}
    return comparison("Language", titles, rows, measures)
