"""How an adaptation is validated, and the models of its best steps kept.

A validated step is saved as the final model is, and measured as that will be, so every kind of task
and every family of models is chosen by the very numbers that are reported.
"""

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from xlmkit.core.errors import UserError
from xlmkit.tasks.base import Backbone, TaskConfig, TaskData
from xlmkit.train.adaptation import Adaptation
from xlmkit.train.hooks import point
from xlmkit.train.kept import KeptSteps
from xlmkit.train.selection import (
    SELECTION,
    best_step,
    kept_steps,
    own_steps,
    validations_since_best,
)
from xlmkit.train.session import Weights
from xlmkit.train.state import TrainingState

STEPS_FOLDER = "steps"


@dataclass(slots=True)
class Selection:
    """Measures a model in the middle of its adaptation and keeps the best steps.

    Attributes:
        adaptation: what is trained.
        backbone: what it began as.
        config: the task.
        data: its examples, those of validation in the place of those of the test.
        sources: languages whose labels are learned.
        folder: of the stage; the models lie below it, each in a folder named by its step.
        provenance: what stands beside the models.
        kept: the models of the best steps.

    Raises:
        UserError: a source language has no texts of validation.
    """

    adaptation: Adaptation
    backbone: Backbone
    config: TaskConfig
    data: TaskData
    sources: Sequence[str]
    folder: Path
    provenance: Mapping[str, Any]
    kept: KeptSteps = field(init=False)

    def __post_init__(self) -> None:
        wanted = partial(kept_steps, sources=self.sources)
        self.kept = KeptSteps(self.folder / STEPS_FOLDER, wanted)
        self._expect_sources({code for code, part in self.data.test.items() if part})

    def validate(self, model: nn.Module, state: TrainingState, weights: Weights) -> None:
        """Measure every language, and keep the step's model if it is the best for anybody.

        Raises:
            UserError: a source language has none that can be measured.
        """
        here = self.kept.path(state.step)
        shutil.rmtree(here, ignore_errors=True)  # of a run that was killed just now
        self.adaptation.save(here, weights(), self.provenance)
        model.eval()
        measured = self.data.measure(self.backbone, here, self.config, self.sources)
        metric, languages = measured["metrics"][0], measured["languages"]
        self._expect_sources(languages)
        for code, scores in languages.items():
            value = scores[metric]["value"]
            values = {} if value is None else {"value": value}
            state.curve.append(point(state, SELECTION, code, "valid", values))
        self.kept.on_measured(state)

    def _expect_sources(self, languages: Collection[str]) -> None:
        missing = [code for code in self.sources if code not in languages]
        if missing:
            where, mend = "its valid files have", "add a file in it, or leave out `valid`"
            if self.config.valid_share is not None:
                where, mend = "its valid_share leaves", "raise it, or give valid files"
            raise UserError(
                f"{where} no text in {missing[0]}, whose labels are learned and which therefore "
                f"chooses the step; {mend}."
            )

    def enough(self, state: TrainingState) -> bool:
        """Tell whether the source languages have not grown better for long enough."""
        patience = self.config.patience
        since = validations_since_best(state.curve, self.sources)
        return patience is not None and since >= patience

    def take_best(self, state: TrainingState) -> dict[str, Any]:
        """Put the model that the source languages choose where the stage's model belongs.

        Returns:
            The step that the source languages choose, and that of each language.
        """
        best = best_step(state.curve, self.sources)
        assert best is not None  # noqa: S101 - the last step is always validated
        shutil.copytree(self.kept.path(best), self.folder, dirs_exist_ok=True)
        return {"source_selected": best, "own_selected": own_steps(state.curve)}


def step_folder(folder: Path, step: int) -> Path:
    """Return where the model of a step is kept."""
    return folder / STEPS_FOLDER / str(step)
