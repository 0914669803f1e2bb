"""How a model is laid out for training on a device, so that it is fast there; results stay."""

import shutil
import sys
from os import environ

import torch
from torch import nn

from xlmkit.core.errors import UserError
from xlmkit.model.packing import has_unpadded_attention
from xlmkit.model.transformer import Transformer


def place(
    model: nn.Module, device: torch.device, dtype: torch.dtype, *, compiles: bool
) -> nn.Module:
    """Move a model to a device and choose how its Transformers compute there.

    They work without padding where the device's attention does (see `xlmkit.model.packing`), unless
    they are compiled. On a CPU they are padded, which is little, as batches are of like lengths.

    Args:
        model: with `Transformer`s in it, or without any; is changed.
        device: where it will train.
        dtype: what it will compute in.
        compiles: let `torch.compile` take all layers of a Transformer as one graph.

    Returns:
        The model.
    """
    if compiles:
        torch.compiler.reset()  # an earlier model's shapes would make this one's dynamic
    for module in model.modules():
        if isinstance(module, Transformer):
            if compiles:
                module.run = torch.compile(module.run)  # type: ignore[method-assign]
            width = module.architecture.emb_dim // module.architecture.n_heads
            module.packs = not compiles and has_unpadded_attention(device, dtype, width)
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
                "pretrain.compile needs triton, and a GPU that it knows; install it, or leave "
                "compile out."
            )
        return
    compiler = environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")  # as torch
    if shutil.which(compiler) is None:
        raise UserError(
            f"pretrain.compile needs a compiler for C++ on a CPU, and there is no {compiler}; "
            "install it, name another in CXX, or leave compile out."
        )
