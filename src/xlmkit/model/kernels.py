"""Compiled passes over whole tensors, which take the place of several of torch's on a CPU.

They are built on Linux for x86-64 where GCC is at hand when xlmkit is installed, and used where the
processor has AVX2 or AVX-512; nothing else depends on them, and XLMKIT_COMPILED=0 turns them off.
They work on the threads that torch has: a second pool would wait for cores on which those of torch
wait busily for work.

All tensors are contiguous, on the CPU, and of one precision, float32 or bfloat16, if nothing else
is said. Shapes: R rows, W width.
"""

import ctypes
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad

from xlmkit.core.native_sources import WANTED, is_built_from

MIDDLE, WIDE = 1, 2
_wanted = WANTED

_PRECISIONS = {torch.float32: 0, torch.bfloat16: 1}
_FOLDER = Path(__file__).parent
_ROWS_AT_ONCE = 1 << 16  # elements whose gradients of a norm's weights are added up by one thread

_POINTER, _LONG, _INT, _FLOAT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int, ctypes.c_float
_POOL, _DRAW = [_POINTER, ctypes.c_uint, _INT], [_LONG, _INT, _FLOAT]
_ARGUMENTS = {
    "drop": [*_POOL, *[_POINTER] * 2, _LONG, *_DRAW],
    "softmax": [*_POOL, *[_POINTER] * 3, *[_LONG] * 2, *_DRAW],
    "softmax_gradient": [*_POOL, *[_POINTER] * 3, *[_LONG] * 2, *_DRAW],
    "normed": [*_POOL, *[_POINTER] * 7, *[_LONG] * 2, _FLOAT, *_DRAW],
    "normed_gradient": [*_POOL, *[_POINTER] * 7, *[_LONG] * 3, *_DRAW],
}


class Draw(NamedTuple):
    """What is dropped: of the levels that a key gives to elements, all below the least.

    Attributes:
        key: of `xlmkit.model.dropout`.
        least: the least level that is kept, -128 to 127.
        scale: what is kept is multiplied by it, rounded to the tensors' precision.
    """

    key: int
    least: int
    scale: float


def built_from() -> int:
    """Return the number of the sources that the kernels were built from; 0 if they were not."""
    library = _library()
    return ctypes.c_uint64.in_dll(library, "xlmkit_sources").value if library else 0


def available() -> bool:
    """Tell whether the kernels were built for this processor, and torch's threads are found."""
    return _library() is not None


@contextmanager
def using(wanted: bool, processor: int = WIDE) -> Iterator[None]:
    """Use the kernels inside the block, or not; for tests.

    Args:
        wanted: whether.
        processor: of the kinds `MIDDLE` (AVX2) and `WIDE` (AVX-512) at most this.
    """
    global _wanted
    before, _wanted = _wanted, wanted
    if library := _library():
        library.xlmkit_use_processor(processor)
    try:
        yield
    finally:
        _wanted = before
        if library:
            library.xlmkit_use_processor(WIDE)


def serve(*tensors: Tensor) -> bool:
    """Tell whether the kernels may work on tensors, once they are contiguous.

    They have a gradient, but none of the gradient, and none of the forward mode.
    """
    first = tensors[0]
    return (
        _wanted
        and first.dtype in _PRECISIONS
        and all(tensor.device.type == "cpu" and tensor.dtype == first.dtype for tensor in tensors)
        and first.dim() > 0
        and first.numel() > 0
        and not torch._C._are_functorch_transforms_active()
        and forward_ad._current_level < 0
        and available()
    )


def drop(given: Tensor, draw: Draw) -> Tensor:
    """Return what dropout leaves, of any shape."""
    made = torch.empty_like(given)
    _call("drop", [given, made], [given.numel()], *draw)
    return made


