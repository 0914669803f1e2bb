"""What a report with several tasks says first: a table of tasks by models, and who is ahead."""

import math
from collections.abc import Mapping
from typing import Any

from xlmkit.evaluate import formats
from xlmkit.evaluate.report_tables import Measure, Table, comparison
from xlmkit.evaluate.results import (
    Results,
    best_of,
    learned_average,
    main_metric,
    metric_title,
    model_title,
    models_on,
    models_with,
    task_average,
    task_names,
    task_title,
)


def tasks_table(results: Results) -> Table | None:
    """Return the average of each task's main metric by model, None for fewer than two tasks.

    Averages are over the languages without labels, or over those of the labels where no other was
    measured; means over the seeds, with their deviation, where there are some.
    """
    names = task_names(results)
    if len(names) < 2:
        return None
    found = {name: models_on(results, name) for name in names}
    rows = []
    for name in names:
        metric = metric_title(main_metric(next(iter(found[name].values()))))
        rows.append((name, f"{task_title(results, name)}, {metric}", ""))
    keys = list(models_with(results, "tasks"))

    def get(model: str, task: str) -> float | None:
        return _value(results, found[task][model]) if model in found[task] else None

    def deviation(model: str, task: str) -> float | None:
        one = found[task].get(model, {})
        spread = one["seeds"]["average"].get(main_metric(one), {}) if "seeds" in one else {}
        value: float | None = spread.get("deviation")
        return value

    titles = {key: model_title(results, key) for key in keys}
    return comparison("Task", titles, rows, [Measure("Average", get, deviation=deviation)])


def tasks_sentence(results: Results) -> str:
    """Return which model is ahead on how many tasks; those that read the same are tied."""
    names, ahead = task_names(results), dict[str, int]()
    keys = list(models_with(results, "tasks"))
    if len(keys) == 1:
        return f"{model_title(results, keys[0])} on {formats.words(len(names))} tasks"
    tied = 0
    for name in names:
        values = {key: _value(results, one) for key, one in models_on(results, name).items()}
        best = best_of(values)
        if best is None or len(values) < 2:
            continue
        level = [key for key, value in values.items() if _same(value, values[best])]
        if len(level) > 1:
            tied += 1
        else:
            ahead[best] = ahead.get(best, 0) + 1
    order = sorted(ahead, key=lambda key: -ahead[key])
    parts = [f"{model_title(results, key)} is ahead on {ahead[key]}" for key in order]
    if tied:
        parts.append(f"the best are level on {tied}")
    return f"Of {formats.words(len(names))} tasks, {formats.listed(parts)}" if parts else ""


def _value(results: Results, task: Mapping[str, Any]) -> float:
    average = task_average(results, task)
    return average if math.isfinite(average) else learned_average(results, task)


def _same(one: float, other: float) -> bool:
    return formats.hundredths(one) == formats.hundredths(other)
