"""How a pretrained model is adapted to a task."""

from pathlib import Path
from typing import Any

from xlmkit.build.adapting import Adapting, forget_training
from xlmkit.build.setting import Setting
from xlmkit.build.sweeping import chosen, sweep
from xlmkit.core.files import write_json
from xlmkit.plan import FIGURES_FILE


def finetune(setting: Setting, name: str, task: str, seed: int, folder: Path) -> None:
    """Adapt a pretrained model to a task, with a seed and the best settings, and save it."""
    plan = setting.plan
    trials: dict[str, Any] = {}
    config = plan.settings(name, task)
    if tried := plan.trials(task):
        trials["trials"] = sweep(setting, name, task)
        config = plan.settings(name, task, chosen(tried, trials["trials"]))
    title = f"finetuning {setting.adapted_title(name, task, seed)}"
    stage = plan.finetuned(name, task, seed)
    adapting = Adapting(setting, name, task, config, seed, stage, title)
    figures = adapting.run(folder)
    write_json(folder / FIGURES_FILE, {**figures, **trials})
    forget_training(folder, figures)
