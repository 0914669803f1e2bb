"""The training loop: next batches, losses, one reduction, clip, step.

It knows of an objective only its batches and its loss. A step is `accumulate` batches of one
objective, shared out over the processes; the step's gradient is the sum over all of them divided by
their count of predicted items, so the number of processes does not change what is learned.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from xlmkit.core.errors import DivergedError
from xlmkit.core.process import Processes
from xlmkit.data.loader import Prefetcher
from xlmkit.data.mixture import Mixture
from xlmkit.data.permutation import key_of
from xlmkit.objectives.base import Objective
from xlmkit.train.config import coefficient, learning_rate
from xlmkit.train.optim import FlatOptimizer
from xlmkit.train.state import TrainingState

_SLOTS = 100  # steps after which every objective has had exactly its share
_PATIENCE = 3  # steps in a row without a finite gradient before a rollback
_MAX_ROLLBACKS = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained, and how long.

    Attributes:
        objectives: what is learned.
        weights: share of the steps of each objective.
        steps: steps of the whole run.
        accumulate: batches of a step, over all processes.
        seed: fixes the order of objectives and the dropout.
        coefficients: schedule of what each objective's loss is multiplied by; by default 1. Where
            it is 0 the objective's steps pass without any work.
    """

    objectives: Sequence[Objective]
    weights: Sequence[float]
    steps: int
    accumulate: int = 1
    seed: object = 0
    coefficients: Sequence[Sequence[tuple[int, float]]] = ()

    def coefficient(self, objective: int, step: int) -> float:
        """Return what the loss of an objective counts in a step."""
        return coefficient(tuple(self.coefficients[objective]), step) if self.coefficients else 1.0


@dataclass(frozen=True, slots=True)
class StepReport:
    """What a hook sees of a step.

    Attributes:
        objective: the objective's place in the plan.
        parts: loss sum, count and correct predictions per group, over all processes, (G, 3).
        tokens: real tokens read in the step, over all processes.
        norm: the gradient's norm before clipping.
        lr: learning rate.
    """

    objective: int
    parts: Tensor
    tokens: int
    norm: float
    lr: float


Hook = Callable[[TrainingState, StepReport], bool]
"""Called after every step: curves, validation, checkpoints; True stops before the next step."""

Restore = Callable[[], TrainingState | None]
"""Puts the last checkpoint back and returns its state, or None if there is none."""


@dataclass(frozen=True, slots=True)
class _Step:
    objective: int
    coefficient: float
    batches: list[Any]


def train(
    model: nn.Module,
    optimizer: FlatOptimizer,
    plan: Plan,
    state: TrainingState,
    hooks: Sequence[Hook],
    processes: Processes,
    restore: Restore,
) -> TrainingState:
    """Train from `state.step` to `plan.steps`, or until a hook says stop.

    A step whose gradient is not finite changes nothing and is counted. After three in a row the
    last checkpoint comes back with half the learning rate.

    Returns:
        The state at the end.

    Raises:
        DivergedError: the loss is still not finite after three rollbacks.
    """
    mixture = Mixture(plan.weights, (plan.seed, "objective"), _SLOTS)
    bad = 0

    def make(step: int) -> _Step:
        objective, number = mixture.draw(step)
        factor = plan.coefficient(objective, step)
        if factor == 0:
            return _Step(objective, factor, [])
        mine = range(processes.rank, plan.accumulate, processes.size)
        batches = [
            plan.objectives[objective].batch(number * plan.accumulate + part) for part in mine
        ]
        return _Step(objective, factor, batches)

    while state.step < plan.steps:
        restart = False
        with Prefetcher(make, state.step, plan.steps) as steps:
            began = time.perf_counter()  # waiting for a batch counts, hooks do not
            for step in steps:
                report = _step(model, optimizer, plan, step, state, processes)
                state.step += 1
                state.tokens += report.tokens
                state.seconds += time.perf_counter() - began
                bad = 0 if math.isfinite(report.norm) else bad + 1
                state.skipped += bad > 0
                if bad == _PATIENCE:
                    restart, bad = True, 0
                    break
                stops = [hook(state, report) for hook in hooks]  # every hook is called
                if any(stops):
                    return state
                began = time.perf_counter()
        if restart:
            state = _roll_back(state, restore)
    return state


def _step(
    model: nn.Module,
    optimizer: FlatOptimizer,
    plan: Plan,
    step: _Step,
    state: TrainingState,
    processes: Processes,
) -> StepReport:
    """Learn from the batches of one step."""
    objective = plan.objectives[step.objective]
    lr = learning_rate(optimizer.config, state.step, plan.steps) * 0.5**state.rollbacks
    if step.coefficient == 0:
        nothing = torch.zeros(len(objective.groups), 3, dtype=torch.float64)
        return StepReport(step.objective, nothing, 0, 0.0, lr)
    # Dropout is a function of seed, step and rank, whatever was computed before.
    torch.manual_seed(key_of(plan.seed, "dropout", state.step, processes.rank) >> 1)
    model.train()
    parts = torch.zeros(len(objective.groups), 3, dtype=torch.float64)
    tokens = 0
    for batch in step.batches:
        output = objective.loss(model, batch)
        output.sum.backward()  # type: ignore[no-untyped-call]
        optimizer.accumulate()
        parts += output.parts.cpu()
        tokens += objective.tokens(batch)
    totals = torch.cat([parts.flatten(), torch.tensor([tokens], dtype=torch.float64)])
    processes.sum(totals)
    processes.sum(optimizer.total)
    parts, tokens = totals[:-1].view_as(parts), int(totals[-1])
    optimizer.total.mul_(step.coefficient / max(1.0, float(parts[:, 1].sum())))
    norm = optimizer.step(lr)
    return StepReport(step.objective, parts, tokens, norm, lr)


def _roll_back(state: TrainingState, restore: Restore) -> TrainingState:
    """Return to the last checkpoint, halving the learning rate each time."""
    if state.rollbacks == _MAX_ROLLBACKS:
        raise DivergedError(
            f"The loss is not finite at step {state.step}, and going back to the last checkpoint "
            "with a smaller learning rate did not help; lower lr, or use precision: float32."
        )
    before = restore()
    if before is None:
        raise DivergedError(
            f"The loss is not finite at step {state.step}, before the first checkpoint; "
            "lower lr, or use precision: float32."
        )
    before.rollbacks = state.rollbacks + 1
    before.skipped = state.skipped
    return before
