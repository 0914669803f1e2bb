"""A comparison of models as tables, sentences, one page, JSON and CSV."""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.core.files import atomic_write
from xlmkit.core.tables import print_text, table
from xlmkit.evaluate import formats
from xlmkit.evaluate.comparing import AVERAGE, Comparison, Pair
from xlmkit.evaluate.drawing import Axis, palette_css, style
from xlmkit.evaluate.point_chart import NamedPoint, point_chart
from xlmkit.evaluate.report_tables import Cell, Measure, Row, Table, comparison
from xlmkit.evaluate.results import metric_title
from xlmkit.evaluate.results_csv import COLUMNS
from xlmkit.evaluate.score import Score
from xlmkit.evaluate.seeds import Spread
from xlmkit.evaluate.shared_tasks import SharedTask

_FORMS = (".html", ".json", ".csv")
_WORTH_DRAWING = 1.2
"""Models that differ by less in speed or size are not drawn against it."""


def sentences(found: Comparison, names: Callable[[str], str]) -> list[str]:
    """Return what the comparison says: the best, whether surely, and what may be left aside.

    Args:
        found: the comparison.
        names: from the code of a language to its name.
    """
    best = found.standings[0]
    over = f"mean of the averages of {formats.words(len(found.tasks))} tasks"
    if len(found.tasks) == 1:
        over = _averaged(found.tasks[0], names)
    said = [f"Best in quality: {best.title}, {formats.hundredths(best.quality)} ({over})."]
    for other in found.standings[1:]:
        tested = found.decisive(other.title)
        if len(found.tasks) > 1 and tested:
            said.append(_on_tasks(tested, other.title, len(found.tasks)))
        elif tested:
            said.append(_on_one_task(found, tested[0], other.title))
    frontier = [one.title for one in found.standings if not one.beaten_by]
    if len(frontier) > 1:
        said.append(
            f"None of {formats.listed(frontier)} is shown to be beaten in quality, speed and size "
            "at once."
        )
    said += [
        f"{one.title} may be left aside: {one.beaten_by} is nowhere worse and somewhere better."
        for one in found.standings
        if one.beaten_by
    ]
    return said


def _on_one_task(found: Comparison, pair: Pair, other: str) -> str:
    """Return how far the best is above another model, and whether that may be chance."""
    if pair.difference is None or pair.corrected is None:
        return ""
    (task,), best = found.tasks, found.standings[0].title
    by = formats.points(task.average(best) - task.average(other)).lstrip("+")
    tested = f"p {_p(pair.corrected)}"
    if task.spreads:
        tested = f"with the first seed {formats.points(pair.difference.value)}, {tested}"
    if float(by) == 0:
        return f"{other} equals it to a tenth of a point ({tested})."
    sure = {
        1: "",
        0: ", which may be chance",
        -1: f", though that seed alone shows {other} to be better",
    }[pair.shown]
    return f"It is {by} points above {other} ({tested}){sure}."


def _on_tasks(pairs: Sequence[Pair], other: str, number: int) -> str:
    """Return on how many tasks the best is better than another model, worse, or neither."""
    better = sum(pair.shown > 0 for pair in pairs)
    worse = sum(pair.shown < 0 for pair in pairs)
    parts = [f"better on {better or 'none'} of {number} tasks", f"worse on {worse or 'none'}"]
    open_ = len(pairs) - better - worse
    if open_:
        parts.append(f"and on {open_} the difference may be chance")
    if untested := number - len(pairs):
        parts.append(f"and {untested} could not be tested")
    return f"Against {other} it is {', '.join(parts)}."


def _averaged(task: SharedTask, names: Callable[[str], str]) -> str:
    languages = [names(code) for code in task.averaged]
    many = len(languages) > 1
    where = f"on average over {formats.listed(languages)}" if many else f"in {languages[0]}"
    return f"{metric_title(task.metric)} times 100 on {task.name}, {where}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _short(p: float) -> str:
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


