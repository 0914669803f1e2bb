"""Sequence classification: a label given a text or a pair of texts.

One class:  L = - log p(label | first state), Devlin et al. 2019; Conneau & Lample 2019, sect. 5.1.
Several:    L = mean over classes of - log p(whether it is of the class).
A number:   L = (score - value)^2.
A choice:   L = - log softmax(scores of an example's sequences)[right one], Radford et al. 2018.

Of classes, `Balance` adds weights, focal loss and label smoothing; of one class, sampling, too.

The labels are of one language, the model is shared, and so other languages profit.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xlmkit.data.batch import LabelledBatch, Sequences
from xlmkit.objectives.balance import Balance
from xlmkit.objectives.base import LossOutput, grouped
from xlmkit.objectives.class_loss import class_loss, several_loss
from xlmkit.objectives.pool import Parts, Pool

_Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class SequenceClassification:
    """Learns labels of encoded sequences, with any model that gives a score to each class.

    Args:
        sequences: what is read.
        labels: class of each, (sequences,), or classes, (sequences, C), or value, (sequences,); for
            a choice the number of the right one, (sequences / choices,).
        tokens: tokens of a batch.
        seed: fixes the order.
        loss: what the labels are, see above: `classes`, `several`, `number` or `choice`.
        choices: sequences of an example.
        balance: what is done about rare classes, where the labels are classes.
        languages: the language of each example; by default one.
    """

    name = "classify"

    def __init__(
        self,
        sequences: Sequences,
        labels: NDArray[Any],
        *,
        tokens: int,
        seed: object,
        loss: Literal["classes", "several", "number", "choice"] = "classes",
        choices: int = 1,
        balance: Balance | None = None,
        languages: Parts | None = None,
    ) -> None:
        self.groups = ["all"]
        balance = balance or Balance()
        self.sequences, self.choices = sequences, choices
        whole = loss in ("classes", "choice")
        self.labels = labels.astype(np.int64 if whole else np.float32)
        losses: dict[str, _Loss] = {
            "classes": partial(_classes, balance=balance),
            "choice": partial(_classes, balance=Balance()),
            "several": partial(_several, balance=balance),
            "number": _number,
        }
        self._loss = losses[loss]
        lengths = sequences.lengths.reshape(-1, choices).sum(axis=1, dtype=np.int32)
        parts = [] if languages is None else [languages]
        if loss == "classes":
            parts.append(Parts(self.labels, balance.class_alpha))
        self.pool = Pool(lengths, parts, tokens=tokens, seed=(seed, self.name))
        self.batches_per_epoch = max(1, round(int(lengths.sum()) / tokens))

    def batch(self, number: int) -> LabelledBatch:
        """Draw batch `number`."""
        items = self.pool.batch(number)
        places = (items[:, None] * self.choices + np.arange(self.choices)).reshape(-1)
        inputs = self.sequences.batch(places.tolist())
        return LabelledBatch(inputs, torch.from_numpy(self.labels[items]))

    def tokens(self, batch: LabelledBatch) -> int:
        """Return how many tokens are read, padding not counted."""
        return batch.inputs.n_tokens

    def loss(self, model: nn.Module, batch: LabelledBatch) -> LossOutput:
        """Return the sum of the loss over examples."""
        device = next(model.parameters()).device
        labels = batch.labels.to(device)
        scores_BC = batch.inputs.to(device).fed_to(model).float()
        if self.choices > 1:
            scores_BC = scores_BC.reshape(-1, self.choices)
        loss_B, correct_B = self._loss(scores_BC, labels)
        parts = grouped(loss_B, correct_B, torch.zeros_like(correct_B, dtype=torch.int64), 1)
        return LossOutput(loss_B.sum(), len(batch.labels), parts)


def _classes(scores_BC: Tensor, labels_B: Tensor, balance: Balance) -> tuple[Tensor, Tensor]:
    """Return loss and whether the prediction is right, (B,) each."""
    loss_B = class_loss(scores_BC, labels_B, balance)
    return loss_B, scores_BC.detach().argmax(dim=1) == labels_B


def _several(scores_BC: Tensor, labels_BC: Tensor, balance: Balance) -> tuple[Tensor, Tensor]:
    loss_B = several_loss(scores_BC, labels_BC, balance)
    return loss_B, ((scores_BC.detach() >= 0) == (labels_BC > 0.5)).all(dim=1)


def _number(scores_BC: Tensor, values_B: Tensor) -> tuple[Tensor, Tensor]:
    loss_B = (scores_BC[:, 0] - values_B).square()
    return loss_B, loss_B.detach() < 1  # within one deviation, where values are scaled
