"""Everything that a training run needs to go on exactly: one file, written whole.

Batches, masks and dropout are pure functions of the seed and the step, so besides the optimizer's
tensors a few numbers suffice.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from xlmkit.core.errors import UserError
from xlmkit.core.files import atomic_write

STATE_FILE = "training.safetensors"


@dataclass(slots=True)
class TrainingState:
    """How far a run is.

    Attributes:
        step: steps done.
        tokens: real tokens read so far.
        seconds: time spent in steps so far, over all starts.
        skipped: steps whose gradient was not finite.
        rollbacks: returns to a checkpoint after several such steps.
        curve: points of the loss curves, see `hooks`.
        sums: losses, items and correct predictions per objective since the last point.
    """

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    skipped: int = 0
    rollbacks: int = 0
    curve: list[dict[str, Any]] = field(default_factory=list)
    sums: list[list[float]] = field(default_factory=list)


def save_state(folder: Path, state: TrainingState, tensors: dict[str, Tensor], key: str) -> None:
    """Write the state of a run.

    Args:
        folder: where; an older state is replaced.
        state: the counters.
        tensors: the optimizer's tensors.
        key: fingerprint of the recipe and data of this run.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = {"state": json.dumps(asdict(state)), "key": key, "sha256": _digest(tensors)}
    with atomic_write(folder / STATE_FILE, binary=True) as stream:
        stream.write(save(tensors, metadata))


def load_state(folder: Path, key: str) -> tuple[TrainingState, dict[str, Tensor]] | None:
    """Read the state of a run, or None where there is none or it belongs to another recipe.

    Raises:
        UserError: the file is damaged.
    """
    path = folder / STATE_FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as stream:
            metadata = stream.metadata() or {}
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"{path} is damaged ({error}); delete it to start this run again."
        ) from None
    if metadata.get("key") != key:
        return None
    if metadata.get("sha256") != _digest(tensors):
        raise UserError(f"{path} has a wrong checksum; delete it to start this run again.")
    return TrainingState(**json.loads(metadata["state"])), tensors


def _digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
