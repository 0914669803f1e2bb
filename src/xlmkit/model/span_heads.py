"""Spans in a text: the answers to questions, found by a small beam of starts and their ends.

Devlin et al. 2019 score starts and ends alone (one linear layer); the head here is that of Yang et
al. 2019, "XLNet", which scores ends given a start, and whether there is an answer at all.
Parameters carry Hugging Face's names.

Shapes: B sequences, L positions, E width, S starts that are followed up, T ends of each.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Spans:
    """The best spans.

    Attributes:
        start_probability: of the S best starts, (B, S).
        start: their places, (B, S).
        end_probability: of the T best ends of every start, by end and then by start, (B, T * S).
        end: their places, (B, T * S).
        answerable: score for there being no answer, a logit, (B,).
    """

    start_probability: Tensor
    start: Tensor
    end_probability: Tensor
    end: Tensor
    answerable: Tensor


class _StartScores(nn.Module):
    def __init__(self, emb_dim: int) -> None:
        super().__init__()
        self.dense = nn.Linear(emb_dim, 1)

    def forward(self, hidden_BLE: Tensor) -> Tensor:
        scores_BL: Tensor = self.dense(hidden_BLE)[..., 0]
        return scores_BL


class _EndScores(nn.Module):
    """Scores of ends, each given the state of a start."""

    def __init__(self, emb_dim: int, layer_norm_eps: float) -> None:
        super().__init__()
        self.dense_0 = nn.Linear(2 * emb_dim, emb_dim)
        self.LayerNorm = nn.LayerNorm(emb_dim, eps=layer_norm_eps)
        self.dense_1 = nn.Linear(emb_dim, 1)

    def forward(self, hidden_BLE: Tensor, start_BSE: Tensor) -> Tensor:
        """Return the score of every end for every start, (B, L, S)."""
        L, S = hidden_BLE.shape[1], start_BSE.shape[1]
        states = hidden_BLE[:, :, None].expand(-1, -1, S, -1)
        starts = start_BSE[:, None].expand(-1, L, -1, -1)
        inner = torch.tanh(self.dense_0(torch.cat([states, starts], dim=-1)))  # (B, L, S, E)
        scores_BLS: Tensor = self.dense_1(self.LayerNorm(inner))[..., 0]
        return scores_BLS


class _AnswerScore(nn.Module):
    def __init__(self, emb_dim: int) -> None:
        super().__init__()
        self.dense_0 = nn.Linear(2 * emb_dim, emb_dim)
        self.dense_1 = nn.Linear(emb_dim, 1, bias=False)

    def forward(self, start_BE: Tensor, class_BE: Tensor) -> Tensor:
        inner = torch.tanh(self.dense_0(torch.cat([start_BE, class_BE], dim=1)))
        score_B: Tensor = self.dense_1(inner)[:, 0]
        return score_B


class BeamSpanHead(nn.Module):
    """Starts, the ends of the best starts, and whether there is an answer."""

    def __init__(
        self, emb_dim: int, *, layer_norm_eps: float, start_n_top: int, end_n_top: int
    ) -> None:
        super().__init__()
        self.start_n_top, self.end_n_top = start_n_top, end_n_top
        self.start_logits = _StartScores(emb_dim)
        self.end_logits = _EndScores(emb_dim, layer_norm_eps)
        self.answer_class = _AnswerScore(emb_dim)

    def loss(
        self,
        hidden_BLE: Tensor,
        start_B: Tensor,
        end_B: Tensor,
        *,
        cls_index_B: Tensor | None = None,
        is_impossible_B: Tensor | None = None,
        p_mask_BL: Tensor | None = None,
        reduction: Literal["mean", "none"] = "mean",
    ) -> Tensor:
        """Return the mean of start and end loss, plus half the loss of there being no answer.

        Args:
            hidden_BLE: states, (B, L, E).
            start_B: place of the answer's first token, (B,).
            end_B: place of its last, (B,).
            cls_index_B: place of the state that tells whether there is an answer, (B,).
            is_impossible_B: 1 where there is none, (B,); counts only together with `cls_index_B`.
            p_mask_BL: 1 at tokens that can be no answer, (B, L).
            reduction: `mean` over the sequences, a scalar, or `none`, (B,).
        """
        start_BE = hidden_BLE[_rows(hidden_BLE), start_B]
        start_scores_BL = _masked(self.start_logits(hidden_BLE), p_mask_BL)
        end_scores_BL = _masked(self.end_logits(hidden_BLE, start_BE[:, None])[..., 0], p_mask_BL)
        loss = (
            functional.cross_entropy(start_scores_BL, start_B, reduction=reduction)
            + functional.cross_entropy(end_scores_BL, end_B, reduction=reduction)
        ) / 2
        if cls_index_B is None or is_impossible_B is None:
            return loss
        score_B = self.answer_class(start_BE, hidden_BLE[_rows(hidden_BLE), cls_index_B])
        target_B = is_impossible_B.to(score_B.dtype)
        return loss + 0.5 * functional.binary_cross_entropy_with_logits(
            score_B, target_B, reduction=reduction
        )

    def forward(
        self,
        hidden_BLE: Tensor,
        *,
        cls_index_B: Tensor | None = None,
        p_mask_BL: Tensor | None = None,
    ) -> Spans:
        """Return the best spans; arguments as for `loss`, the last state is the default class."""
        start_probability_BL = _masked(self.start_logits(hidden_BLE), p_mask_BL).softmax(dim=1)
        best_BS, start_BS = start_probability_BL.topk(_at_most(self.start_n_top, hidden_BLE), dim=1)
        start_states_BSE = hidden_BLE[_rows(hidden_BLE)[:, None], start_BS]
        end_scores_BLS = self.end_logits(hidden_BLE, start_states_BSE)
        mask = None if p_mask_BL is None else p_mask_BL[:, :, None]
        end_probability_BLS = _masked(end_scores_BLS, mask).softmax(dim=1)
        end_BTS = end_probability_BLS.topk(_at_most(self.end_n_top, hidden_BLE), dim=1)
        expected_start_BE = torch.einsum("ble,bl->be", hidden_BLE, start_probability_BL)
        if cls_index_B is None:
            class_BE = hidden_BLE[:, -1]
        else:
            class_BE = hidden_BLE[_rows(hidden_BLE), cls_index_B]
        return Spans(
            best_BS,
            start_BS,
            end_BTS.values.flatten(1),
            end_BTS.indices.flatten(1),
            self.answer_class(expected_start_BE, class_BE),
        )


def _at_most(n: int, hidden_BLE: Tensor) -> int:
    """Return how many places can be chosen; a compiler must not learn how many there are."""
    return n if torch.compiler.is_compiling() else min(n, hidden_BLE.shape[1])


def _rows(hidden_BLE: Tensor) -> Tensor:
    return torch.arange(hidden_BLE.shape[0], device=hidden_BLE.device)


def _masked(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Lower the scores where the mask is 1 so far that they have no probability."""
    if mask is None:
        return scores
    mask = mask.to(scores.dtype)
    worst = 65_500.0 if scores.dtype == torch.float16 else 1e30
    return scores * (1 - mask) - worst * mask