def softmax(scores: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
    """Return the softmax of each row, and what dropout leaves of it, (..., W)."""
    weights, dropped = torch.empty_like(scores), torch.empty_like(scores)
    _call("softmax", [scores, weights, dropped], _rows(scores), *draw)
    return weights, dropped


def softmax_gradient(weights: Tensor, gradient: Tensor, draw: Draw) -> Tensor:
    """Return the gradient of the scores, (..., W).

    Args:
        weights: their softmax, (..., W).
        gradient: of what dropout left of it, (..., W).
        draw: what was dropped.
    """
    made = torch.empty_like(weights)
    _call("softmax_gradient", [weights, gradient, made], _rows(weights), *draw)
    return made


def normed(
    state: Tensor, added: Tensor, weight: Tensor, bias: Tensor, epsilon: float, draw: Draw
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the layer norm of a state and what dropout leaves of what is added to it.

    Args:
        state: (..., W).
        added: (..., W).
        weight: of the norm, (W,).
        bias: of the norm, (W,).
        epsilon: added to the variance.
        draw: what is dropped.

    Returns:
        The norm and the sum that it is of, (..., W); mean and inverse deviation of each row in
        float32, (R, 2).
    """
    total, made = torch.empty_like(state), torch.empty_like(state)
    rows, width = _rows(state)
    moments = torch.empty(rows, 2, dtype=torch.float32)
    tensors = [state, added, weight, bias, total, made, moments]
    _call("normed", tensors, [rows, width], epsilon, *draw)
    return made, total, moments


def normed_gradient(
    gradient: Tensor, total: Tensor, moments: Tensor, weight: Tensor, draw: Draw
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of state, what was added, weight and bias.

    Args:
        gradient: of the norm, (..., W).
        total: the sum, as `normed` returned it, (..., W).
        moments: as `normed` returned them, (R, 2).
        weight: of the norm, (W,).
        draw: what was dropped.
    """
    of_state, of_added = torch.empty_like(total), torch.empty_like(total)
    rows, width = _rows(total)
    rows_at_once = max(1, _ROWS_AT_ONCE // width)
    # Parts that do not depend on how many threads there are, so that the sum does not either.
    parts = torch.zeros(-(-rows // rows_at_once), 2, width, dtype=torch.float32)
    tensors = [gradient, total, moments, weight, of_state, of_added, parts]
    _call("normed_gradient", tensors, [rows, width, rows_at_once], *draw)
    of_weight, of_bias = parts.sum(0).to(weight.dtype)
    return of_state, of_added, of_weight, of_bias


def _rows(tensor: Tensor) -> list[int]:
    width = tensor.shape[-1]
    return [tensor.numel() // width, width]


def _call(name: str, tensors: list[Tensor], sizes: list[int], *numbers: float) -> None:
    library = _library()
    assert library is not None  # noqa: S101 - `serve` said that it is there
    fork, threads = _fork(), torch.get_num_threads()
    precision = _PRECISIONS[tensors[0].dtype]
    pointers = [tensor.data_ptr() for tensor in tensors]
    getattr(library, f"xlmkit_{name}")(fork, threads, precision, *pointers, *sizes, *numbers)


@cache
def _library() -> ctypes.CDLL | None:
    path = _FOLDER / f"_kernels{sysconfig.get_config_var('EXT_SUFFIX')}"
    try:
        library = ctypes.CDLL(str(path))
        number = ctypes.c_uint64.in_dll(library, "xlmkit_sources").value
    except (OSError, ValueError):
        return None
    if _fork() is None or not library.xlmkit_processor():
        return None
    if not is_built_from(_FOLDER / "native", number):
        return None
    for name, arguments in _ARGUMENTS.items():
        function = getattr(library, f"xlmkit_{name}")
        function.argtypes, function.restype = arguments, None
    return library


@cache
def _fork() -> int | None:
    """Return the address of what lets torch's threads work, GNU OpenMP's or one like it."""
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        return ctypes.cast(library.GOMP_parallel, ctypes.c_void_p).value
    except (OSError, AttributeError):
        return None
