"""Product-key memory: a very wide sparse layer whose keys are searched in two halves.

Lample et al. 2019, "Large Memory Layers with Product Keys". A query is split in two; the best half
keys of each are found, and the best sums of two among them name the memory's slots, so that k * k
slots cost two searches over k keys. Parameter names are the original's.

Shapes: N tokens, E width, H heads, Q width of a query, K half keys, S = K * K slots, n neighbours.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlmkit.model.config import MemoryShape


class QueryNetwork(nn.Module):
    """The layers that turn a state into one query for each head."""

    def __init__(self, emb_dim: int, shape: MemoryShape) -> None:
        super().__init__()
        widths = [emb_dim, *shape.query_sizes, shape.n_heads * shape.key_dim]
        layers: list[nn.Module] = []
        for number, (before, after) in enumerate(pairwise(widths)):
            layers.append(nn.Linear(before, after, bias=shape.query_bias))
            if shape.query_batch_norm:
                layers.append(nn.BatchNorm1d(after))
            if number < len(widths) - 2:
                layers.append(nn.ReLU())
        self.query_mlps = nn.Sequential(*layers)

    def forward(self, hidden_NE: Tensor) -> Tensor:
        """Return the queries, (N, H * Q)."""
        queries: Tensor = self.query_mlps(hidden_NE)
        return queries


class ProductKeyMemory(nn.Module):
    """Reads a weighted sum of the slots whose keys are nearest to the queries of a state."""

    def __init__(self, emb_dim: int, shape: MemoryShape) -> None:
        super().__init__()
        self.shape = shape
        half = shape.key_dim // 2
        bound = half**-0.5
        keys = torch.empty(shape.n_heads, 2, shape.n_keys, half).uniform_(-bound, bound)
        self.keys = nn.Parameter(keys)
        self.values = nn.EmbeddingBag(shape.n_keys**2, emb_dim, mode="sum")
        nn.init.normal_(self.values.weight, std=emb_dim**-0.5)
        self.query_proj = QueryNetwork(emb_dim, shape)

    def forward(self, hidden_BLE: Tensor) -> Tensor:
        """Return what the memory holds for each state, (B, L, E)."""
        hidden_NE = hidden_BLE.flatten(0, -2)
        n_tokens, shape = len(hidden_NE), self.shape
        query = self.query_proj(hidden_NE).view(n_tokens, shape.n_heads, 2, -1)  # (N, H, 2, Q/2)
        score_NH2K = torch.einsum("nhsq,hskq->nhsk", query, self.keys)
        best, place = score_NH2K.topk(shape.n_neighbors, dim=3)  # (N, H, 2, n)
        sums_NHnn = best[:, :, 0, :, None] + best[:, :, 1, None, :]
        slots_NHnn = place[:, :, 0, :, None] * shape.n_keys + place[:, :, 1, None, :]
        score_NHn, chosen_NHn = sums_NHnn.flatten(2).topk(shape.n_neighbors, dim=2)
        slots_NHn = slots_NHnn.flatten(2).gather(2, chosen_NHn)
        weights_NHn = functional.softmax(score_NHn.float(), dim=2).to(hidden_NE.dtype)
        # All heads' slots of a token make one bag.
        output_NE: Tensor = self.values(
            slots_NHn.flatten(1), per_sample_weights=weights_NHn.flatten(1)
        )
        return output_NE.view_as(hidden_BLE)
