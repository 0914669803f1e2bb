"""How a model is measured: its words, its translations, and every task."""

from pathlib import Path
from typing import Any

from xlmkit.build.backbones import open_backbone
from xlmkit.build.selecting import step_folder
from xlmkit.build.setting import Setting
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.files import read_json, write_json
from xlmkit.data.corpus import read_corpus
from xlmkit.data.shards import Shards
from xlmkit.evaluate.language_modeling import measure_language_modeling
from xlmkit.evaluate.retrieval import measure_retrieval
from xlmkit.evaluate.selected import selected
from xlmkit.plan import FIGURES_FILE


def measure(setting: Setting, name: str, folder: Path) -> None:
    """Measure one model in every language, with everything that the recipe asks for."""
    plan, recipe, settings = setting.plan, setting.recipe, setting.recipe.evaluate
    backbone = open_backbone(plan, name)
    figures: dict[str, Any] = {"parameters": backbone.n_parameters, "tasks": {}}
    if settings.language_modeling and plan.models()[name].trained:
        # A ready model cuts text into other tokens, and so its perplexity tells nothing here.
        model = Bundle.load(plan.pretrained(name).folder).language_model().to(setting.device)
        figures["language_modelling"] = measure_language_modeling(
            model, Shards(plan.shards.folder), "test"
        )
    if settings.retrieval:
        valid, test = (
            list(read_corpus(plan.corpus.folder, split)) if recipe.data else []
            for split in ("valid", "test")
        )
        figures["retrieval"] = measure_retrieval(backbone, valid, test, settings.retrieval)
    for task, config in recipe.finetune.items():
        stage = plan.finetuned(name, task).folder
        sources, data = setting.sources(task), setting.task_data(task)
        adapted = read_json(stage / FIGURES_FILE)
        measured = data.measure(backbone, stage, config, sources)
        if chosen := adapted.get("selection"):
            made = {
                step: data.measure(backbone, step_folder(stage, step), config, sources)
                for step in set(chosen["own_selected"].values()) - {chosen["source_selected"]}
            }
            measured |= selected(measured, made, chosen)
        figures["tasks"][task] = {**measured, "curve": adapted["curve"]}
    write_json(folder / FIGURES_FILE, figures)
