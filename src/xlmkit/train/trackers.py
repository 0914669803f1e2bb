"""The recipe's key `tracking`: which packages are handed the figures of trainings."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Literal

from xlmkit.core.errors import MissingPackageError

TrackerName = Literal["tensorboard", "wandb", "trackio"]


def check_installed(trackers: Sequence[TrackerName]) -> None:
    """See that the packages are there.

    Raises:
        MissingPackageError: one is not.
    """
    for tracker in trackers:
        if find_spec(tracker) is None:
            raise MissingPackageError(
                f"tracking: {tracker} needs the package of this name: "
                f"pip install 'xlmkit[{tracker}]'."
            )
