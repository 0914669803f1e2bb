"""The summary of a run in the terminal."""

from collections.abc import Sequence

from xlmkit.core.tables import print_text, table
from xlmkit.evaluate.formats import MISSING, PLUS_MINUS
from xlmkit.evaluate.report_bias import bias_section
from xlmkit.evaluate.report_doubts import doubt_notes
from xlmkit.evaluate.report_headline import headline
from xlmkit.evaluate.report_protocol import seeds_table, selection_table, trials_table
from xlmkit.evaluate.report_sets import set_tables
from xlmkit.evaluate.report_tables import (
    GAP,
    Cell,
    Table,
    language_model_tables,
    retrieval_table,
    transfer_table,
)
from xlmkit.evaluate.report_tasks import tasks_table
from xlmkit.evaluate.report_translation import print_translation
from xlmkit.evaluate.results import (
    Results,
    best_of,
    learned_in,
    learned_in_one,
    main_metric,
    metric_title,
    model_title,
    models_on,
    models_with,
    task_names,
    task_title,
    transfer_average,
)

_COLUMNS_WITH_INTERVALS = 4


def print_summary(results: Results) -> None:
    """Print the finding and the tables that matter; the best value of each row has a star.

    Args:
        results: the content of results.json.
    """
    head = headline(results)
    if head.figures:
        table(head.title, ["Result", "Value"], [[what, value] for value, what in head.figures])
    if (tasks := tasks_table(results)) is not None:
        if not head.figures:
            print_text(f"{head.title}.")
        _print("Average of each task, in %", tasks)
    for name in task_names(results):
        _print_task(results, name)
    if models_with(results, "retrieval"):
        content = retrieval_table(results)
        kept = content.columns[0] if content.groups else ""
        _print(f"Translations found first, in %: {kept or 'average'}", content, kept)
    for one in set_tables(results):
        kept = one.table.columns[0] if one.table.groups else ""
        _print(f"{one.title}, in %{kept and f': {kept}'}", one.table, kept)
    print_translation(results)
    for objective, content in language_model_tables(results).items():
        _print(f"Perplexity with {objective.upper()}", content, "Perplexity")


def _print_task(results: Results, name: str) -> None:
    """Print the tables of one task."""
    models = models_on(results, name)
    first = next(iter(models.values()))
    learned = learned_in(results, first)
    learned += " only" if learned_in_one(results, first) else ""
    metric = metric_title(main_metric(first))
    title = f"{metric} on {task_title(results, name)} in %, labels in {learned} (95% intervals)"
    _print(title, transfer_table(results, name), metric, beside=GAP)
    for note in doubt_notes(results, models):
        print_text(note)
    _print_bias(results, name)
    if (chosen := selection_table(results, name)) is not None:
        _print(f"{metric} by who chose the step on validation texts, in %", chosen)
    if (tried := trials_table(results, name)) is not None:
        _print(f"{metric} of each trial on the source's validation texts, in %", tried)
    if (seeds := seeds_table(results, name)) is not None:
        _print(f"{metric} over all seeds, in %: mean \N{PLUS-MINUS SIGN} standard deviation", seeds)


def _print_bias(results: Results, name: str) -> None:
    """Print which languages fall how far, and what goes with it, for the best model of a task."""
    models = models_on(results, name)
    key = best_of({k: transfer_average(results, m, main_metric(m)) for k, m in models.items()})
    section = bias_section(results, results["models"][key], models[key]) if key else None
    if section is not None:
        print_text(f"{model_title(results, key or '')}: {' '.join(section.sentences)}")


def _print(title: str, content: Table, kept: str = "", beside: str = "") -> None:
    """Print a table.

    Args:
        title: the line above it.
        content: the table.
        kept: where columns are grouped by model, print only those of this name, if given.
        beside: and, behind each, that of this name.
    """
    heads, shown = list(content.columns), list(range(len(content.columns)))
    if content.groups:
        groups = [title for title, span in content.groups for _ in range(span)]
        heads = [
            head if head == beside else f"{group} {head}".removesuffix(f" {kept}")
            for group, head in zip(groups, heads, strict=True)
        ]
        names = {kept, beside} if kept else set(content.columns)
        shown = [i for i, column in enumerate(content.columns) if column in names]
    with_intervals = [i for i in shown if content.columns[i] != beside]
    intervals = len(with_intervals) <= _COLUMNS_WITH_INTERVALS
    columns = [_texts([row.cells[i] for row in content.rows], intervals) for i in shown]
    labels = [row.label for row in content.rows]
    rows = [list(row) for row in zip(labels, *columns, strict=True)]
    table(title, [content.corner, *(heads[i] for i in shown)], rows)


def _texts(cells: Sequence[Cell], intervals: bool) -> list[str]:
    """Return the cells of a column, so padded that all numbers end at the same place."""
    details = [_detail(cell.detail, intervals=intervals) for cell in cells]
    width = max(map(len, details))
    starred = any(cell.best for cell in cells)
    return [
        "-"
        if cell.text == MISSING
        else f"{cell.text}{detail:<{width}}{(' *' if cell.best else '  ') if starred else ''}"
        for cell, detail in zip(cells, details, strict=True)
    ]


def _detail(text: str, *, intervals: bool) -> str:
    """Return what stands behind a number: a deviation always, an interval where there is room."""
    if text.startswith(PLUS_MINUS):
        return f" {text}"
    return f" ({text})" if text and intervals else ""
