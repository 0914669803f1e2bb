"""One training of a pretrained model on a task, with given settings and a seed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from xlmkit.build.backbones import open_backbone
from xlmkit.build.selecting import Selection, step_folder
from xlmkit.build.setting import Setting
from xlmkit.core.errors import UserError
from xlmkit.core.process import Processes
from xlmkit.core.stages import Stage
from xlmkit.data.permutation import key_of
from xlmkit.tasks.base import TaskConfig
from xlmkit.train.adaptation import Adaptation
from xlmkit.train.depth import frozen, rate_factors
from xlmkit.train.loop import Plan
from xlmkit.train.session import Session
from xlmkit.train.state import STATE_FILE


@dataclass(frozen=True, slots=True)
class Adapting:
    """An adaptation.

    Attributes:
        setting: the plan, and where models compute.
        name: of the model.
        task: of the task.
        config: the task's settings.
        seed: of the head, the order of the examples and the dropout.
        stage: its key is the training's, and its folder names the training for trackers.
        title: shown before the progress.
    """

    setting: Setting
    name: str
    task: str
    config: TaskConfig
    seed: int
    stage: Stage
    title: str

    def run(self, folder: Path) -> dict[str, Any]:
        """Train, going on from a checkpoint in the folder, and save the model there.

        Returns:
            Its figures: `steps`, `seconds`, `curve`, and `selection` where valid texts chose.

        Raises:
            UserError: the model cannot learn this task.
            DivergedError: the loss is not finite.
        """
        setting, seed = self.setting, (self.seed, self.task)
        backbone = open_backbone(setting.plan, self.name)
        torch.manual_seed(key_of(self.seed, "classifier") >> 1)
        data = setting.task_data(self.task, self.seed)
        adaptation = data.adapt(backbone, self.config, seed)
        provenance, selection = self._provenance(), None
        if (valid := setting.validation_data(self.task, self.seed)) is not None:
            sources = setting.sources(self.task)
            with self._named():
                selection = Selection(
                    adaptation, backbone, self.config, valid, sources, folder, provenance
                )
        trained = setting.placed(adaptation.model)
        session = self._session(adaptation, folder, self._by_layer(trained))
        if selection is None:
            state, weights = session.run(trained, Processes())
        else:
            with self._named():
                state, _ = session.run(
                    trained,
                    Processes(),
                    selection.validate,
                    selection.enough,
                    selection.kept.on_saved,
                )
        figures = {"steps": state.step, "seconds": state.seconds, "curve": state.curve}
        if selection is None:
            adaptation.save(folder, weights, {**provenance, "finetuning": figures})
        else:
            figures["selection"] = selection.take_best(state)
        return figures

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Tell with a mistake to which task it belongs."""
        try:
            yield
        except UserError as error:
            raise type(error)(f"finetune.{self.task}: {error}") from None

    def _session(self, adaptation: Adaptation, folder: Path, factors: dict[str, float]) -> Session:
        """Return the training around the model."""
        config, recipe = self.config, self.setting.recipe
        per_epoch = adaptation.objective.batches_per_epoch
        steps = max(1, round(config.epochs * per_epoch))
        return Session(
            title=self.title,
            plan=Plan([adaptation.objective], [1.0], steps, seed=(self.seed, self.task)),
            optimizer=config.optimizer,
            dtype=self.setting.dtype,
            folder=folder,
            key=self.stage.key,
            checkpoint_seconds=60 * recipe.pretrain.checkpoint_minutes,
            points=recipe.pretrain.points,
            estimated_tokens=steps * config.tokens_per_batch,
            validate_every=config.validate_steps
            or max(1, round(config.validate_every * per_epoch)),
            factors=factors,
            tracking=self.setting.tracking,
            name=self.stage.folder.relative_to(self.setting.plan.folder).as_posix(),
        )

    def _by_layer(self, model: nn.Module) -> dict[str, float]:
        """Freeze what is not to be learned; return the factors of the others' rates."""
        config, names = self.config, [name for name, _ in model.named_parameters()]
        try:
            still = frozen(names, config.freeze) if config.freeze is not None else set()
            factors = rate_factors(names, config.layer_decay) if config.layer_decay < 1 else {}
        except UserError as error:
            raise UserError(f"finetune.{self.task}, model {self.name}: {error}") from None
        for name, parameter in model.named_parameters():
            if name in still:
                parameter.requires_grad_(False)
        return factors

    def _provenance(self) -> dict[str, Any]:
        made_by = {**self.setting.provenance(), "seed": self.seed}
        plan = self.setting.plan
        if plan.models()[self.name].ready:
            made_by["checkpoint"] = plan.checkpoint(self.name).to_json()
        return made_by


def forget_training(folder: Path, figures: dict[str, Any]) -> None:
    """Remove what a training goes on from, once its model and figures are saved."""
    (folder / STATE_FILE).unlink(missing_ok=True)
    if selection := figures.get("selection"):  # it stands in the stage's own folder now
        shutil.rmtree(step_folder(folder, selection["source_selected"]))
