"""Multi-head attention, over the sequence itself or over a source.

Shapes: B sequences, L positions, Q queries, K keys, H heads, D width of a head; E = H * D is the
model's width.
"""

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlmkit.model.cache import KeysAndValues, Past
from xlmkit.model.dropout import dropped_softmax


class Attend(Protocol):
    """A way to compute attention; see `plain_attention`."""

    def __call__(
        self,
        query_BHQD: Tensor,
        key_BHKD: Tensor,
        value_BHKD: Tensor,
        mask_B1QK: Tensor | None,
        *,
        dropout: float,
        causal: bool,
    ) -> Tensor:
        """Return the attended values, (B, H, Q, D)."""
        ...


class MultiHeadAttention(nn.Module):
    """Scaled dot-product attention with separate query, key, value and output projections.

    Vaswani et al. 2017, "Attention is all you need"; parameter names as in XLM.
    """

    def __init__(self, n_heads: int, emb_dim: int, dropout: float, layer: int = 0) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.dropout = dropout
        self.layer = layer
        self.q_lin = nn.Linear(emb_dim, emb_dim)
        self.k_lin = nn.Linear(emb_dim, emb_dim)
        self.v_lin = nn.Linear(emb_dim, emb_dim)
        self.out_lin = nn.Linear(emb_dim, emb_dim)

    def forward(
        self,
        hidden_BLE: Tensor,
        mask_B1QK: Tensor | None,
        *,
        causal: bool,
        source_BKE: Tensor | None = None,
        past: Past | None = None,
        attend: Attend | None = None,
    ) -> Tensor:
        """Attend from every position to those that the mask admits, of the sequence or a source.

        Args:
            hidden_BLE: states, (B, L, E).
            mask_B1QK: True where attention is allowed, broadcast to (B, 1, L, K); None allows all.
            causal: without a mask, forbid attention to later positions.
            source_BKE: states to attend to instead of the sequence's own, (B, K, E).
            past: keys and values of earlier positions, which are attended to as well, or those
                that the source gave before.
            attend: how; by default what is fastest on the device.

        Returns:
            States, (B, L, E).
        """
        query_BHLD = self._project(self.q_lin, hidden_BLE)
        key_BHKD, value_BHKD = self._keys_and_values(hidden_BLE, source_BKE, past)
        if attend is None:
            attend = plain_attention if hidden_BLE.device.type == "cpu" else fused_attention
        dropout = self.dropout if self.training else 0.0
        context_BHLD = attend(
            query_BHLD, key_BHKD, value_BHKD, mask_B1QK, dropout=dropout, causal=causal
        )
        context_BLE: Tensor = self.out_lin(context_BHLD.transpose(1, 2).flatten(2))
        return context_BLE

    def _keys_and_values(
        self, hidden_BLE: Tensor, source_BKE: Tensor | None, past: Past | None
    ) -> KeysAndValues:
        """Return what is attended to; a source's is computed once for a whole decoding."""
        if source_BKE is not None and past is not None:
            kept = past.source(self.layer)
            if kept is not None:
                return kept
        attended = hidden_BLE if source_BKE is None else source_BKE
        key, value = (self._project(linear, attended) for linear in (self.k_lin, self.v_lin))
        if past is None:
            return key, value
        if source_BKE is None:
            return past.extend(self.layer, key, value)
        past.keep_source(self.layer, key, value)
        return key, value

    def _project(self, linear: nn.Linear, hidden_BLE: Tensor) -> Tensor:
        projected_BLE: Tensor = linear(hidden_BLE)
        return projected_BLE.view(*hidden_BLE.shape[:2], self.n_heads, -1).transpose(1, 2)


def fused_attention(
    query_BHQD: Tensor,
    key_BHKD: Tensor,
    value_BHKD: Tensor,
    mask_B1QK: Tensor | None,
    *,
    dropout: float,
    causal: bool,
) -> Tensor:
    """Attention by torch's fused kernel, (B, H, Q, D)."""
    return functional.scaled_dot_product_attention(
        query_BHQD,
        key_BHKD,
        value_BHKD,
        attn_mask=mask_B1QK,
        dropout_p=dropout,
        is_causal=causal and mask_B1QK is None and query_BHQD.shape[2] > 1,
    )


