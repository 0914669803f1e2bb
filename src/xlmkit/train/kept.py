"""The models of the best steps of a training, kept on the disk as long as one may be chosen."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from xlmkit.train.selection import Curve
from xlmkit.train.state import TrainingState


@dataclass(frozen=True, slots=True)
class KeptSteps:
    """A folder with a file or folder for each step that may be chosen.

    A training that is killed or rolled back goes on from its last saved state, which knows nothing
    of what was measured since. So whatever that state may choose stays, until another is saved.

    Attributes:
        folder: holds nothing else.
        wanted: returns the steps that may be chosen by a curve.
        ending: of the names, after the number of the step.
        saved: the steps that the last saved state may choose.
    """

    folder: Path
    wanted: Callable[[Curve], set[int]]
    ending: str = ""
    saved: set[int] = field(default_factory=set)

    def path(self, step: int) -> Path:
        """Return where a step's model is."""
        return self.folder / f"{step}{self.ending}"

    def on_measured(self, state: TrainingState) -> None:
        """Remove what neither this state nor the last saved one may choose."""
        self._keep(self.wanted(state.curve) | self.saved)

    def on_saved(self, state: TrainingState) -> None:
        """Remove what this state, which stands on the disk now, may not choose."""
        self.saved.clear()
        self.saved.update(self.wanted(state.curve))
        self._keep(self.saved)

    def forget(self) -> None:
        """Remove the whole folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _keep(self, steps: set[int]) -> None:
        kept = {self.path(step) for step in steps}
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path in kept:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
