"""Dropout whose random bits are cheap on a CPU.

torch draws one number of its sequential generator for every element; four elements are served here
by one, sixteen bits each, so that rates are exact to 1 / 65,536.
"""

import torch
from torch import Tensor
from torch.nn import functional

_LEVELS = 1 << 16


def dropout(hidden: Tensor, rate: float, *, training: bool) -> Tensor:
    """Set a share of the elements to zero and scale the others, as Srivastava et al. 2014 do.

    Args:
        hidden: any shape.
        rate: share of zeros, below 1.
        training: without it `hidden` is returned as it is.
    """
    if not training or rate == 0.0:
        return hidden
    if hidden.device.type != "cpu" or torch.compiler.is_compiling():
        return functional.dropout(hidden, rate)  # a compiler draws its own numbers, and fast
    count = hidden.numel()
    words = torch.empty((count + 3) // 4, dtype=torch.int64).random_(-(1 << 63), None)
    dropped = round(rate * _LEVELS)
    kept = words.view(torch.int16)[:count].view(hidden.shape) >= dropped - _LEVELS // 2
    return hidden * kept.to(hidden.dtype).mul_(_LEVELS / (_LEVELS - dropped))
