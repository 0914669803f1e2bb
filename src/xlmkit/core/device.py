"""Where and in what precision a model computes."""

import os
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Precision = Literal["auto", "float32", "bfloat16"]


def choose_device() -> "torch.device":
    """Return the GPU if there is one, else the processor."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def choose_dtype(precision: Precision, device: "torch.device") -> "torch.dtype":
    """Return what to compute in; `auto` takes bfloat16 where the hardware multiplies in it."""
    import torch

    if precision == "float32":
        return torch.float32
    if precision == "bfloat16":
        return torch.bfloat16
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
    """Let glibc keep freed memory instead of returning it to the system at every step.

    Large tensors would each be mapped, zeroed and unmapped anew. The limit above which malloc maps
    a block by itself (M_MMAP_THRESHOLD) goes no higher than 32 MiB in many versions, less than the
    scores of a step, so no block is mapped by itself at all. Freed blocks are joined and used
    again, at the price of a few percent more memory where sizes vary.

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
