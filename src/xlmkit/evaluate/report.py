"""The report of a run: one self-contained page.

Everything shown is in results.json; parts that are missing there are left out. The page makes no
request, needs no script (a few lines bring out one language when its name is pressed), follows the
light or dark setting of its reader, and can be read on a phone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from xlmkit.core.files import atomic_write
from xlmkit.evaluate import formats
from xlmkit.evaluate.drawing import palette_css
from xlmkit.evaluate.report_asking import asking_notes
from xlmkit.evaluate.report_bias import bias_section
from xlmkit.evaluate.report_curves import adaptation_chart, curve_languages, loss_panels
from xlmkit.evaluate.report_data import (
    dropped_table,
    facts,
    pair_counts,
    pretraining_table,
    signatures,
    sources_table,
    splits_table,
    tokenizer_table,
)
from xlmkit.evaluate.report_doubts import doubt_notes
from xlmkit.evaluate.report_errors import (
    calibration_table,
    class_table,
    confusion_panels,
    counted_answer,
    left_out_notes,
    reliability_panels,
)
from xlmkit.evaluate.report_figures import (
    language_legend,
    map_languages,
    map_messages,
    map_panels,
    model_legend,
    retrieval_bars,
    shortened,
    transfer_bars,
)
from xlmkit.evaluate.report_headline import headline
from xlmkit.evaluate.report_input import bad_input_notes, unknown_notes
from xlmkit.evaluate.report_learning import learning_curves
from xlmkit.evaluate.report_protocol import seeds_table, selection_table, trials_table
from xlmkit.evaluate.report_sets import set_tables
from xlmkit.evaluate.report_tables import (
    language_model_tables,
    retrieval_table,
    transfer_table,
)
from xlmkit.evaluate.report_tagging import tagging_notes
from xlmkit.evaluate.report_tasks import tasks_table
from xlmkit.evaluate.report_terminal import print_summary
from xlmkit.evaluate.report_translation import translation_section
from xlmkit.evaluate.results import (
    Results,
    best_of,
    language_name,
    learned_in,
    learned_in_one,
    main_metric,
    metric_title,
    model_title,
    models_on,
    models_with,
    ordered_languages,
    others_of,
    source_of,
    task_metrics,
    task_names,
    task_title,
    transfer_average,
)

__all__ = ["print_summary", "render_report", "write_report"]

_EXAMPLES_OF_A_KIND = 2
_EXAMPLE_LENGTH = 280


@dataclass(frozen=True, slots=True)
class Example:
    """A classified text as the page shows it."""

    text: str
    label: str
    predicted: str
    probability: str
    right: bool


def write_report(results: Results, path: Path) -> None:
    """Write results as one HTML page.

    Args:
        results: the content of results.json.
        path: the page, written whole or not at all.

    Raises:
        UserError: the page cannot be written.
    """
    page = render_report(results)
    with atomic_write(path) as stream:
        stream.write(page)


def render_report(results: Results) -> str:
    """Return results as one HTML page."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("xlmkit.evaluate", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(_page(results)) + "\n"


def _page(results: Results) -> dict[str, Any]:
    """Return what the template shows."""
    return {
        "name": str(results.get("title") or results.get("name") or "xlmkit"),
        "created": _date(str(results.get("created") or "")),
        "head": headline(results),
        "palette": palette_css(),
        "overview": tasks_table(results),
        "tasks": _tasks(results),
        "retrieval": _retrieval(results),
        "sets": list(set_tables(results)),
        "translation": translation_section(results),
        "curves": {
            "panels": loss_panels(results),
            "legend": language_legend(results, curve_languages(results)),
            "table": pretraining_table(results),
        },
        "language_models": {
            objective.upper(): one for objective, one in language_model_tables(results).items()
        },
        "maps": {
            "panels": map_panels(results),
            "legend": language_legend(results, map_languages(results)),
            "messages": formats.count(map_messages(results)),
        },
        "data": {
            "sources": sources_table(results),
            "dropped": dropped_table(results),
            "splits": splits_table(results),
            "pairs": pair_counts(results),
        },
        "tokenizer": tokenizer_table(results),
        "vocabulary": _vocabulary(results),
        "recipe": results.get("recipe") or "",
        "facts": facts(results),
        "signatures": signatures(results),
    }


def _date(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment.day} {moment:%B %Y, %H:%M}"


