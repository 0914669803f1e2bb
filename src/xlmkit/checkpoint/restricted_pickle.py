"""Reading a `.pth` without running what it holds.

A pickle is a program, and loading one runs it. torch's restricted loader builds tensors and plain
values only; whatever else a file asks for is a refusal that names it.
"""

import codecs
import pickle
import pickletools
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xlmkit.core.errors import UserError

_PROTOCOL = 2  # the newest that torch's restricted loader reads
_OF_PLAIN_PICKLE = "torch.storage._load_from_bytes"  # reads each tensor without restrictions
_MEND = (
    "If you trust where it comes from, write it again: torch.save(data, path) with the data of "
    "torch.load(path, weights_only=False), or of pickle.load where torch.load reads nothing."
)
_OPERATIONS = {ord(operation.code): operation for operation in pickletools.opcodes}


def read_pickle(path: Path) -> dict[str, Any]:
    """Load a `.pth` without running anything that it holds.

    Raises:
        UserError: missing, damaged, or asking for something that is not plain data.
    """
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(_numpy_scalars()):
            warnings.simplefilter(
                "ignore"
            )  # about protocols other than 2, which are read or refused
            data = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.") from None
    except pickle.UnpicklingError as error:
        raise UserError(_refusal(path, str(error))) from None
    except (RuntimeError, EOFError, ValueError, OSError, KeyError, IndexError) as error:
        first = str(error).partition("\n")[0]
        reason = f": {first}" if " " in first else ""  # one word or number tells nobody anything
        raise UserError(f"{path} is damaged or not a checkpoint{reason}.") from None
    if not isinstance(data, dict):
        raise UserError(f"{path} holds a {type(data).__name__}, not a checkpoint of XLM.")
    return data


def _refusal(path: Path, error: str) -> str:
    """Return what a user is told of a file that torch's restricted loader does not read."""
    found = re.search(r"GLOBAL (\S+)|Unsupported operand (\d+)", error)
    operation = _OPERATIONS.get(int(found[2])) if found and found[2] else None
    refused = f"{path} was refused and nothing in it was run:"
    if operation is not None and operation.proto > _PROTOCOL:
        return (
            f"{refused} it is a pickle of protocol {operation.proto} or newer, and only protocol "
            f"{_PROTOCOL} can be read without running what a file asks for. {_MEND}"
        )
    if found is not None and found[1] == _OF_PLAIN_PICKLE:
        return f"{refused} it was written with pickle instead of torch.save. {_MEND}"
    if operation is not None:
        return f"{refused} it asks for the pickle operation {operation.name}, no plain data."
    if found is None or not found[1]:
        return f"{path} is damaged or not a checkpoint."
    return f"{refused} it asks for {found[1]}, which is not plain data."


def _numpy_scalars() -> list[Any]:
    """Return what builds a numpy number: the original's `params` may hold some among its scores."""
    scalar = np.float64(0).__reduce__()[0]
    kinds = {type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "b1")}
    return [scalar, (scalar, "numpy.core.multiarray.scalar"), np.dtype, *kinds, codecs.encode]
