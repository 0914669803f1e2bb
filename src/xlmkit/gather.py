"""All figures of a run in one file, and the report made from them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from xlmkit.core.config import to_yaml
from xlmkit.core.files import json_text, read_json, write_json
from xlmkit.core.machine import describe_machine, package_versions
from xlmkit.data.corpus_report import read_report
from xlmkit.data.shards import Shards
from xlmkit.evaluate.report import print_summary, write_report
from xlmkit.evaluate.results import gaps
from xlmkit.evaluate.results_csv import write_csv
from xlmkit.plan import FIGURES_FILE, STATISTICS_FILE, RunPlan
from xlmkit.text.languages import language
from xlmkit.text.sampling import sampling_probabilities


def write_results(plan: RunPlan) -> None:
    """Write results.json, results.csv and report.html, and print the main tables."""
    path = plan.folder / "results.json"
    results = gather_results(plan)
    if path.is_file() and (before := _same_but_for_time(path, results)):
        results = before
    write_json(path, results)
    write_csv(results, plan.folder / "results.csv")
    write_report(results, plan.folder / "report.html")
    print_summary(results)


def _same_but_for_time(path: Path, results: dict[str, Any]) -> dict[str, Any] | None:
    """Return the results that were written before, if nothing but the date has changed since."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    now = json.loads(json_text({**results, "created": before.get("created")}))
    return before if before == now else None


def gather_results(plan: RunPlan) -> dict[str, Any]:
    """Return everything that was measured, with what made it."""
    recipe = plan.recipe
    return {
        "name": recipe.name,
        "title": recipe.title,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": recipe.seed,
        "source_language": recipe.languages[0],
        "languages": list(recipe.languages),
        "language_names": {code: language(code).name for code in recipe.languages},
        "machine": {**describe_machine(), "threads": plan.threads},
        "versions": package_versions(),
        "durations": _durations(plan),
        "recipe": to_yaml(recipe),
        "data": _data(plan),
        "tokenizer": _tokenizer(plan),
        "models": {name: _model(plan, name) for name in plan.models()},
        "translators": {
            name: {
                "title": translator.title or name,
                **read_json(plan.translated(name).folder / FIGURES_FILE),
                **read_json(plan.tested(name).folder / FIGURES_FILE),
            }
            for name, translator in plan.translators().items()
        },
    }


def _durations(plan: RunPlan) -> dict[str, float]:
    """Return seconds by stage, as they were when the stage was made."""
    seconds = {}
    if prepared := plan.stages("prepare"):
        seconds["prepare"] = sum(stage.seconds for stage in prepared)
    for name, model in plan.models().items():
        title = model.title or name
        seconds[f"{'open' if model.ready else 'pretrain'} {title}"] = plan.pretrained(name).seconds
        measured = [plan.measured(name)]
        for task in plan.recipe.finetune:
            made = plan.adapted(name, task)
            seconds[f"finetune {title}: {task}"] = sum(stage.seconds for stage in made)
            asked = [plan.asked(name, task, seed) for seed in plan.seeds(task)]
            measured += [stage for stage in asked if stage.finished]
        seconds[f"evaluate {title}"] = sum(stage.seconds for stage in measured)
    for name, translator in plan.translators().items():
        seconds[f"train {translator.title or name}"] = plan.translated(name).seconds
        seconds[f"evaluate translator {translator.title or name}"] = plan.tested(name).seconds
    return {title: round(value, 1) for title, value in seconds.items()}


def _data(plan: RunPlan) -> dict[str, Any] | None:
    if plan.recipe.data is None:
        return None
    report = read_report(plan.corpus.folder)
    sources = [
        {
            "name": name,
            "kind": source.kind,
            "read": source.read.total(),
            "kept": source.kept.total(),
            "dropped": {reason: counts.total() for reason, counts in source.dropped.items()},
            "bad_lines": sum(source.bad_lines.values()),
            "texts": dict(source.kept),
        }
        for name, source in report.sources.items()
    ]
    splits = {
        name: {"records": split.records, "texts": dict(split.texts)}
        for name, split in report.splits.items()
    }
    pairs: dict[str, int] = {}
    if plan.recipe.makes_models:
        found = Shards(plan.shards.folder).pairs("train")
        pairs = {f"{a}-{b}": len(numbers) for (a, b), numbers in found.items()}
    return {"sources": sources, "splits": splits, "pairs": pairs}


def _tokenizer(plan: RunPlan) -> dict[str, Any] | None:
    if not plan.recipe.makes_models:
        return None
    statistics = read_json(plan.shards.folder / STATISTICS_FILE)
    probabilities = sampling_probabilities(
        {code: part["tokens"] for code, part in statistics.items()}, plan.recipe.tokenizer.alpha
    )
    return {
        "vocabulary_size": Shards(plan.shards.folder).manifest["vocabulary_size"],
        "languages": {
            code: {
                "texts": part["texts"],
                "words": part["words"],
                "tokens": part["tokens"],
                "tokens_per_word": part["tokens"] / max(1, part["words"]),
                "unknown_share": part["unknown"] / max(1, part["tokens"]),
                "sampling_probability": probabilities[code],
            }
            for code, part in statistics.items()
        },
    }


def _model(plan: RunPlan, name: str) -> dict[str, Any]:
    model = plan.models()[name]
    figures = read_json(plan.pretrained(name).folder / FIGURES_FILE)
    measured = read_json(plan.measured(name).folder / FIGURES_FILE)
    for task_name, task in measured["tasks"].items():
        task["title"] = plan.recipe.finetune[task_name].title  # is no reason to measure again
        task["gap"] = gaps(measured, task)
    return {
        "title": model.title or name,
        "checkpoint": figures["checkpoint"] if model.ready else None,
        "pretraining": figures if model.trained else None,
        **measured,
    }
