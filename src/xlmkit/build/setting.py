"""What all stages with models share: the plan, the device, and the tasks' examples."""

from typing import Any

import torch

from xlmkit.core.device import choose_device, tune_allocator
from xlmkit.core.errors import UserError
from xlmkit.core.machine import package_versions
from xlmkit.plan import RunPlan
from xlmkit.tasks.classification import ClassificationData, load_classification


class Setting:
    """A plan on this machine.

    Attributes:
        plan: the stages.
        recipe: what the plan follows.
        device: where models compute.
    """

    def __init__(self, plan: RunPlan) -> None:
        self.plan, self.recipe = plan, plan.recipe
        self.device = choose_device()
        self._versions = package_versions()
        self._data: dict[str, ClassificationData] = {}
        tune_allocator()
        # Processes of one machine share its cores, unless the recipe says how many each takes.
        sharing = 1 if self.recipe.threads else plan.processes.on_this_machine
        torch.set_num_threads(max(1, plan.threads // sharing))

    def task_data(self, task: str) -> ClassificationData:
        """Return a task's examples, read once for all models.

        Raises:
            UserError: the task has no labels, or none that its test texts have.
        """
        if task not in self._data:
            config, plan = self.recipe.finetune[task], self.plan
            try:
                self._data[task] = load_classification(
                    config, plan.corpus.folder, plan.base, self.recipe.languages
                )
            except UserError as error:
                raise UserError(f"finetune.{task}: {error}") from None
            if config.test and not self._data[task].test:
                raise UserError(
                    f"finetune.{task}: no text of its test files has a label that is among those "
                    f"of its train files ({', '.join(self._data[task].labels[:5])})."
                )
        return self._data[task]

    def provenance(self) -> dict[str, Any]:
        """Return what stands beside every model that is made."""
        recipe = self.recipe.model_dump(mode="json")
        return {"recipe": recipe, "versions": self._versions, "seed": self.recipe.seed}
