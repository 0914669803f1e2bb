"""Where and in what precision a model computes."""

import os
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

from xlmkit.core.errors import UserError
from xlmkit.core.machine import memory_bytes

Precision = Literal["auto", "float32", "bfloat16"]

_HUGE_PAGE = 2 << 20


def choose_device() -> "torch.device":
    """Return the GPU if there is one, else the processor."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def choose_dtype(precision: Precision, device: "torch.device") -> "torch.dtype":
    """Return what to compute in; `auto` takes bfloat16 where the hardware multiplies in it.

    Raises:
        UserError: there is no such precision.
    """
    import torch

    if precision == "float32":
        return torch.float32
    if precision == "bfloat16":
        return torch.bfloat16
    if precision != "auto":
        raise UserError(
            f"There is no precision {precision!r}; take auto, float32 or bfloat16, or, for a model "
            "that is only used, int8."
        )
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if fast else torch.float32


def share_the_processor() -> None:
    """Let threads that wait for one another sleep instead of spinning; call before torch is loaded.

    OpenMP's threads spin by default, and where another program takes a core, a step whose threads
    wait for each other becomes ten times as slow. Asleep they lose nothing on an idle machine. A
    policy that the user has set stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def tune_allocator() -> None:
    """Let glibc keep freed memory instead of returning it to the system, and use huge pages.

    Large tensors would each be mapped, zeroed and unmapped anew at every step. The limit above
    which malloc maps a block by itself (M_MMAP_THRESHOLD) goes no higher than 32 MiB in many
    versions, less than the scores of a step, so no block is mapped by itself at all. Freed blocks
    are joined and used again, at the price of a few percent more memory where sizes vary.

    The number of arenas stays as it is. Threads other than the first one still map blocks above
    64 MiB, the most that their arenas hold, but large tensors are not made there: on a CPU autograd
    computes in the thread that asks, and one arena for all would let the threads of `tokenizers`
    wait for one another.

    Elsewhere than on Linux with glibc nothing happens.
    """
    import ctypes
    import ctypes.util

    name = ctypes.util.find_library("c")
    if name is None:
        return
    library = ctypes.CDLL(name)
    if not hasattr(library, "mallopt"):
        return
    trim_threshold, mmap_max = -1, -4  # M_TRIM_THRESHOLD, M_MMAP_MAX of malloc.h
    library.mallopt(mmap_max, 0)
    library.mallopt(trim_threshold, -1)  # never
    _ask_for_huge_pages()


def bound_shape_cache() -> None:
    """Let oneDNN, before its first use, remember what it made for 64 shapes and not for 1024.

    Each takes megabytes where it computes GELU, and the batches of a training have ever new shapes;
    64 are enough for those of a step, which all layers share.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")


@cache
def _ask_for_huge_pages() -> None:
    """Ask for pages of 2 MiB in the part of the heap that is still to be used.

    It is reserved, marked and freed at once: none of it is touched, so that it takes no memory, and
    since nothing is returned to the system it stays marked.
    """
    import ctypes

    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    library.malloc.argtypes = [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    size = memory_bytes() // 2
    if not size:
        return
    block = library.malloc(size)
    if block:
        start = -(-block // _HUGE_PAGE) * _HUGE_PAGE
        length = (block + size - start) // _HUGE_PAGE * _HUGE_PAGE
        madvise_hugepage = 14  # MADV_HUGEPAGE of mman.h; refused, pages stay small
        library.madvise(start, length, madvise_hugepage)
        library.free(block)
