"""The fixed position table of the original Transformer."""

import math

import torch
from torch import Tensor


def sinusoidal_positions(n_positions: int, emb_dim: int) -> Tensor:
    """Return Vaswani et al.'s fixed position table, sines at even and cosines at odd columns.

    Returns:
        (n_positions, emb_dim), float32.
    """
    place = torch.arange(n_positions, dtype=torch.float64)[:, None]
    column = (torch.arange(emb_dim) // 2 * 2).double()
    angle = place * torch.exp(column * (-math.log(10000.0) / emb_dim))  # (n_positions, emb_dim)
    table = torch.where(torch.arange(emb_dim) % 2 == 0, angle.sin(), angle.cos())
    return table.float()