def standings_table(found: Comparison) -> Table:
    """Return the models, the best first, with what they cost."""
    rows = []
    for rank, one in enumerate(found.standings, start=1):
        device = formats.MISSING
        if one.device:
            name, threads = one.device
            device = f"{name}, {threads} thread{'s' if threads > 1 else ''}"
        cells = (
            Cell(str(rank)),
            Cell(formats.hundredths(one.quality)),
            Cell(formats.number(one.per_second) if one.per_second else formats.MISSING),
            Cell(formats.large(one.parameters) if one.parameters else formats.MISSING),
            Cell(formats.number(one.size / 1e6) if one.size else formats.MISSING),
            Cell(one.beaten_by or "none"),
            Cell(device),
        )
        rows.append(Row(label=one.title, cells=cells))
    columns = (
        *("Rank", "Quality", "Texts per second", "Parameters", "MB on disk"),
        *("Beaten in everything by", "Measured on"),
    )
    return Table("Model", columns, tuple(rows), text_columns=frozenset({5, 6}))


def task_table(found: Comparison, task: SharedTask, names: Callable[[str], str]) -> Table:
    """Return a task's scores by language and model, means of those with several seeds."""

    def get(model: str, language: str) -> Score | float | None:
        if not language:
            return task.average(model)
        seeded = model in task.spreads
        return task.mean(model, language) if seeded else task.scores[model][language]

    def deviation(model: str, language: str) -> float | None:
        return task.spreads.get(model, {}).get(language, {}).get("deviation")

    rows = [
        (code, names(code) + (" (labels)" if code == task.source else ""), "")
        for code in task.languages
    ]
    if len(task.averaged) > 1:
        without = [names(code) for code in task.languages if code not in task.averaged]
        name = f"Average without {formats.listed(without)}" if without else "Average"
        rows.append(("", name, "summary"))
    titles = {one.title: one.title for one in found.standings}
    measure = Measure(metric_title(task.metric), get, deviation=deviation)
    return comparison("Language", titles, rows, [measure])


def pairs_table(found: Comparison, task: SharedTask, names: Callable[[str], str]) -> Table | None:
    """Return the tests of the best model against each other one; None where there was none."""
    rows = []
    for pair in found.pairs:
        if pair.task != task.name or pair.difference is None or pair.corrected is None:
            continue
        one, average = pair.difference, pair.language == AVERAGE
        ends = (
            f"{formats.points(one.low)} to {formats.points(one.high)}"
            if one.low is not None and one.high is not None
            else ""
        )
        cells = (
            Cell("average" if average else names(pair.language)),
            Cell(formats.points(one.value), ends),
            Cell(_short(one.p)),
            Cell(_short(pair.corrected)),
            Cell(one.test),
            Cell("yes" if pair.shown else "no"),
        )
        rows.append(Row(label=pair.other, cells=cells, kind="summary" if average else ""))
    columns = ("Language", "Difference", "p", "p, corrected", "Test", "Significant")
    heads = Table("Best against", columns, tuple(rows), text_columns=frozenset({0, 4, 5}))
    return heads if rows else None


def print_comparison(found: Comparison, names: Callable[[str], str]) -> None:
    """Print the comparison."""
    print_text(" ".join(sentences(found, names)))
    _print("Which model: quality, speed and size", standings_table(found))
    for task in found.tasks:
        metric = metric_title(task.metric)
        scores = task_table(found, task, names)
        _print(f"{metric} times 100 on {task.name}, {_beside(task)}", scores)
        if tests := pairs_table(found, task, names):
            _print(f"{found.standings[0].title} against the others on {task.name}", tests)
    for note in found.notes:
        print_text(note)


def _beside(task: SharedTask) -> str:
    """Return what stands beside the scores of a task."""
    if not task.spreads:
        return "with 95% intervals"
    return f"mean {formats.PLUS_MINUS} standard deviation over the seeds, or with 95% intervals"


def _print(title: str, content: Table) -> None:
    grouped = [head for head, _ in content.groups] or list(content.columns)
    rows = [
        [row.label, *(f"{c.text} ({c.detail})" if c.detail else c.text for c in row.cells)]
        for row in content.rows
    ]
    table(title, [content.corner, *grouped], rows)


def check_form(path: Path) -> None:
    """See that the name of a file says a form that a comparison can be written in.

    Raises:
        UserError: it does not.
    """
    if path.suffix not in _FORMS:
        raise UserError(f"{path} should end in {', '.join(_FORMS)}: its name says the form.")


