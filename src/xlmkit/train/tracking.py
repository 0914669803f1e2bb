"""Figures of a training in TensorBoard, Weights & Biases or Trackio, beside the run's own files.

What is tracked are the points of the curves (losses and accuracies of training and validation, by
objective and language), and at each of them the learning rate, the gradient's norm, the tokens per
second and the skipped steps. Nothing of it decides anything, so it is no part of a stage's key.

A tracker that fails once it has begun is told, and the training goes on without it.

Everything stays on this machine below `tracking/` in the run's folder: Weights & Biases is offline
unless the variable WANDB_MODE says otherwise, and Trackio is local.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.train.trackers import TrackerName, check_installed

Log = Callable[[int, Mapping[str, float]], None]
"""Takes a step and figures by name."""

_POINT = ("step", "seconds", "tokens", "objective", "language", "split")  # what is no figure


@dataclass(frozen=True, slots=True)
class Tracking:
    """Where figures go.

    Attributes:
        trackers: names of the packages.
        project: the recipe's name.
        folder: of the run; what stays on this machine lies below `tracking/` in it.
        settings: the recipe, to be shown beside the figures.
    """

    trackers: Sequence[TrackerName] = ()
    project: str = "xlmkit"
    folder: Path = Path()
    settings: Mapping[str, Any] | None = None

    @contextmanager
    def open(self, name: str, step: int, key: str) -> Iterator[list[Log]]:
        """Begin to track a training, or go on.

        Args:
            name: of the training, such as `pretrain/model`.
            step: steps done before.
            key: fingerprint of the training, by which it is found again.

        Raises:
            MissingPackageError: a package is not installed.
            UserError: one cannot begin, for instance since it asks for a login.
        """
        check_installed(self.trackers)
        openers = {"tensorboard": _tensorboard, "wandb": _wandb, "trackio": _trackio}
        with ExitStack() as stack:
            logs = []
            for tracker in self.trackers:
                opened = openers[tracker](self, name, step, key)
                logs.append(stack.enter_context(_Spared(tracker, opened)))
            yield logs

    def place(self, tracker: TrackerName) -> Path:
        """Return the folder of a tracker, which is there then."""
        folder = self.folder / "tracking" / tracker
        folder.mkdir(parents=True, exist_ok=True)
        return folder.resolve()


class _Spared:
    """A tracker whose failure costs no training: told once, it is given nothing more.

    Their code may raise anything.

    Args:
        tracker: its name.
        opened: gives its log.
    """

    def __init__(self, tracker: TrackerName, opened: AbstractContextManager[Log]) -> None:
        self._tracker, self._opened = tracker, opened
        self._failed = False

    def __enter__(self) -> Log:
        try:
            self._log = self._opened.__enter__()
        except Exception as error:
            raise UserError(
                f"tracking: {self._tracker} cannot begin ({_told(error)}); mend that, or leave it "
                "out."
            ) from error
        return self._hand_on

    def __exit__(self, *raised: Any) -> None:  # noqa: ANN401 - kind, error and traceback
        try:
            self._opened.__exit__(*raised)
        except Exception as error:
            self._fail(error)

    def _hand_on(self, step: int, figures: Mapping[str, float]) -> None:
        if self._failed:
            return
        try:
            self._log(step, figures)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self._failed:
            say(f"tracking: {self._tracker} failed ({_told(error)}); all goes on without it.")
        self._failed = True


def _told(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def figures_of(points: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the figures of a step's points by names such as `valid/mlm/en/loss`."""
    return {
        "/".join(filter(None, (point["split"], point["objective"], point["language"], name))): value
        for point in points
        for name, value in point.items()
        if name not in _POINT and isinstance(value, int | float)
    }


@contextmanager
def _tensorboard(tracking: Tracking, name: str, step: int, key: str) -> Iterator[Log]:
    from torch.utils.tensorboard import SummaryWriter

    del key  # the folder's name is the training's
    # What was written behind the step of the last checkpoint is made once more.
    writer = SummaryWriter(
        tracking.place("tensorboard") / name, purge_step=step + 1 if step else None
    )

    def log(now: int, figures: Mapping[str, float]) -> None:
        for title, value in figures.items():
            writer.add_scalar(title, value, now)

    try:
        yield log
    finally:
        writer.close()


@contextmanager
def _wandb(tracking: Tracking, name: str, step: int, key: str) -> Iterator[Log]:
    import wandb

    del step
    mode: Any = os.environ.get("WANDB_MODE", "offline")
    with wandb.init(
        project=tracking.project,
        name=name,
        id=key[:16],
        dir=tracking.place("wandb"),
        config=dict(tracking.settings or {}),
        mode=mode,
        resume=None if mode == "offline" else "allow",
        settings=wandb.Settings(silent=True, console="off"),
    ) as run:
        yield lambda now, figures: run.log(dict(figures), step=now)


@contextmanager
def _trackio(tracking: Tracking, name: str, step: int, key: str) -> Iterator[Log]:
    # Read when the package is imported.
    os.environ.setdefault("TRACKIO_DIR", str(tracking.place("trackio")))
    import trackio

    del step
    with redirect_stdout(StringIO()):  # it tells how to look at it, for every training
        run = trackio.init(
            project=tracking.project,
            name=f"{name.replace('/', '-')}-{key[:8]}",
            config=dict(tracking.settings or {}),
            resume="allow",
            embed=False,
        )
    try:
        yield lambda now, figures: run.log(dict(figures), step=now)
    finally:
        with redirect_stdout(StringIO()):
            trackio.finish()
