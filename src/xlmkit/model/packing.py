"""Attention over sequences that lie one behind the other without padding.

Everything else in a layer treats each position by itself, so that only attention needs to know
where a sequence ends (Krell et al. 2021, "Efficient sequence packing without
cross-contamination").

Shapes: B sequences, L positions of the longest, N positions of all together, H heads, D width of a
head.
"""

from functools import cached_property
from itertools import accumulate, groupby

import torch
from torch import Tensor
from torch.nn import functional

from xlmkit.model.attention import (
    attention_mask,
    fused_attention,
    plain_attention,
    real_tokens,
)


def has_unpadded_attention(device: torch.device, dtype: torch.dtype, width: int) -> bool:
    """Tell whether flash attention, which needs no padding, computes with heads of this width.

    Where it does not, torch has no other kernel for causal sequences of different lengths.
    """
    return (
        device.type == "cuda"
        and dtype in (torch.bfloat16, torch.float16)
        and width % 8 == 0
        and width <= 256
        and torch.backends.cuda.is_flash_attention_available()
        and torch.cuda.get_device_capability(device) >= (8, 0)
    )


class Packing:
    """Where the real tokens of a padded batch lie, and how they attend when packed.

    Args:
        lengths_B: real tokens of each sequence, padding follows them, (B,).
        n_positions: L, the padded length.
    """

    def __init__(self, lengths_B: Tensor, n_positions: int) -> None:
        self.shape = (len(lengths_B), n_positions)
        self._places_N = real_tokens(lengths_B, n_positions).flatten().nonzero()[:, 0]
        self._lengths = [int(length) for length in lengths_B.tolist() if length]
        self._lengths_B = lengths_B

    @cached_property
    def _offsets(self) -> Tensor:
        """Where each sequence begins, and where the last one ends, (sequences + 1,)."""
        return torch.tensor([0, *accumulate(self._lengths)], device=self._lengths_B.device)

    def pack(self, padded_BL: Tensor) -> Tensor:
        """Return the real tokens of all sequences as one, (B, L) to (1, N)."""
        return padded_BL.flatten().index_select(0, self._places_N)[None]

    def unpack(self, packed_1NE: Tensor) -> Tensor:
        """Put states back where they were, zeros at padding, (1, N, E) to (B, L, E)."""
        B, L = self.shape
        padded = packed_1NE.new_zeros(B * L, packed_1NE.shape[2])
        return padded.index_copy(0, self._places_N, packed_1NE[0]).view(B, L, -1)

    def attend(
        self,
        query_BHQD: Tensor,
        key_BHKD: Tensor,
        value_BHKD: Tensor,
        mask_B1QK: Tensor | None,
        *,
        dropout: float,
        causal: bool,
    ) -> Tensor:
        """Attend within each sequence, an `Attend` for one packed sequence, (1, H, N, D).

        A mask is ignored, since none is needed.
        """
        del mask_B1QK
        if query_BHQD.device.type == "cpu":
            way = self._in_groups
        elif has_unpadded_attention(query_BHQD.device, query_BHQD.dtype, query_BHQD.shape[3]):
            way = self._unpadded
        else:
            way = self._padded
        return way(query_BHQD, key_BHKD, value_BHKD, dropout, causal)

    def _in_groups(
        self, query: Tensor, key: Tensor, value: Tensor, dropout: float, causal: bool
    ) -> Tensor:
        """Attend in plain batches of neighbours of equal length, on a CPU the fastest way."""
        parts, start = [], 0
        for length, group in groupby(self._lengths):
            count = sum(1 for _ in group)
            end = start + count * length

            def rows(
                states_1HND: Tensor, start: int = start, end: int = end, length: int = length
            ) -> Tensor:
                own = states_1HND[0, :, start:end]  # (H, count * length, D)
                return own.reshape(len(own), -1, length, own.shape[2]).transpose(0, 1)

            context = plain_attention(  # (count, H, length, D)
                rows(query), rows(key), rows(value), None, dropout=dropout, causal=causal
            )
            parts.append(context.transpose(1, 2).flatten(0, 1))
            start = end
        return torch.cat(parts)[None].transpose(1, 2)

    def _unpadded(
        self, query: Tensor, key: Tensor, value: Tensor, dropout: float, causal: bool
    ) -> Tensor:
        """Attend by the fused kernel for sequences of different lengths, which a GPU has.

        torch reaches it, with dropout, through nested tensors; they share the memory given.
        """
        least, most = min(self._lengths), max(self._lengths)

        def nested(states_1HND: Tensor) -> Tensor:
            states_NHD = states_1HND[0].transpose(0, 1).contiguous()  # projected states are so
            made = torch.nested.nested_tensor_from_jagged(
                states_NHD, self._offsets, min_seqlen=least, max_seqlen=most
            )
            return made.transpose(1, 2)  # (B, H, each one's length, D)

        context = functional.scaled_dot_product_attention(
            nested(query), nested(key), nested(value), dropout_p=dropout, is_causal=causal
        )
        context_NHD: Tensor = context.transpose(1, 2).values()
        return context_NHD.transpose(0, 1)[None]

    def _padded(
        self, query: Tensor, key: Tensor, value: Tensor, dropout: float, causal: bool
    ) -> Tensor:
        """Attend by torch's fused kernel, padded for as long as that takes."""

        def rows(states_1HND: Tensor) -> Tensor:
            padded_BLE = self.unpack(states_1HND.transpose(1, 2).flatten(2))
            return padded_BLE.view(*self.shape, query.shape[1], -1).transpose(1, 2)

        context_BHLD = fused_attention(
            rows(query),
            rows(key),
            rows(value),
            attention_mask(self._lengths_B, self.shape[1], causal=causal),
            dropout=dropout,
            causal=causal,
        )
        context_XHD = context_BHLD.transpose(1, 2).flatten(0, 1)  # X = B * L
        return context_XHD.index_select(0, self._places_N)[None].transpose(1, 2)
