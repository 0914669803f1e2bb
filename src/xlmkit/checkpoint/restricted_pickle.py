"""Reading a `.pth` without running what it holds.

A pickle is a program, and loading one runs it. torch's restricted loader builds tensors and plain
values only; whatever else a file asks for is a refusal that names it.
"""

import codecs
import pickle
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xlmkit.core.errors import UserError


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
        found = re.search(r"GLOBAL (\S+)|Unsupported operand (\d+)", str(error))
        if found is None:
            raise UserError(f"{path} is damaged or not a checkpoint.") from None
        wanted = found[1] or f"the pickle operation {found[2]}"
        raise UserError(
            f"{path} was refused and nothing in it was run: it asks for {wanted}, "
            "which is not plain data."
        ) from None
    except (RuntimeError, EOFError, ValueError, OSError, KeyError, IndexError) as error:
        first = str(error).partition("\n")[0]
        reason = f": {first}" if " " in first else ""  # one word or number tells nobody anything
        raise UserError(f"{path} is damaged or not a checkpoint{reason}.") from None
    if not isinstance(data, dict):
        raise UserError(f"{path} holds a {type(data).__name__}, not a checkpoint of XLM.")
    return data


def _numpy_scalars() -> list[Any]:
    """Return what builds a numpy number: the original's `params` may hold some among its scores."""
    scalar = np.float64(0).__reduce__()[0]
    kinds = {type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "b1")}
    return [scalar, (scalar, "numpy.core.multiarray.scalar"), np.dtype, *kinds, codecs.encode]
