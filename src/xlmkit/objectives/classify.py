"""Sequence classification: cross-entropy of a label given a text or a pair of texts.

L = - log p(label | first state), Devlin et al. 2019; Conneau & Lample 2019, section 5.1. The labels
are of one language, the model is shared, and so other languages profit.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from xlmkit.data.batch import LabelledBatch, Sequences
from xlmkit.data.sampler import Group, Sampler
from xlmkit.objectives.base import LossOutput, grouped


class SequenceClassification:
    """Learns labels of encoded sequences, with any model that gives a score to each class.

    Args:
        sequences: what is read.
        labels: class of each, (sequences,).
        tokens: tokens of a batch.
        seed: fixes the order.
    """

    name = "classify"

    def __init__(
        self,
        sequences: Sequences,
        labels: NDArray[np.int64],
        *,
        tokens: int,
        seed: object,
    ) -> None:
        self.groups = ["all"]
        self.sequences, self.labels = sequences, labels
        lengths = sequences.lengths
        self.sampler = Sampler([Group("all", lengths, 1.0)], tokens, (seed, self.name))
        self.batches_per_epoch = max(1, round(int(lengths.sum()) / tokens))

    def batch(self, number: int) -> LabelledBatch:
        """Draw batch `number`."""
        items = self.sampler.batch(number).item
        inputs = self.sequences.batch(items.tolist())
        return LabelledBatch(inputs, torch.from_numpy(self.labels[items]))

    def tokens(self, batch: LabelledBatch) -> int:
        """Return how many tokens are read, padding not counted."""
        return batch.inputs.n_tokens

    def loss(self, model: nn.Module, batch: LabelledBatch) -> LossOutput:
        """Return the sum over sequences of -log p(label), in nats."""
        device = next(model.parameters()).device
        labels = batch.labels.to(device)
        scores_BC = batch.inputs.to(device).fed_to(model).float()
        loss_B = functional.cross_entropy(scores_BC, labels, reduction="none")
        correct_B = scores_BC.detach().argmax(dim=1) == labels
        parts = grouped(loss_B, correct_B, torch.zeros_like(labels), 1)
        return LossOutput(loss_B.sum(), len(batch.labels), parts)
