"""From what a caller gives (`attention_mask`, `lengths`, `langs`, ...) to what the layers take.

`transformers` counts positions from the start of the row also where padding comes first, and lets
later tokens attend to padding in causal mode. Here a row's positions begin at its first real token,
so a row that is padded on the left gives what it gives alone; other rows give what they give there.

Shapes: B sequences, L new positions, K positions with those before them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from xlmkit.model.attention import real_tokens, visible_keys


@dataclass(frozen=True, slots=True)
class Padding:
    """Which positions are real.

    Attributes:
        keep: True at real ones, (B, K).
    """

    keep: Tensor

    @classmethod
    def find(
        cls,
        *,
        tokens_BL: Tensor | None,
        attention_mask: Tensor | None,
        lengths_B: Tensor | None,
        shape: tuple[int, int],
        past: int,
        pad_index: int,
    ) -> "Padding | None":
        """Return the padding, or None where there is none.

        The first of these that is given decides: the attention mask, the lengths, the tokens.

        Raises:
            ValueError: sizes do not fit one another.
        """
        B, L = shape
        if attention_mask is not None:
            if attention_mask.dim() != 2 or attention_mask.shape[1] not in (L, past + L):
                raise ValueError(
                    f"attention_mask has the shape {tuple(attention_mask.shape)}, but "
                    f"{(B, past + L)} is expected: a number for every token, 0 at padding."
                )
            keep_BK = attention_mask != 0
            if keep_BK.shape[1] < past + L:  # a mask of the new tokens only
                keep_BK = torch.cat([keep_BK.new_ones(B, past), keep_BK], dim=1)
        elif past:
            return None
        elif lengths_B is not None:
            if lengths_B.shape != (B,):
                raise ValueError(
                    f"lengths has the shape {tuple(lengths_B.shape)}, but {(B,)} is expected: "
                    "a number for every sequence."
                )
            if values_are_known() and B and int(lengths_B.max()) > L:
                raise ValueError(
                    f"lengths says {int(lengths_B.max())}, but the sequences have {L} tokens."
                )
            keep_BK = real_tokens(lengths_B, L)
        elif tokens_BL is not None:
            keep_BK = _real_by_tokens(tokens_BL != pad_index)
        else:
            return None
        return None if values_are_known() and bool(keep_BK.all()) else cls(keep_BK)

    def positions(self, past: int) -> Tensor | None:
        """Return position ids of the new tokens, (B, L); None where all rows begin at 0."""
        if values_are_known() and not past and bool(self.keep[:, 0].all()):
            return None
        place_L = torch.arange(past, self.keep.shape[1], device=self.keep.device)
        leading_B1 = (self.keep.cumsum(dim=1) == 0).sum(dim=1, keepdim=True)
        return (place_L - leading_B1).clamp(min=0)

    def counted(self, *, over_padding: bool) -> Tensor | None:
        """Return which states a summary counts, (B, K), None for all.

        Args:
            over_padding: count padding too, as `transformers` does, but only behind a row's first
                real token, so that padding in front does not change a result.
        """
        if not over_padding:
            return self.keep
        keep_BK = self.keep.cumsum(dim=1) > 0
        return None if values_are_known() and bool(keep_BK.all()) else keep_BK

    def leading(self) -> Tensor | None:
        """Return True at the padding in front of each row, (B, K); None where there is none."""
        leading_BK = self.keep.cumsum(dim=1) == 0
        return leading_BK if not values_are_known() or bool(leading_BK.any()) else None

    def factor(self, n_new: int, dtype: torch.dtype) -> Tensor:
        """Return 1 at the real ones of the new tokens and 0 elsewhere, (B, L, 1)."""
        return self.keep[:, -n_new:, None].to(dtype)


def _real_by_tokens(filled_BL: Tensor) -> Tensor:
    """Return which tokens are real, when all that is known is which are not the padding token.

    As many as are not padding, from the first of them: a padding token in between is a word.
    """
    place_L = torch.arange(filled_BL.shape[1], device=filled_BL.device)
    leading_B1 = (filled_BL.cumsum(dim=1) == 0).sum(dim=1, keepdim=True)
    length_B1 = filled_BL.sum(dim=1, keepdim=True)
    return (place_L >= leading_B1) & (place_L < leading_B1 + length_B1)


def self_attention_mask(
    padding: Padding | None, shape: tuple[int, int], past: int, causal: bool, device: torch.device
) -> Tensor | None:
    """Return which keys the new tokens may see, (B, 1, L or 1, K); None where `causal` says all."""
    B, L = shape
    if padding is not None:
        return visible_keys(padding.keep, L, causal=causal)
    if causal and past and L > 1:
        return visible_keys(
            torch.ones(B, past + L, dtype=torch.bool, device=device), L, causal=True
        )
    return None


def source_mask(attention_mask_BS: Tensor | None) -> Tensor | None:
    """Return which positions of a source may be seen, (B, 1, 1, S)."""
    if attention_mask_BS is None:
        return None
    return visible_keys(attention_mask_BS != 0, 1, causal=False)


def language_ids(langs: Tensor | None, shape: tuple[int, int], past: int = 0) -> Tensor | None:
    """Return a language id for every new token, (B, L).

    Args:
        langs: an id for every token, (B, L), or for every sequence, (B,) or (B, 1). Ids that
            also cover earlier tokens lose those.
        shape: B and L.
        past: how many tokens lie before.

    Raises:
        ValueError: the shape is another.
    """
    if langs is None:
        return None
    B, L = shape
    given = langs[:, None] if langs.dim() == 1 else langs
    if given.dim() != 2 or given.shape[0] not in (1, B) or given.shape[1] not in (1, L, past + L):
        raise ValueError(
            f"langs has the shape {tuple(langs.shape)}, but {(B, L)} is expected, a language id "
            f"for every token, or {(B,)}, one for every sequence."
        )
    return given[:, -L:].expand(B, L)


def values_are_known() -> bool:
    """Tell whether tensors may be looked into: not while a compiler or exporter is at work."""
    return not (torch.compiler.is_compiling() or torch.jit._trace.is_tracing())
