"""How a pretrained model is adapted to a task."""

from pathlib import Path

import torch

from xlmkit.build.backbones import open_backbone
from xlmkit.build.setting import Setting
from xlmkit.core.device import choose_dtype
from xlmkit.core.files import write_json
from xlmkit.core.process import Processes
from xlmkit.data.permutation import key_of
from xlmkit.plan import FIGURES_FILE
from xlmkit.train.loop import Plan
from xlmkit.train.session import Session
from xlmkit.train.state import STATE_FILE


def finetune(setting: Setting, name: str, task: str, folder: Path) -> None:
    """Adapt a pretrained model to a task and save it."""
    run, recipe = setting.plan, setting.recipe
    config, model = recipe.finetune[task], run.models()[name]
    backbone = open_backbone(run, name)
    torch.manual_seed(key_of(recipe.seed, "classifier") >> 1)
    adaptation = setting.task_data(task).adapt(backbone, config, (recipe.seed, task))
    steps = max(1, round(config.epochs * adaptation.objective.batches_per_epoch))
    optimizer = config.optimizer
    if model.finetune_lr is not None:
        optimizer = optimizer.model_copy(update={"lr": model.finetune_lr})
    session = Session(
        title=f"finetuning {model.title or name}",
        plan=Plan([adaptation.objective], [1.0], steps, seed=(recipe.seed, task)),
        optimizer=optimizer,
        dtype=choose_dtype(recipe.precision, setting.device),
        folder=folder,
        key=run.finetuned(name, task).key,
        checkpoint_seconds=60 * recipe.pretrain.checkpoint_minutes,
        points=recipe.pretrain.points,
        estimated_tokens=steps * config.tokens_per_batch,
    )
    state, weights = session.run(adaptation.model.to(setting.device), Processes())
    figures = {"steps": state.step, "seconds": state.seconds, "curve": state.curve}
    provenance = {**setting.provenance(), "finetuning": figures}
    if model.ready:
        provenance["checkpoint"] = run.checkpoint(name).to_json()
    adaptation.save(folder, weights, provenance)
    write_json(folder / FIGURES_FILE, figures)
    (folder / STATE_FILE).unlink(missing_ok=True)
