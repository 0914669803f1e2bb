"""How a model is measured: its words, its translations, and every task.

What it answers to the test texts of a task, with a seed, is a stage of its own: hours of measuring
go on where they were stopped, and one more task asks for that one only.
"""

import shutil
from pathlib import Path
from typing import Any

import torch

from xlmkit.build.finding_translations import measure_translations
from xlmkit.build.selecting import step_folder
from xlmkit.build.setting import Setting
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.files import read_json, write_json
from xlmkit.core.machine import processor_name
from xlmkit.core.progress import progress
from xlmkit.data.shards import Shards
from xlmkit.evaluate.inference import tell_of_unknown
from xlmkit.evaluate.language_modeling import measure_language_modeling
from xlmkit.evaluate.outcomes import FOLDER as OUTCOMES
from xlmkit.evaluate.outcomes import save_outcomes
from xlmkit.evaluate.seeds import over_seeds
from xlmkit.evaluate.selected import languages_by_step, selected
from xlmkit.evaluate.words import count_words
from xlmkit.plan import FIGURES_FILE
from xlmkit.tasks.base import Backbone

_OUTCOMES_FILE = f"{OUTCOMES}.npz"


def measure(setting: Setting, name: str, folder: Path) -> None:
    """Measure one model in every language, with everything that the recipe asks for.

    What it answers to tasks is there already, see `ask`.
    """
    plan, recipe, settings = setting.plan, setting.recipe, setting.recipe.evaluate
    backbone = setting.backbone(name)
    figures: dict[str, Any] = {"parameters": backbone.n_parameters, "tasks": {}}
    figures["device"] = _device(setting)
    figures["unknown_languages"] = list(backbone.unknown_languages)
    if settings.language_modeling and plan.models()[name].trained:
        # A ready model cuts text into other tokens, and so its perplexity tells nothing here.
        model = Bundle.load(plan.pretrained(name).folder).language_model().to(setting.device)
        figures["language_modelling"] = measure_language_modeling(
            model, Shards(plan.shards.folder), "test"
        )
    figures |= measure_translations(plan, backbone, folder)
    for task in recipe.finetune:
        seeds = plan.seeds(task)
        stages = [plan.asked(name, task, seed).folder for seed in seeds]
        first, *others = found = [read_json(stage / FIGURES_FILE) for stage in stages]
        title = setting.adapted_title(name, task, seeds[0])
        data = setting.task_data(task, seeds[0])
        for language, part in first["languages"].items():
            texts = data.texts(language)
            cut = backbone.cut(texts, language)
            part["tokens_per_word"] = cut.tokens / max(1, count_words(texts, language))
            part["unknown_share"] = cut.unknown_share
            tell_of_unknown(cut.unknown_share, language, title)
        if (outcomes := stages[0] / _OUTCOMES_FILE).is_file():
            (folder / OUTCOMES).mkdir(exist_ok=True)
            shutil.copyfile(outcomes, folder / OUTCOMES / f"{task}.npz")
        if bad := setting.bad_input(task).to_json():
            first["bad_input"] = bad
        spread = {"seeds": over_seeds(dict(zip(seeds, found, strict=True)))} if others else {}
        figures["tasks"][task] = {**first, **spread}
    write_json(folder / FIGURES_FILE, figures)


def ask(setting: Setting, name: str, task: str, seed: int, folder: Path) -> None:
    """Measure a model that was adapted to a task with a seed, in every language of its test."""
    found = _asked(setting, setting.backbone(name), name, task, seed)
    if outcomes := found.pop("outcomes", None):
        save_outcomes(folder / _OUTCOMES_FILE, outcomes)
    write_json(folder / FIGURES_FILE, found)


def _asked(setting: Setting, backbone: Backbone, name: str, task: str, seed: int) -> dict[str, Any]:
    config, stage = setting.recipe.finetune[task], setting.plan.finetuned(name, task, seed).folder
    sources, data = setting.sources(task), setting.task_data(task, seed)
    adapted = read_json(stage / FIGURES_FILE)
    title = f"measuring {setting.adapted_title(name, task, seed)}"
    with progress(title, data.test_size, "examples") as bar:
        measured = data.measure(backbone, stage, config, sources, bar.advance)
    if chosen := adapted.get("selection"):
        steps = {
            step: data.of(codes)
            for step, codes in languages_by_step(chosen["own_selected"], measured).items()
            if step != chosen["source_selected"]
        }
        examples = sum(part.test_size for part in steps.values())
        with progress(f"{title}, own steps", examples, "examples") as bar:
            made = {
                step: part.measure(backbone, step_folder(stage, step), config, sources, bar.advance)
                for step, part in steps.items()
            }
        measured |= selected(measured, made, chosen)
    trials = {"trials": adapted["trials"]} if "trials" in adapted else {}
    return {**measured, "bytes": _weights(stage), "curve": adapted["curve"], **trials}


def _device(setting: Setting) -> dict[str, str | int]:
    """Return what the answers were computed on: with it, speeds can be told from one another."""
    gpu = setting.device.type == "cuda"
    name = torch.cuda.get_device_name(setting.device) if gpu else processor_name()
    return {"name": name, "threads": torch.get_num_threads()}


def _weights(folder: Path) -> int:
    """Return the bytes of a model's weights on disk."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))
