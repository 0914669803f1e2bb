"""How a pretrained model is adapted to a task."""

import shutil
from pathlib import Path
from typing import Any

import torch
from torch import nn

from xlmkit.build.backbones import open_backbone
from xlmkit.build.selecting import Selection, step_folder
from xlmkit.build.setting import Setting
from xlmkit.core.device import choose_dtype
from xlmkit.core.errors import UserError
from xlmkit.core.files import write_json
from xlmkit.core.process import Processes
from xlmkit.data.permutation import key_of
from xlmkit.plan import FIGURES_FILE
from xlmkit.tasks.base import TaskConfig
from xlmkit.train.depth import frozen, rate_factors
from xlmkit.train.loop import Plan
from xlmkit.train.session import Session
from xlmkit.train.state import STATE_FILE


def finetune(setting: Setting, name: str, task: str, seed: int, folder: Path) -> None:
    """Adapt a pretrained model to a task, with a seed, and save it."""
    run, recipe = setting.plan, setting.recipe
    config, model = recipe.finetune[task], run.models()[name]
    backbone = open_backbone(run, name)
    torch.manual_seed(key_of(seed, "classifier") >> 1)
    adaptation = setting.task_data(task, seed).adapt(backbone, config, (seed, task))
    steps = max(1, round(config.epochs * adaptation.objective.batches_per_epoch))
    optimizer = config.optimizer
    if model.finetune_lr is not None:
        optimizer = optimizer.model_copy(update={"lr": model.finetune_lr})
    provenance = {**setting.provenance(), "seed": seed}
    if model.ready:
        provenance["checkpoint"] = run.checkpoint(name).to_json()
    selection = None
    if (valid := setting.validation_data(task, seed)) is not None:
        selection = Selection(
            adaptation, backbone, config, valid, setting.sources(task), folder, provenance
        )
    every = max(1, round(config.validate_every * adaptation.objective.batches_per_epoch))
    trained = adaptation.model.to(setting.device)
    factors = _by_layer(trained, config, f"finetune.{task}, model {name}")
    session = Session(
        title=f"finetuning {model.title or name}",
        plan=Plan([adaptation.objective], [1.0], steps, seed=(seed, task)),
        optimizer=optimizer,
        dtype=choose_dtype(recipe.precision, setting.device),
        folder=folder,
        key=run.finetuned(name, task, seed).key,
        checkpoint_seconds=60 * recipe.pretrain.checkpoint_minutes,
        points=recipe.pretrain.points,
        estimated_tokens=steps * config.tokens_per_batch,
        validate_every=every,
        factors=factors,
    )
    if selection is None:
        state, weights = session.run(trained, Processes())
    else:
        try:
            state, _ = session.run(trained, Processes(), selection.validate, selection.enough)
        except UserError as error:
            raise UserError(f"finetune.{task}: {error}") from None
    figures: dict[str, Any] = {"steps": state.step, "seconds": state.seconds, "curve": state.curve}
    if selection is None:
        adaptation.save(folder, weights, {**provenance, "finetuning": figures})
    else:
        figures["selection"] = selection.take_best(state)
    write_json(folder / FIGURES_FILE, figures)
    (folder / STATE_FILE).unlink(missing_ok=True)
    if selection is not None:  # it stands in the stage's own folder now
        shutil.rmtree(step_folder(folder, figures["selection"]["source_selected"]))


def _by_layer(model: nn.Module, config: TaskConfig, place: str) -> dict[str, float]:
    """Freeze the parameters that are not to be learned; return the factors of the others' rates."""
    names = [name for name, _ in model.named_parameters()]
    try:
        still = frozen(names, config.freeze) if config.freeze is not None else set()
        factors = rate_factors(names, config.layer_decay) if config.layer_decay < 1 else {}
    except UserError as error:
        raise UserError(f"{place}: {error}") from None
    for name, parameter in model.named_parameters():
        if name in still:
            parameter.requires_grad_(False)
    return factors
