"""How a model is measured: its words, its translations, and every task."""

from pathlib import Path
from typing import Any

from xlmkit.build.backbones import open_backbone
from xlmkit.build.finding_translations import measure_translations
from xlmkit.build.setting import Setting
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.files import read_json, write_json
from xlmkit.data.shards import Shards
from xlmkit.evaluate.language_modeling import measure_language_modeling
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
    figures |= measure_translations(plan, backbone)
    for task, config in recipe.finetune.items():
        stage = plan.finetuned(name, task).folder
        sources = list(config.source_languages or recipe.languages[:1])
        measured = setting.task_data(task).measure(backbone, stage, config, sources)
        curve = read_json(stage / FIGURES_FILE)["curve"]
        figures["tasks"][task] = {**measured, "curve": curve}
    write_json(folder / FIGURES_FILE, figures)
