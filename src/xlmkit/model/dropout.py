"""Dropout whose random bits are cheap on a CPU.

torch draws one number of its sequential generator for every element, on one core. Here a key is
drawn for each call, and numbers are made from key and place by a few operations on whole tensors,
which use all cores; eight elements are served by one number, eight bits each.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

_LEVELS = 1 << 8


def dropout(hidden: Tensor, rate: float, *, training: bool) -> Tensor:
    """Set a share of the elements to zero and scale the others, as Srivastava et al. 2014 do.

    Args:
        hidden: any shape.
        rate: share of zeros, below 1. On a CPU each call takes one of the two neighbouring
            multiples of 1 / 256, at random so that they are right on average.
        training: without it `hidden` is returned as it is.
    """
    if not training or rate == 0.0:
        return hidden
    if hidden.device.type != "cpu" or torch.compiler.is_compiling():
        return functional.dropout(hidden, rate)  # a compiler draws its own numbers, and fast
    key, chance = torch.empty(2, dtype=torch.int64).random_().tolist()  # from 0 to 2^63
    dropped = math.floor(rate * _LEVELS + chance / 2**63)
    if dropped == _LEVELS:
        return hidden * 0.0
    count = hidden.numel()
    levels = _numbers((count + 7) // 8, key).view(torch.int8)[:count].view(hidden.shape)
    kept = torch.ge(levels, dropped - _LEVELS // 2, out=torch.empty_like(levels))
    return hidden * kept.to(hidden.dtype).mul_(1.0 / (1.0 - rate))


def _numbers(count: int, key: int) -> Tensor:
    """Return evenly spread numbers of 64 bits, (count,), int64.

    Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators", with the constants
    of their SplitMix64, but shifts that keep the sign. Its last shift is left out: it would make
    the first bit zero then, and is not needed for bytes.
    """
    state = torch.arange(count).mul_(-0x61C8864680B583EB).add_(key)
    for shift, factor in ((30, -0x40A7B892E31B1A47), (27, -0x6B2FB644ECCEEE15)):
        state.bitwise_xor_(state >> shift).mul_(factor)
    return state
