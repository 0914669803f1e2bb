"""Dropout whose random bits are cheap on a CPU, and what it is joined with there.

torch draws one number of its sequential generator for every element, on one core. Here a key is
drawn for each call, and numbers are made from key and place, which all cores can do; eight elements
are served by one number, eight bits each. With `kernels` softmax and layer norm are in the same
pass, and the way back makes the numbers anew, so that nothing is kept of them.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.nn.modules.module import _has_any_global_hook

from xlmkit.model import kernels
from xlmkit.model.kernels import Draw

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
    if _is_for_torch(hidden):
        return functional.dropout(hidden, rate)
    draw = _draw(rate)
    if kernels.serve(hidden):
        dropped: Tensor = _Dropped.apply(hidden, draw)  # type: ignore[no-untyped-call]
        return dropped
    return _dropped(hidden, draw)


def dropped_softmax(scores: Tensor, rate: float, *, training: bool) -> Tensor:
    """Return the dropout of the softmax over the last dimension, any shape."""
    if not training or rate == 0.0 or _is_for_torch(scores) or not kernels.serve(scores):
        return dropout(torch.softmax(scores, dim=-1), rate, training=training)
    dropped: Tensor = _DroppedSoftmax.apply(scores, _draw(rate))  # type: ignore[no-untyped-call]
    return dropped


def normed_sum(
    norm: nn.Module, state: Tensor, added: Tensor, rate: float, *, training: bool
) -> Tensor:
    """Return the norm of a state and the dropout of what is added to it, (..., E)."""
    normed: Tensor
    if training and rate > 0.0 and not _is_for_torch(state) and _may_be_joined(norm, state, added):
        normed = _NormedSum.apply(  # type: ignore[no-untyped-call]
            state, added, norm.weight, norm.bias, norm.eps, _draw(rate)
        )
    else:
        normed = norm(state + dropout(added, rate, training=training))
    return normed


def _may_be_joined(norm: nn.Module, state: Tensor, added: Tensor) -> bool:
    """Tell whether a norm does what a layer norm does, over the last dimension, and no more."""
    hooks = (
        norm._forward_hooks,
        norm._forward_pre_hooks,
        norm._backward_hooks,
        norm._backward_pre_hooks,
    )
    return (
        type(norm) is nn.LayerNorm
        and not any(hooks)
        and not _has_any_global_hook()  # type: ignore[no-untyped-call]
        and "forward" not in norm.__dict__
        and all(part is not None for part in (norm.weight, norm.bias))
        and state.shape == added.shape
        and norm.normalized_shape == state.shape[-1:]
        and kernels.serve(state, added, norm.weight, norm.bias)
    )


def _is_for_torch(hidden: Tensor) -> bool:
    """Tell whether torch drops elements faster: a compiler draws its own numbers."""
    return hidden.device.type != "cpu" or torch.compiler.is_compiling()


def _draw(rate: float) -> Draw:
    """Draw a key, and which of the neighbouring levels it is this time."""
    key, chance = torch.empty(2, dtype=torch.int64).random_().tolist()  # from 0 to 2^63
    dropped = math.floor(rate * _LEVELS + chance / 2**63)
    return Draw(key, dropped - _LEVELS // 2, 1.0 / (1.0 - rate))


def _dropped(hidden: Tensor, draw: Draw) -> Tensor:
    """Drop by torch's operations on whole tensors."""
    if draw.least == _LEVELS // 2:  # which no level reaches, nor fits into eight bits
        return hidden * 0.0
    count = hidden.numel()
    levels = _numbers((count + 7) // 8, draw.key).view(torch.int8)[:count].view(hidden.shape)
    kept = torch.ge(levels, draw.least, out=torch.empty_like(levels))
    return hidden * kept.to(hidden.dtype).mul_(draw.scale)


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


class _Dropped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, draw: Draw) -> Tensor:  # noqa: ANN401
        ctx.draw = draw
        return kernels.drop(hidden.contiguous(), draw)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        return kernels.drop(gradient.contiguous(), ctx.draw), None


class _DroppedSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, draw: Draw) -> Tensor:  # noqa: ANN401
        ctx.draw = draw
        weights, dropped = kernels.softmax(scores.contiguous(), draw)
        ctx.save_for_backward(weights)
        return dropped

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        (weights,) = ctx.saved_tensors
        return kernels.softmax_gradient(weights, gradient.contiguous(), ctx.draw), None


class _NormedSum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        state: Tensor,
        added: Tensor,
        weight: Tensor,
        bias: Tensor,
        epsilon: float,
        draw: Draw,
    ) -> Tensor:
        ctx.draw, weight = draw, weight.contiguous()
        made, total, moments = kernels.normed(
            state.contiguous(), added.contiguous(), weight, bias.contiguous(), epsilon, draw
        )
        ctx.save_for_backward(total, moments, weight)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        total, moments, weight = ctx.saved_tensors
        gradients = kernels.normed_gradient(gradient.contiguous(), total, moments, weight, ctx.draw)
        return *gradients, None, None
