"""What all stages with models share: the plan, the device, and the tasks' examples."""

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from xlmkit.build.backbones import open_backbone
from xlmkit.core.device import bound_shape_cache, choose_device, choose_dtype, tune_allocator
from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.core.machine import package_versions
from xlmkit.plan import RunPlan
from xlmkit.tasks.bad_input import BadInput
from xlmkit.tasks.base import Backbone, TaskConfig, TaskData
from xlmkit.train.placing import place
from xlmkit.train.tracking import Tracking


class Setting:
    """A plan on this machine.

    Args:
        plan: the stages.
        threads: of the processor; by default those of the plan.

    Attributes:
        plan: the stages.
        recipe: what the plan follows.
        device: where models compute.
    """

    def __init__(self, plan: RunPlan, threads: int | None = None) -> None:
        self.plan, self.recipe = plan, plan.recipe
        self.device = choose_device()
        self._versions = package_versions()
        self._data: dict[tuple[str, bool, int | None], tuple[TaskData, BadInput]] = {}
        self._open: tuple[str, Backbone] | None = None
        tune_allocator()
        bound_shape_cache()
        # Processes of one machine share its cores, unless the recipe says how many each takes.
        sharing = 1 if self.recipe.threads else plan.processes.on_this_machine
        torch.set_num_threads(max(1, (threads or plan.threads) // sharing))

    @property
    def dtype(self) -> torch.dtype:
        """What models train in."""
        return choose_dtype(self.recipe.precision, self.device)

    def placed(self, model: nn.Module, *, compiles: bool = False) -> nn.Module:
        """Move a model to the device, ready to be trained there, see `train.placing`."""
        return place(model, self.device, self.dtype, compiles=compiles)

    def backbone(self, name: str) -> Backbone:
        """Return a model to be measured, which stays open until another is asked for.

        Raises:
            UserError: see `open_backbone`.
        """
        if self._open is None or self._open[0] != name:
            self._open = None  # before the next one takes memory
            self._open = name, open_backbone(self.plan, name)
        return self._open[1]

    def task_data(self, task: str, seed: int | None = None) -> TaskData:
        """Return a task's examples, read once for all models, and seeds if they draw none.

        Args:
            task: its name.
            seed: draws the examples that few are learned of; by default the first.

        Raises:
            UserError: the task has no labels, or none that its test texts have.
        """
        config = self.recipe.finetune[task]
        if not any(known == task and not validates for known, validates, _ in self._data):
            for path in config.files_learned_and_tested(self.plan.task_inputs):
                say(f"finetune.{task}: {path.name} is learned and tested on; is it the right file?")
        return self._read(task, config, seed, validates=False)[0]

    def bad_input(self, task: str) -> BadInput:
        """Return what is wrong in a task's files, as it was counted when they were read."""
        return self._read(task, self.recipe.finetune[task], None, validates=False)[1]

    def validation_data(self, task: str, seed: int | None = None) -> TaskData | None:
        """Return a task's examples with those of validation for those of the test, if any.

        They are read once, as those of `task_data`.

        Raises:
            UserError: none has a label that is learned.
        """
        config = self.recipe.finetune[task].validation()
        return None if config is None else self._read(task, config, seed, validates=True)[0]

    def _read(
        self, task: str, config: TaskConfig, seed: int | None, *, validates: bool
    ) -> tuple[TaskData, BadInput]:
        seed = self.plan.seeds(task)[0] if seed is None else seed
        title = f"{task}.valid" if validates else task
        key = task, validates, None if config.few_shot is None else seed
        if key not in self._data:
            bad = BadInput()  # of this reading alone
            inputs = replace(self.plan.task_inputs, seed=seed, task=title, bad=bad)
            try:
                self._data[key] = config.load(inputs), bad
            except UserError as error:
                raise UserError(f"finetune.{title}: {error}") from None
        return self._data[key]

    def adapted_title(self, name: str, task: str, seed: int) -> str:
        """Return what a bar calls a model that learns a task, or has learned it."""
        told = f", seed {seed}" if len(self.plan.seeds(task)) > 1 else ""
        return f"{self.plan.models()[name].title or name} on {task}{told}"

    def sources(self, task: str) -> tuple[str, ...]:
        """Return the languages whose labels a task learns."""
        return self.plan.task_inputs.sources(self.recipe.finetune[task])

    @property
    def tracking(self) -> Tracking:
        """Where figures of trainings go."""
        recipe = self.recipe.model_dump(mode="json")
        return Tracking(self.recipe.trackers, self.recipe.name, self.plan.folder, recipe)

    def provenance(self) -> dict[str, Any]:
        """Return what stands beside every model that is made."""
        recipe = self.recipe.model_dump(mode="json", exclude={"tracking"})
        return {"recipe": recipe, "versions": self._versions, "seed": self.recipe.seed}