def plain_attention(
    query_BHQD: Tensor,
    key_BHKD: Tensor,
    value_BHKD: Tensor,
    mask_B1QK: Tensor | None,
    *,
    dropout: float,
    causal: bool,
) -> Tensor:
    """Attention written out, (B, H, Q, D).

    Up to 256 positions on a CPU the fused kernel of torch 2.13 takes two to five times as long in
    bfloat16, forward and backward together: its blocks are too large for short sequences.

    Args:
        query_BHQD: queries, (B, H, Q, D).
        key_BHKD: keys, (B, H, K, D).
        value_BHKD: values, (B, H, K, D).
        mask_B1QK: True where attention is allowed, broadcast to (B, 1, Q, K); None allows all.
        dropout: share of the weights to drop.
        causal: without a mask, forbid attention to later positions; then Q is K, or 1 for the last
            position, which sees all.
    """
    weights = _weights(query_BHQD, key_BHKD, mask_B1QK, dropout, causal)
    return torch.bmm(weights, value_BHKD.flatten(0, 1)).view_as(query_BHQD)


class WeightKeeper:
    """`plain_attention` that keeps what it attended to, in the order of its calls.

    Attributes:
        weights: of each call, (B, H, Q, K).
    """

    def __init__(self) -> None:
        self.weights: list[Tensor] = []

    def __call__(
        self,
        query_BHQD: Tensor,
        key_BHKD: Tensor,
        value_BHKD: Tensor,
        mask_B1QK: Tensor | None,
        *,
        dropout: float,
        causal: bool,
    ) -> Tensor:
        """Return the attended values, (B, H, Q, D)."""
        weights = _weights(query_BHQD, key_BHKD, mask_B1QK, dropout, causal)  # (B * H, Q, K)
        kept_BHQK = weights.view(*query_BHQD.shape[:2], *weights.shape[1:])
        self.weights.append(kept_BHQK)
        # From what is kept, so that it lies on the way of the gradient.
        return torch.bmm(kept_BHQK.flatten(0, 1), value_BHKD.flatten(0, 1)).view_as(query_BHQD)


def _weights(
    query_BHQD: Tensor,
    key_BHKD: Tensor,
    mask_B1QK: Tensor | None,
    dropout: float,
    causal: bool,
) -> Tensor:
    """Return what each query takes from each key, (B * H, Q, K)."""
    B, H, Q, D = query_BHQD.shape
    K = key_BHKD.shape[2]
    query, key = query_BHQD.flatten(0, 1), key_BHKD.flatten(0, 1)
    if mask_B1QK is None and causal and Q > 1:
        mask_B1QK = query.new_ones(1, 1, Q, K, dtype=torch.bool).tril()
    if mask_B1QK is None:
        scores = torch.bmm(query * D**-0.5, key.transpose(1, 2))
    else:
        bias = query.new_zeros(mask_B1QK.shape).masked_fill(~mask_B1QK, lowest(query.dtype))
        bias = bias.expand(B, H, Q, K).reshape(B * H, Q, K)
        scores = torch.baddbmm(bias, query, key.transpose(1, 2), alpha=D**-0.5)
    return dropped_softmax(scores, dropout, training=dropout > 0)


def lowest(dtype: torch.dtype) -> float:
    """Return a score that stands for minus infinity and stays finite when a score is added.

    A query that may see nothing (padding) then gets even weights instead of not-a-number.
    """
    return torch.finfo(dtype).min / 2


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
    return visible_keys(real_tokens(lengths_B, n_positions), n_positions, causal=causal)


def real_tokens(lengths_B: Tensor, n_positions: int) -> Tensor:
    """Return True at real tokens of sequences that are padded on the right, (B, L)."""
    return torch.arange(n_positions, device=lengths_B.device) < lengths_B[:, None]


def visible_keys(keep_BK: Tensor, n_queries: int, *, causal: bool) -> Tensor:
    """Return which keys each query may see, True where allowed.

    Args:
        keep_BK: True at real keys, (B, K).
        n_queries: Q; the queries stand at the last of the K positions.
        causal: forbid later positions as well.

    Returns:
        (B, 1, 1, K), or (B, 1, Q, K) when causal.
    """
    mask_B1QK = keep_BK[:, None, None, :]  # (B, 1, 1, K)
    if causal and n_queries > 1:
        place_K = torch.arange(keep_BK.shape[1], device=keep_BK.device)
        mask_B1QK = mask_B1QK & (place_K[-n_queries:, None] >= place_K)  # (B, 1, Q, K)
    return mask_B1QK
