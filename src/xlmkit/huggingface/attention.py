"""Attention by the names that Hugging Face gives it in `attn_implementation`."""

from types import SimpleNamespace
from typing import TYPE_CHECKING

from torch import Tensor, nn
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from xlmkit.model.attention import Attend, fused_attention, plain_attention

if TYPE_CHECKING:
    from torch.nn.attention.flex_attention import BlockMask


def attention_by_name(name: str | None) -> Attend:
    """Return how to attend for `eager`, `sdpa`, `flex_attention` or a name that Hugging Face knows.

    The last are its integrations (flash attention of several versions) and functions that a person
    registered with `transformers.AttentionInterface`.
    """
    if name is None or name == "eager":
        return plain_attention
    if name == "sdpa":
        return _sdpa
    if name == "flex_attention":
        return _flex
    return _HuggingFaceAttend(name)


def _sdpa(
    query_BHQD: Tensor,
    key_BHKD: Tensor,
    value_BHKD: Tensor,
    mask_B1QK: Tensor | None,
    *,
    dropout: float,
    causal: bool,
) -> Tensor:
    """Torch's fused kernel; a query that may see nothing (padding) sees all, so stays a number."""
    if mask_B1QK is not None:
        mask_B1QK = mask_B1QK | ~mask_B1QK.any(dim=-1, keepdim=True)
    return fused_attention(
        query_BHQD, key_BHKD, value_BHKD, mask_B1QK, dropout=dropout, causal=causal
    )


def _flex(
    query_BHQD: Tensor,
    key_BHKD: Tensor,
    value_BHKD: Tensor,
    mask_B1QK: Tensor | None,
    *,
    dropout: float,
    causal: bool,
) -> Tensor:
    """Torch's flexible kernel, which skips blocks that nothing may see.

    Raises:
        ValueError: dropout is asked for, which the kernel lacks.
    """
    from torch.nn.attention.flex_attention import flex_attention

    if dropout:
        raise ValueError(
            "flex_attention has no dropout: set attention_dropout=0 or another attn_implementation."
        )
    blocks = _block_mask(query_BHQD, key_BHKD, mask_B1QK, causal=causal)
    output: Tensor = flex_attention(query_BHQD, key_BHKD, value_BHKD, block_mask=blocks)
    return output


def _block_mask(
    query_BHQD: Tensor, key_BHKD: Tensor, mask_B1QK: Tensor | None, *, causal: bool
) -> "BlockMask | None":
    from torch.nn.attention.flex_attention import create_block_mask

    B, _, Q, _ = query_BHQD.shape
    K = key_BHKD.shape[2]
    if mask_B1QK is None and not (causal and Q > 1):
        return None

    def visible(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        del head
        if mask_B1QK is None:
            return query >= key
        return mask_B1QK[batch, 0, query if mask_B1QK.shape[2] > 1 else 0, key]

    return create_block_mask(visible, B, None, Q, K, device=str(query_BHQD.device))


class _HuggingFaceAttend:
    """A function of `transformers`; it is given padding, (B, K), and causality by themselves."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._function = ALL_ATTENTION_FUNCTIONS[name]

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
        # The last query sees all that is not padding.
        keep_BK = None if mask_B1QK is None else mask_B1QK[:, 0, -1]
        module = nn.Module()
        module.config = SimpleNamespace(_attn_implementation=self._name)  # type: ignore[assignment]
        module.is_causal = causal  # type: ignore[assignment]
        output_BQHD, _ = self._function(
            module,
            query_BHQD,
            key_BHKD,
            value_BHKD,
            keep_BK,
            dropout=dropout,
            scaling=query_BHQD.shape[-1] ** -0.5,
            is_causal=causal and query_BHQD.shape[2] > 1,
        )
        output: Tensor = output_BQHD.transpose(1, 2)
        return output
