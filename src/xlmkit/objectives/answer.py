"""Question answering: where in a context the answer begins and ends.

Simple head:  L = - (log p(start) + log p(end)) / 2, Devlin et al. 2019.
Beam head:    L = - (log p(start) + log p(end | start)) / 2 - log p(whether there is an answer) / 2,
              Yang et al. 2019.

In a window without the answer the right start and end are the first token. Other tokens than that
and the context's have no probability; Hugging Face's simple head gives them some.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from xlmkit.data.window_batches import WindowInputs, Windows
from xlmkit.objectives.base import LossOutput, grouped
from xlmkit.objectives.pool import Parts, Pool


@dataclass(frozen=True, slots=True)
class AnswerBatch:
    """Windows with the places of their answers, (B,) each, 0 where there is none."""

    inputs: WindowInputs
    start: Tensor
    end: Tensor


SpanLoss = Callable[[Any, AnswerBatch], tuple[Tensor, Tensor]]
"""From a model and a batch to the loss of each window and whether its place is right, (B,) each."""


class QuestionAnswering:
    """Learns where answers stand.

    Args:
        windows: what is read.
        places: first and last token of the answer in each, (windows, 2); 0 where there is none.
        tokens: tokens of a batch.
        seed: fixes the order.
        loss: that of the model's head: `simple_loss` or `beam_loss`.
        languages: the language of each window; by default one.
    """

    name = "answer"

    def __init__(
        self,
        windows: Windows,
        places: NDArray[np.int64],
        *,
        tokens: int,
        seed: object,
        loss: SpanLoss,
        languages: Parts | None = None,
    ) -> None:
        self.groups = ["all"]
        self.windows, self.places, self._loss = windows, places, loss
        lengths = windows.lengths
        parts = [] if languages is None else [languages]
        self.pool = Pool(lengths, parts, tokens=tokens, seed=(seed, self.name))
        self.batches_per_epoch = max(1, round(int(lengths.sum()) / tokens))

    def batch(self, number: int) -> AnswerBatch:
        """Draw batch `number`."""
        items = self.pool.batch(number)
        start, end = torch.from_numpy(self.places[items]).unbind(dim=1)
        return AnswerBatch(self.windows.batch(items.tolist()), start, end)

    def tokens(self, batch: AnswerBatch) -> int:
        """Return how many tokens are read, padding not counted."""
        return batch.inputs.n_tokens

    def loss(self, model: nn.Module, batch: AnswerBatch) -> LossOutput:
        """Return the sum of the loss over windows."""
        device = next(model.parameters()).device
        moved = AnswerBatch(batch.inputs.to(device), batch.start.to(device), batch.end.to(device))
        loss_B, correct_B = self._loss(model, moved)
        parts = grouped(loss_B, correct_B, torch.zeros_like(correct_B, dtype=torch.int64), 1)
        return LossOutput(loss_B.sum(), len(loss_B), parts)


def simple_loss(model: nn.Module, batch: AnswerBatch) -> tuple[Tensor, Tensor]:
    """Return the loss of each window and whether start and end are right, (B,) each.

    Args:
        model: gives every token its scores as start and end, (B, L, 2).
        batch: the windows.
    """
    scores_BLS = batch.inputs.fed_to(model).float()
    scores_BLS = scores_BLS.masked_fill(~batch.inputs.open[..., None], -torch.inf)
    places_BS = torch.stack([batch.start, batch.end], dim=1)
    loss_BS = functional.cross_entropy(scores_BLS, places_BS, reduction="none")
    return loss_BS.mean(dim=1), (scores_BLS.detach().argmax(dim=1) == places_BS).all(dim=1)


def beam_loss(model: Any, batch: AnswerBatch) -> tuple[Tensor, Tensor]:  # noqa: ANN401 - see below
    """Return the loss of each window and whether the start is right, (B,) each.

    Args:
        model: a `BeamAnswerer`, or another with `qa_outputs`, that gives states, (B, L, E).
        batch: the windows.
    """
    hidden_BLE = batch.inputs.fed_to(model)
    closed_BL = ~batch.inputs.open
    loss_B = model.qa_outputs.loss(
        hidden_BLE,
        batch.start,
        batch.end,
        cls_index_B=torch.zeros_like(batch.start),
        is_impossible_B=batch.start == 0,
        p_mask_BL=closed_BL,
        reduction="none",
    )
    with torch.no_grad():
        starts_BL = model.qa_outputs.start_logits(hidden_BLE)
        best_B = starts_BL.masked_fill(closed_BL, -torch.inf).argmax(dim=1)
    return loss_B.float(), best_B == batch.start
