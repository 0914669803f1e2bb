"""Sequence classification: a label given a text or a pair of texts.

One class:  L = - log p(label | first state), Devlin et al. 2019; Conneau & Lample 2019, sect. 5.1.
Several:    L = mean over classes of - log p(whether it is of the class).
A number:   L = (score - value)^2.
A choice:   L = - log softmax(scores of an example's sequences)[right one], Radford et al. 2018.

Of classes, `Balance` adds weights, focal loss, label smoothing and sampling.

Of a long text in windows every window has the text's label; but of a choice the windows' scores are
joined first, as in measuring, since its sequences are judged together.

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
from xlmkit.data.text_windows import Join
from xlmkit.objectives.balance import Balance, rarest_classes
from xlmkit.objectives.base import LossOutput, grouped
from xlmkit.objectives.class_loss import class_loss, several_loss
from xlmkit.objectives.pool import Parts, Pool

_Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class SequenceClassification:
    """Learns labels of encoded sequences, with any model that gives a score to each class.

    Args:
        sequences: what is read, texts or windows of them.
        labels: class of each text, (texts,), or classes, (texts, C), or value, (texts,); for a
            choice the number of the right one, (texts / choices,).
        tokens: tokens of a batch.
        seed: fixes the order.
        loss: what the labels are, see above: `classes`, `several`, `number` or `choice`.
        choices: texts of an example.
        balance: what is done about rare classes, where the labels are classes.
        languages: the language of each text, of a choice that of each example; by default one.
        owners: the number of each sequence's text, ascending, every text at least once,
            (sequences,); by default each is a text of its own.
        join: how a choice's score comes from its windows' scores; not by vote.
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
        owners: NDArray[np.int64] | None = None,
        join: Join = "mean",
    ) -> None:
        self.groups = ["all"]
        balance = balance or Balance()
        self.sequences, self.join = sequences, join
        if owners is None:
            owners = np.arange(len(sequences.lengths))
        if loss != "choice":  # every window is an example
            labels = labels[owners]
            languages = languages and Parts(languages.of[owners], languages.alpha)
            owners = np.arange(len(owners))
        whole = loss in ("classes", "choice")
        self.labels = labels.astype(np.int64 if whole else np.float32)
        self.windows = _Windows(owners, choices, first_only=join == "first")
        losses: dict[str, _Loss] = {
            "classes": partial(_classes, balance=balance),
            "choice": partial(_classes, balance=Balance()),
            "several": partial(_several, balance=balance),
            "number": _number,
        }
        self._loss = losses[loss]
        lengths = self.windows.sums(sequences.lengths)
        parts = [] if languages is None else [languages]
        if loss == "classes":
            parts.append(Parts(self.labels, balance.class_alpha))
        elif loss == "several" and balance.class_alpha != 1:
            examples, classes = np.nonzero(self.labels)
            rarest = rarest_classes(examples, classes, len(self.labels))
            parts.append(Parts(rarest, balance.class_alpha))
        self.pool = Pool(lengths, parts, tokens=tokens, seed=(seed, self.name))
        self.batches_per_epoch = max(1, round(int(lengths.sum()) / tokens))

    def batch(self, number: int) -> LabelledBatch:
        """Draw batch `number`."""
        items = self.pool.batch(number)
        places, owners = self.windows.of(items)
        return LabelledBatch(
            self.sequences.batch(places.tolist()),
            torch.from_numpy(self.labels[items]),
            owners=torch.from_numpy(owners),
        )

    def tokens(self, batch: LabelledBatch) -> int:
        """Return how many tokens are read, padding not counted."""
        return batch.inputs.n_tokens

    def loss(self, model: nn.Module, batch: LabelledBatch) -> LossOutput:
        """Return the sum of the loss over examples."""
        device = next(model.parameters()).device
        labels = batch.labels.to(device)
        scores_BC = batch.inputs.to(device).fed_to(model).float()
        if self.windows.choices > 1:
            owners_W = batch.owners.to(device)
            scores_BC = joined(scores_BC[:, 0], owners_W, self.join).reshape(len(labels), -1)
        loss_B, correct_B = self._loss(scores_BC, labels)
        parts = grouped(loss_B, correct_B, torch.zeros_like(correct_B, dtype=torch.int64), 1)
        return LossOutput(loss_B.sum(), len(batch.labels), parts)


class _Windows:
    """Which sequences an example consists of: its choices, each in one window or more."""

    def __init__(self, owners: NDArray[np.int64], choices: int, *, first_only: bool) -> None:
        self.choices = choices
        self._first = np.flatnonzero(np.diff(owners, prepend=-1))
        self._counts = np.diff(self._first, append=len(owners))
        if first_only:
            self._counts = np.ones_like(self._counts)

    def of(self, items: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the numbers of the examples' sequences, and the text of each, from 0; (W,)."""
        texts = (items[:, None] * self.choices + np.arange(self.choices)).reshape(-1)
        owners = np.repeat(np.arange(len(texts)), self._counts[texts])
        before = np.cumsum(self._counts[texts]) - self._counts[texts]
        return self._first[texts[owners]] + np.arange(len(owners)) - before[owners], owners

    def sums(self, lengths: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the tokens of each example, (examples,)."""
        places, owners = self.of(np.arange(len(self._first) // self.choices))
        examples = owners // self.choices
        return np.bincount(examples, lengths[places]).astype(np.int32)


def joined(scores_W: Tensor, owners_W: Tensor, join: Join) -> Tensor:
    """Return the scores of texts from those of their windows, (T,).

    Args:
        scores_W: of the windows, (W,).
        owners_W: the number of each window's text, from 0, ascending, (W,).
        join: their mean or the highest.
    """
    texts = int(owners_W[-1]) + 1
    if texts == len(scores_W):
        return scores_W
    how = "amax" if join == "max" else "mean"
    return scores_W.new_zeros(texts).scatter_reduce(0, owners_W, scores_W, how, include_self=False)


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
