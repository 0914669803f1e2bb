"""The loss on held-out text during training, per language, as points of the curve."""

from collections.abc import Sequence

import torch
from torch import nn

from xlmkit.objectives.base import Objective
from xlmkit.train.hooks import point
from xlmkit.train.state import TrainingState


class Validation:
    """Measures objectives over held-out text, always on the same batches.

    Args:
        objectives: built over the validation split.
        batches: how many batches of each.
    """

    def __init__(self, objectives: Sequence[Objective], batches: int) -> None:
        self.objectives, self.batches = objectives, batches

    @torch.no_grad()
    def __call__(self, model: nn.Module, state: TrainingState, weights: object = None) -> None:
        """Append one point for each objective and language; the weights are not kept."""
        del weights
        model.eval()
        for objective in self.objectives:
            parts = torch.zeros(len(objective.groups), 3, dtype=torch.float64)
            for number in range(self.batches):
                parts += objective.loss(model, objective.batch(number)).parts.cpu()
            for language, (loss, count, correct) in zip(
                objective.groups, parts.tolist(), strict=True
            ):
                if count:
                    values = {"loss": loss / count, "accuracy": correct / count}
                    state.curve.append(point(state, objective.name, language, "valid", values))
