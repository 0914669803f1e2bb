"""How a model is laid out for training on a device, so that it is fast there; results stay."""

import shutil
from os import environ

import torch
from torch import nn

from xlmkit.core.errors import UserError
from xlmkit.model.transformer import Transformer


def place(
    model: nn.Module, device: torch.device, dtype: torch.dtype, *, compiles: bool
) -> nn.Module:
    """Move a model to a device and choose how its Transformers compute there.

    On a GPU and in bfloat16 they work without padding, since its attention does (see
    `xlmkit.model.packing`); on a CPU batches of like lengths, padded, are as fast.

    Args:
        model: with `Transformer`s in it, or without any; is changed.
        device: where it will train.
        dtype: what it will compute in.
        compiles: let `torch.compile` take all layers of a Transformer as one graph.

    Returns:
        The model.
    """
    for module in model.modules():
        if isinstance(module, Transformer):
            if compiles:
                module.run = torch.compile(module.run)  # type: ignore[method-assign]
            module.packs = device.type == "cuda" and dtype == torch.bfloat16 and not compiles
    return model.to(device)


def check_compiler(device: torch.device) -> None:
    """See that `torch.compile` finds what it needs, before any work is done.

    Raises:
        UserError: it does not, with what to do.
    """
    if device.type == "cuda":
        from torch.utils._triton import has_triton

        if not has_triton():
            raise UserError(
                "pretrain.compile needs triton on a GPU; install it, or leave compile out."
            )
    elif not any(shutil.which(name) for name in (environ.get("CXX"), "g++", "clang++") if name):
        raise UserError(
            "pretrain.compile needs a compiler for C++ on a CPU; install g++, or leave it out."
        )
