"""What happens between steps: showing progress, drawing curves, saving, and stopping in time."""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch

from xlmkit.core.log import say
from xlmkit.core.process import Processes
from xlmkit.core.progress import Progress
from xlmkit.train.loop import Hook, StepReport
from xlmkit.train.state import TrainingState
from xlmkit.train.tracking import Log, figures_of

_TOGETHER = 1.0  # seconds; signals that come within them are one


class Curve:
    """Averages training losses between points, per objective, and appends them to the state.

    A point is {"step", "seconds", "tokens", "objective", "language", "split", "loss", "accuracy"};
    losses are in nats per predicted item.

    Args:
        names: of the objectives.
        every: steps between points.
        bar: shows the running loss.
        steps: of the whole training, by which its tokens are estimated.
    """

    def __init__(self, names: list[str], every: int, bar: Progress, steps: int) -> None:
        self.names, self.every, self.bar, self.steps = names, every, bar, steps

    def __call__(self, state: TrainingState, report: StepReport) -> bool:
        """Count the step's losses."""
        state.sums = state.sums or [[0.0, 0.0, 0.0] for _ in self.names]
        if math.isfinite(report.norm):
            sums = torch.tensor(state.sums[report.objective], dtype=torch.float64)
            state.sums[report.objective] = (sums + report.parts.sum(dim=0)).tolist()
        averages = {
            name: {"loss": loss / count, "accuracy": correct / count}
            for name, (loss, count, correct) in zip(self.names, state.sums, strict=True)
            if count
        }
        fields: dict[str, float] = {name: round(v["loss"], 3) for name, v in averages.items()}
        if state.skipped:
            fields["skipped"] = state.skipped
        self.bar.total = state.tokens * self.steps // state.step  # batches are seldom full
        self.bar.advance(report.tokens, **fields)
        if state.step % self.every == 0:
            for name, values in averages.items():
                state.curve.append(point(state, name, None, "train", values))
            state.sums = []
        return False


def point(
    state: TrainingState,
    objective: str,
    language: str | None,
    split: str,
    values: dict[str, float],
) -> dict[str, Any]:
    """Return a point of a curve at the state's step."""
    return {
        "step": state.step,
        "seconds": round(state.seconds, 2),
        "tokens": state.tokens,
        "objective": objective,
        "language": language,
        "split": split,
        **{name: round(value, 5) for name, value in values.items()},
    }


class FirstStep:
    """Tells how long the first step took, and with it the compiler.

    Args:
        title: of the training.
        state: with which it begins.
    """

    def __init__(self, title: str, state: TrainingState) -> None:
        self.title, self._before = title, state.seconds
        self._told = False

    def __call__(self, state: TrainingState, report: StepReport) -> bool:
        """Tell it once."""
        del report
        if not self._told:
            took = state.seconds - self._before
            say(f"{self.title}: the first step, with its compilation, took {took:.1f} seconds.")
            self._told = True
        return False


class Track:
    """Hands the points that are new on the curves on, with rates and speed beside them.

    Args:
        logs: where they go.
        state: of the training that begins or goes on.
    """

    def __init__(self, logs: Sequence[Log], state: TrainingState) -> None:
        self.logs = logs
        self._remember(state)

    def __call__(self, state: TrainingState, report: StepReport) -> bool:
        """Log the points of this step, if there are any."""
        if state.step <= self._step:  # the training went back to its last checkpoint
            self._remember(state)
        if points := state.curve[self._n_points :]:
            seconds, tokens = state.seconds - self._seconds, state.tokens - self._tokens
            figures = {
                **figures_of(points),
                "train/learning_rate": report.lr,
                "train/gradient_norm": report.norm,
                "train/skipped_steps": state.skipped,
                "train/tokens": state.tokens,
                "train/tokens_per_second": tokens / max(seconds, 1e-9),
            }
            for log in self.logs:
                log(state.step, figures)
            self._remember(state)
        return False

    def _remember(self, state: TrainingState) -> None:
        self._step, self._n_points = state.step, len(state.curve)
        self._seconds, self._tokens = state.seconds, state.tokens


def at_steps(every: int, last: int, action: Callable[[TrainingState], None]) -> Hook:
    """Return a hook that runs an action every so many steps and at the last one."""

    def hook(state: TrainingState, report: StepReport) -> bool:
        del report
        if state.step % every == 0 or state.step == last:
            action(state)
        return False

    return hook


def every_seconds(
    seconds: float, action: Callable[[TrainingState], None], processes: Processes
) -> Hook:
    """Return a hook that runs an action when so much time has passed since the last time.

    It runs in all processes after the same step, though their clocks differ.
    """
    last = time.monotonic()

    def hook(state: TrainingState, report: StepReport) -> bool:
        nonlocal last
        del report
        if _any(processes, time.monotonic() - last >= seconds):
            action(state)
            last = time.monotonic()
        return False

    return hook


def stop_when(asked: threading.Event, processes: Processes) -> Hook:
    """Return a hook that stops all processes after the same step, once the event is set in one."""

    def hook(state: TrainingState, report: StepReport) -> bool:
        del state, report
        return _any(processes, asked.is_set())

    return hook


def _any(processes: Processes, wanted: bool) -> bool:
    """Return whether any process wants something; every process asks after every step."""
    if processes.size == 1:
        return wanted
    wanting = torch.tensor([float(wanted)])
    processes.sum(wanting)
    return bool(wanting)


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C or SIGTERM into an event, so that a step is finished and saved.

    A second signal interrupts at once. Signals that come together count as one: Ctrl-C and
    schedulers reach all processes, and who started them passes it on. Outside the main thread
    signals keep their meaning.
    """
    asked, first = threading.Event(), 0.0
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handler(number: int, frame: FrameType | None) -> None:
        nonlocal first
        del number, frame
        if not asked.is_set():
            first = time.monotonic()
            asked.set()
        elif time.monotonic() - first > _TOGETHER:
            raise KeyboardInterrupt

    for number in before:
        signal.signal(number, handler)
    try:
        yield asked
    finally:
        for number, old in before.items():
            signal.signal(number, old)
