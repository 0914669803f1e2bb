"""Multi-head self-attention.

Shapes: B sequences, L positions, H heads, D width of a head; E = H * D is the model's width.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlmkit.model.dropout import dropout as apply_dropout


class MultiHeadAttention(nn.Module):
    """Scaled dot-product attention with separate query, key, value and output projections.

    Vaswani et al. 2017, "Attention is all you need"; parameter names as in XLM.
    """

    def __init__(self, n_heads: int, emb_dim: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.dropout = dropout
        self.q_lin = nn.Linear(emb_dim, emb_dim)
        self.k_lin = nn.Linear(emb_dim, emb_dim)
        self.v_lin = nn.Linear(emb_dim, emb_dim)
        self.out_lin = nn.Linear(emb_dim, emb_dim)

    def forward(self, hidden_BLE: Tensor, mask_B1QK: Tensor | None, *, causal: bool) -> Tensor:
        """Attend from every position to the positions that the mask admits.

        Args:
            hidden_BLE: states, (B, L, E).
            mask_B1QK: True where attention is allowed, broadcast to (B, 1, L, L); None allows all.
            causal: without a mask, forbid attention to later positions.

        Returns:
            States, (B, L, E).
        """
        B, L, E = hidden_BLE.shape
        query, key, value = (
            project(hidden_BLE).view(B, L, self.n_heads, -1).transpose(1, 2)  # (B, H, L, D)
            for project in (self.q_lin, self.k_lin, self.v_lin)
        )
        dropout = self.dropout if self.training else 0.0
        attend = plain_attention if hidden_BLE.device.type == "cpu" else fused_attention
        context_BHLD = attend(query, key, value, mask_B1QK, dropout=dropout, causal=causal)
        context_BLE: Tensor = self.out_lin(context_BHLD.transpose(1, 2).reshape(B, L, E))
        return context_BLE


def fused_attention(
    query_BHLD: Tensor,
    key_BHLD: Tensor,
    value_BHLD: Tensor,
    mask_B1QK: Tensor | None,
    *,
    dropout: float,
    causal: bool,
) -> Tensor:
    """Attention by torch's fused kernel, (B, H, L, D)."""
    return functional.scaled_dot_product_attention(
        query_BHLD,
        key_BHLD,
        value_BHLD,
        attn_mask=mask_B1QK,
        dropout_p=dropout,
        is_causal=causal and mask_B1QK is None,
    )


def plain_attention(
    query_BHLD: Tensor,
    key_BHLD: Tensor,
    value_BHLD: Tensor,
    mask_B1QK: Tensor | None,
    *,
    dropout: float,
    causal: bool,
) -> Tensor:
    """Attention written out, (B, H, L, D).

    Up to 256 positions on a CPU the fused kernel of torch 2.13 takes two to five times as long in
    bfloat16, forward and backward together: its blocks are too large for short sequences.
    """
    B, H, L, D = query_BHLD.shape
    query, key, value = (state.reshape(B * H, L, D) for state in (query_BHLD, key_BHLD, value_BHLD))
    if mask_B1QK is None and causal:
        mask_B1QK = query.new_ones(1, 1, L, L, dtype=torch.bool).tril()
    if mask_B1QK is None:
        scores = torch.bmm(query * D**-0.5, key.transpose(1, 2))  # (B * H, L, L)
    else:
        bias = query.new_zeros(mask_B1QK.shape).masked_fill(~mask_B1QK, -torch.inf)
        bias = bias.expand(B, H, L, L).reshape(B * H, L, L)
        scores = torch.baddbmm(bias, query, key.transpose(1, 2), alpha=D**-0.5)
    weights = apply_dropout(torch.softmax(scores, dim=-1), dropout, training=dropout > 0)
    return torch.bmm(weights, value).view(B, H, L, D)


def attention_mask(lengths_B: Tensor, n_positions: int, *, causal: bool) -> Tensor | None:
    """Return which keys each query may see, True where allowed, or None if nothing is forbidden.

    Args:
        lengths_B: real positions of each sequence, padding follows them, (B,).
        n_positions: L, the padded length.
        causal: forbid later positions as well.

    Returns:
        (B, 1, 1, L), or (B, 1, L, L) when causal, or None when every sequence is full.
    """
    if bool((lengths_B == n_positions).all()):
        return None
    place_L = torch.arange(n_positions, device=lengths_B.device)
    mask_B1QK = (place_L < lengths_B[:, None])[:, None, None, :]  # (B, 1, 1, L)
    if causal:
        mask_B1QK = mask_B1QK & (place_L[:, None] >= place_L)  # (B, 1, L, L)
    return mask_B1QK
