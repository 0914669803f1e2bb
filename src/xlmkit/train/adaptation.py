"""What adapting a model to a task is, whichever library the model is of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from xlmkit.objectives.base import Objective

Save = Callable[[Path, Mapping[str, Tensor], Mapping[str, Any]], None]
"""Writes a model's folder, from its trained parameters by name and what made it."""


class TaskObjective(Objective, Protocol):
    """What a task teaches; its examples are finite."""

    batches_per_epoch: int


@dataclass(frozen=True, slots=True)
class Adaptation:
    """A model with a fresh head, and what it learns.

    Attributes:
        model: is trained.
        objective: gives the batches and the loss.
        save: keeps the result as the model's own library opens it.
    """

    model: nn.Module
    objective: TaskObjective
    save: Save
