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
    plan = setting.plan
    if not (tried := plan.trials(task)):
        figures = _train(setting, name, task, None, seed, folder)
        write_json(folder / FIGURES_FILE, figures)
    else:
        trials = sweep(setting, name, task)
        best = chosen(tried, trials)
        stage = plan.trial(name, task, best)
        # The choice of the first seed holds for all; its own model is there already.
        taken = take_model(stage, folder) if seed == plan.seeds(task)[0] else None
        figures = taken or _train(setting, name, task, best, seed, folder)
        write_json(folder / FIGURES_FILE, {**figures, "trials": trials})
        forget_models(stage.folder.parent)
    forget_training(folder, figures)


def _train(
    setting: Setting, name: str, task: str, trial: Trial | None, seed: int, folder: Path
) -> dict[str, Any]:
    plan = setting.plan
    config = plan.settings(name, task, trial)
    title = f"finetuning {setting.adapted_title(name, task, seed)}"
    stage = plan.finetuned(name, task, seed)
    return Adapting(setting, name, task, config, seed, stage, title).run(folder)
