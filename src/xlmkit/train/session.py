"""One training run with everything around it: resume, progress, curves, checkpoints, stopping."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from xlmkit.core.process import Processes
from xlmkit.core.progress import progress
from xlmkit.train.config import OptimizerConfig
from xlmkit.train.hooks import (
    Curve,
    FirstStep,
    Track,
    at_steps,
    every_seconds,
    stop_on_signal,
    stop_when,
)
from xlmkit.train.loop import Hook, Plan, train
from xlmkit.train.optim import FlatOptimizer
from xlmkit.train.state import TrainingState, load_state, save_state
from xlmkit.train.tracking import Tracking

Enough = Callable[[TrainingState], bool]
"""Tells whether the training may end before its last step."""

Weights = Callable[[], dict[str, Tensor]]
"""Returns a model's parameters by name, in float32 whatever it computes in."""

Validate = Callable[[nn.Module, TrainingState, Weights], None]
"""Measures a model in the middle of its training and adds points to the state's curve; it may keep
the weights."""

Saved = Callable[[TrainingState], None]
"""Is told of every state that stands on the disk now, from which the training may go on."""


@dataclass(frozen=True, slots=True)
class Session:
    """How a model is trained.

    Attributes:
        title: shown before the progress.
        plan: objectives and steps.
        optimizer: rates.
        dtype: what the model computes in.
        compiles: whether a compiler takes its time before the first step.
        folder: where checkpoints go; the last one stays, for the caller to remove.
        key: fingerprint of all that decides the run; a checkpoint with another is not used.
        checkpoint_seconds: time between checkpoints.
        points: points of the loss curve.
        estimated_tokens: tokens of the whole run, for the time left until some steps are done.
        validate_every: steps between validations; by default so many that there are ten.
        factors: what the learning rate of a parameter is multiplied by, by its name; others by 1.
        tracking: where figures go besides the curve.
        name: of the training, for trackers.
    """

    title: str
    plan: Plan
    optimizer: OptimizerConfig
    dtype: torch.dtype
    folder: Path
    key: str
    checkpoint_seconds: float
    points: int
    estimated_tokens: int
    compiles: bool = False
    validate_every: int | None = None
    factors: Mapping[str, float] = field(default_factory=dict)
    tracking: Tracking = field(default_factory=Tracking)
    name: str = "training"

    def run(
        self,
        model: nn.Module,
        processes: Processes,
        validate: Validate | None = None,
        enough: Enough = lambda _: False,
        saved: Saved = lambda _: None,
    ) -> tuple[TrainingState, dict[str, Tensor]]:
        """Train, going on from the last checkpoint if there is one.

        Args:
            model: its parameters are moved into the optimizer's buffers.
            processes: of this run.
            validate: called at some points of the curve to add others to it.
            enough: asked after every step, a function of the state alone.
            saved: told of the state that the training begins with, and of those that it saves.

        Returns:
            The final state and the parameters in float32 by name.

        Raises:
            KeyboardInterrupt: asked to stop; the state was saved.
        """
        optimizer = FlatOptimizer(model, self.optimizer, self.dtype, self.factors)
        state = self._restore(optimizer) or TrainingState()
        if processes.first:
            saved(state)
        save = self._saving(optimizer, processes, saved)
        with (
            stop_on_signal() as stop,
            progress(self.title, self.estimated_tokens, "tokens", start=state.tokens) as bar,
            self._trackers(state, processes) as track,
        ):
            names = [objective.name for objective in self.plan.objectives]
            every = max(1, self.plan.steps // self.points)
            hooks: list[Hook] = [
                Curve(names, every, bar, self.plan.steps),
                every_seconds(self.checkpoint_seconds, save, processes),
                stop_when(stop, processes),
            ]
            if validate is not None:
                # A few points suffice for validation, and each costs more than a step.
                apart = self.validate_every or 4 * every
                measure = partial(_measure, optimizer, model, validate)
                hooks.insert(1, at_steps(apart, self.plan.steps, measure))
            if self.compiles and processes.first:
                hooks.append(FirstStep(self.title, state))
            hooks += [track, lambda now, _: enough(now)]
            restore = partial(self._restore, optimizer)
            if not enough(state):  # else it was stopped just before the model was saved
                state = train(model, optimizer, self.plan, state, hooks, processes, restore)
            save(state)  # until the model is saved, this is all there is of the training
            if state.step < self.plan.steps and not enough(state):
                raise KeyboardInterrupt
        if stop.is_set():  # in the last step
            raise KeyboardInterrupt
        with optimizer.averaged():
            return state, optimizer.float32_weights(model)

    def _saving(
        self, optimizer: FlatOptimizer, processes: Processes, saved: Saved
    ) -> Callable[[TrainingState], None]:
        """Return what saves a state with the optimizer's tensors."""

        def save(state: TrainingState) -> None:
            if processes.first:
                save_state(self.folder, state, optimizer.state_tensors(), self.key)
                saved(state)
            processes.barrier()

        return save

    @contextmanager
    def _trackers(self, state: TrainingState, processes: Processes) -> Iterator[Hook]:
        """Open the trackers, in the first process only."""
        tracking = self.tracking if processes.first else Tracking()
        with tracking.open(self.name, state.step, self.key) as logs:
            yield Track(logs, state)

    def _restore(self, optimizer: FlatOptimizer) -> TrainingState | None:
        """Put the last checkpoint back and return its state, or None if there is none."""
        found = load_state(self.folder, self.key)
        if found is None:
            return None
        optimizer.load_state_tensors(found[1])
        return found[0]


def _measure(
    optimizer: FlatOptimizer, model: nn.Module, validate: Validate, state: TrainingState
) -> None:
    """Validate the model, with the running average of its weights where one is kept."""
    with optimizer.averaged():
        validate(model, state, partial(optimizer.float32_weights, model))