def _vocabulary(results: Results) -> str:
    size = (results.get("tokenizer") or {}).get("vocabulary_size")
    return formats.count(size) if size else ""


def _tasks(results: Results) -> list[dict[str, Any]]:
    """Return what is shown of every task; what was said of an earlier one's languages is not."""
    shown, said = [], set[str]()
    for name in task_names(results):
        task = _task(results, name)
        if task["bias"] is not None:
            fresh = tuple(one for one in task["bias"].sentences if one not in said)
            said.update(fresh)
            task["bias"] = replace(task["bias"], sentences=fresh)
        shown.append(task)
    return shown


def _task(results: Results, name: str) -> dict[str, Any]:
    models = models_on(results, name)
    first = next(iter(models.values()))
    best = best_of({key: transfer_average(results, m, main_metric(m)) for key, m in models.items()})
    shown = best or next(reversed(models))
    return {
        "name": task_title(results, name),
        "heading": _heading(results, first),
        "source": language_name(results, source_of(results, first)),
        "learned": learned_in(results, first),
        "alone": learned_in_one(results, first),
        "labels": first.get("labels") or [],
        "metrics": [metric_title(name) for name in task_metrics(first)],
        "table": transfer_table(results, name),
        "selection": selection_table(results, name),
        "trials": trials_table(results, name),
        "seeds": seeds_table(results, name),
        "bars": transfer_bars(results, name),
        "legend": model_legend(results, models),
        "chart": adaptation_chart(results, name),
        "learning": learning_curves(results, name),
        "notes": _notes(results, models),
        "bias": bias_section(results, results["models"][shown], models[shown]),
        "confusions": confusion_panels(results, models[shown]),
        "classes": class_table(results, models[shown]),
        "calibration": calibration_table(results, name),
        "answer": counted_answer(first),
        "reliability": reliability_panels(results, name),
        "other_languages": language_legend(results, others_of(results, first)),
        "language_legend": language_legend(results, list(first["languages"])),
        "examples": _examples(results, models[shown]),
        "example_model": model_title(results, shown),
    }


def _heading(results: Results, task: Mapping[str, Any]) -> str:
    if not others_of(results, task):
        return f"Learned from labels in {learned_in(results, task)}"
    return f"From {language_name(results, source_of(results, task))} to the other languages"


def _notes(results: Results, models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    of_kinds = (
        *(doubt_notes, bad_input_notes, unknown_notes, left_out_notes),
        *(tagging_notes, asking_notes),
    )
    return [note for notes in of_kinds for note in notes(results, models)]


def _retrieval(results: Results) -> dict[str, Any] | None:
    models = models_with(results, "retrieval")
    if not models:
        return None
    first = next(iter(models.values()))["retrieval"]
    sizes = {model["retrieval"].get("candidates") for model in models.values()}
    layers = {
        model_title(results, key): model["retrieval"].get("layer") for key, model in models.items()
    }
    return {
        "table": retrieval_table(results),
        "bars": retrieval_bars(results),
        "legend": model_legend(results, models),
        "pivot": language_name(results, first.get("pivot") or results.get("source_language", "")),
        "candidates": formats.count(sizes.pop() or 0) if len(sizes) == 1 else "",
        "layers": {title: layer for title, layer in layers.items() if layer is not None},
    }


def _examples(results: Results, task: Mapping[str, Any]) -> list[tuple[str, str, list[Example]]]:
    """Return (code, name, examples) of each language: a few right ones, then a few wrong ones."""
    examples: Mapping[str, list[Mapping[str, Any]]] = task.get("examples") or {}
    shown = []
    for code in ordered_languages(results, examples):
        made = [_example(one) for one in examples[code]]
        kept = [one for one in made if one.right][:_EXAMPLES_OF_A_KIND]
        kept += [one for one in made if not one.right][:_EXAMPLES_OF_A_KIND]
        if kept:
            shown.append((code, language_name(results, code), kept))
    return shown


def _example(one: Mapping[str, Any]) -> Example:
    probability = one.get("probability")
    return Example(
        text=shortened(str(one["text"]), _EXAMPLE_LENGTH),
        label=str(one["label"]),
        predicted=str(one["predicted"]),
        probability="" if probability is None else f"{probability:.0%}",
        right=one["label"] == one["predicted"],
    )
