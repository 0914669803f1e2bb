"""How a pretrained model is adapted to a task."""

from pathlib import Path
from typing import Any

from xlmkit.build.adapting import Adapting, forget_training
from xlmkit.build.setting import Setting
from xlmkit.build.sweeping import chosen, forget_models, sweep, take_model
from xlmkit.core.files import write_json
from xlmkit.plan import FIGURES_FILE
from xlmkit.tasks.sweep import Trial


def finetune(setting: Setting, name: str, task: str, seed: int, folder: Path) -> None:
    """Adapt a pretrained model to a task, with a seed and the best settings, and save it."""
    plan, trial, taken = setting.plan, None, None
    tried: dict[str, Any] = {}
    if trials := plan.trials(task):
        tried["trials"] = sweep(setting, name, task)
        trial = chosen(trials, tried["trials"])
        if seed == plan.seeds(task)[0]:  # whose choice holds for all; its model is there already
            taken = take_model(plan.trial(name, task, trial), folder)
    figures = taken or _train(setting, name, task, trial, seed, folder)
    write_json(folder / FIGURES_FILE, {**figures, **tried})
    if taken is None:
        forget_training(folder, figures)
    if trial is not None:
        forget_models(plan.trial(name, task, trial).folder.parent)


def _train(
    setting: Setting, name: str, task: str, trial: Trial | None, seed: int, folder: Path
) -> dict[str, Any]:
    plan = setting.plan
    config = plan.settings(name, task, trial)
    title = f"finetuning {setting.adapted_title(name, task, seed)}"
    stage = plan.finetuned(name, task, seed)
    return Adapting(setting, name, task, config, seed, stage, title).run(folder)