def write_comparison(found: Comparison, names: Callable[[str], str], path: Path) -> None:
    """Write the comparison as its name says: .html, .json or .csv.

    Raises:
        UserError: the name says something else, or the file cannot be written.
    """
    makers: dict[str, Callable[[Comparison, Callable[[str], str]], str]] = {
        ".html": _page,
        ".json": lambda found, _: json.dumps(to_json(found), ensure_ascii=False, indent=1) + "\n",
        ".csv": lambda found, _: _csv(found),
    }
    check_form(path)
    text = makers[path.suffix](found, names)
    with atomic_write(path) as stream:
        stream.write(text)


def to_json(found: Comparison) -> dict[str, Any]:
    """Return plain values for JSON."""
    return {
        "standings": [{**asdict(one), "quality": one.quality} for one in found.standings],
        "tasks": {
            task.name: {
                "metric": task.metric,
                "averaged": list(task.averaged),
                "averages": {title: task.average(title) for title in task.scores},
                "seeds": {
                    title: {code: spreads[code] for code in task.languages if code in spreads}
                    for title, spreads in task.spreads.items()
                },
                "scores": {
                    title: {code: scores[code].to_json() for code in task.languages}
                    for title, scores in task.scores.items()
                },
            }
            for task in found.tasks
        },
        "best": found.standings[0].title,
        "pairs": [_pair_json(pair) for pair in found.pairs],
        "notes": list(found.notes),
    }


def _pair_json(pair: Pair) -> dict[str, Any]:
    return {
        "task": pair.task,
        "language": pair.language or None,
        "other": pair.other,
        "difference": pair.difference.to_json() if pair.difference else None,
        "p_corrected": pair.corrected,
    }


def _csv(found: Comparison) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for task in found.tasks:
        for title, scores in task.scores.items():
            for code in task.languages:
                one = scores[code]
                values = (one.value, one.low, one.high, one.n)
                row = [title, task.name, code, task.metric, *values, None]
                writer.writerow(row + _over_seeds(task.spreads.get(title, {}).get(code)))
    return text.getvalue()


def _over_seeds(spread: Spread | None) -> list[Any]:
    """Return the last columns of `COLUMNS`."""
    if spread is None:
        return [None, None, None]
    return [spread["mean"], spread["deviation"], len(spread["values"])]


def _page(found: Comparison, names: Callable[[str], str]) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("xlmkit.evaluate", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    said = sentences(found, names)
    return environment.get_template("compare.html.j2").render(
        palette=palette_css(),
        title=f"{found.standings[0].title} is best of {formats.words(len(found.standings))} models",
        sentences=said,
        standings=standings_table(found),
        charts=_charts(found),
        tasks=[
            {
                "name": task.name,
                "metric": metric_title(task.metric),
                "beside": _beside(task),
                "table": task_table(found, task, names),
                "pairs": pairs_table(found, task, names),
            }
            for task in found.tasks
        ],
        best=found.standings[0].title,
        notes=found.notes,
    )


def _charts(found: Comparison) -> list[tuple[str, str]]:
    """Return quality against speed and against size, where models differ in them by a fifth."""
    charts = []
    measures: tuple[tuple[str, Callable[[Any], float | None]], ...] = (
        ("texts per second", lambda one: one.per_second),
        ("MB on disk", lambda one: one.size and one.size / 1e6),
    )
    for name, get in measures:
        points = [
            NamedPoint(
                x=x,
                y=one.quality * 100,
                key="",
                label=str(rank),
                text=f"{one.title}: quality {formats.hundredths(one.quality)}, {x:,.3g} {name}",
                style=style(rank - 1),
            )
            for rank, one in enumerate(found.standings, start=1)
            if (x := get(one))
        ]
        if points and max(p.x for p in points) >= _WORTH_DRAWING * min(p.x for p in points):
            heading = f"Quality against {name}"
            axes = Axis(f"{name}, logarithmic", log=True), Axis("quality")
            charts.append((heading, point_chart(points, *axes, title=heading)))
    return charts
