"""What the training loop knows of an objective: its batches and its loss.

An objective is one file. `batch(number)` is a pure function of the number and of the seed given at
the start, runs in the loader's thread, and needs no state; `loss(model, batch)` returns sums, which
the loop divides once, by the count over all processes and accumulated batches.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class LossOutput:
    """A loss before it is averaged.

    Attributes:
        sum: differentiable sum over the predicted items, a scalar.
        count: how many items were predicted.
        parts: per group (language): loss sum, count and correct predictions, (groups, 3), float64,
            without gradient.
    """

    sum: Tensor
    count: int
    parts: Tensor


class Objective(Protocol):
    """A way to learn."""

    name: str
    groups: list[str]

    def batch(self, number: int) -> Any:  # noqa: ANN401 - each objective has its own batch type
        """Return batch `number`, counted from 0 over the whole training."""
        ...

    def tokens(self, batch: Any) -> int:  # noqa: ANN401
        """Return how many real tokens the model reads."""
        ...

    def loss(self, model: Any, batch: Any) -> LossOutput:  # noqa: ANN401
        """Return the loss of a batch."""
        ...


def grouped(loss: Tensor, correct: Tensor, groups: Tensor, n_groups: int) -> Tensor:
    """Sum losses, items and correct predictions by group.

    Args:
        loss: of each item, (N,).
        correct: whether each was predicted, (N,), bool.
        groups: group of each, (N,), int64.
        n_groups: G.

    Returns:
        (G, 3), float64.
    """
    ones = torch.ones_like(loss)
    values = torch.stack([loss.detach(), ones, correct.to(loss.dtype)], dim=1).double()  # (N, 3)
    total = torch.zeros(n_groups, 3, dtype=torch.float64, device=loss.device)
    return total.index_add(0, groups, values)
