"""Sequence classification: cross-entropy of a label given a text or a pair of texts.

L = - log p(label | first state), Devlin et al. 2019; Conneau & Lample 2019, section 5.1. The labels
are of one language, the model is shared, and so other languages profit.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from xlmkit.data.batch import LabelledBatch, Segment, assemble
from xlmkit.data.sampler import Group, Sampler
from xlmkit.model.heads import SequenceClassifier
from xlmkit.objectives.base import LossOutput, grouped


class SequenceClassification:
    """Learns labels of encoded sequences.

    Args:
        rows: each sequence's sentences.
        labels: class of each, (rows,).
        max_length: longest sequence in tokens; longer ones lose their ends.
        tokens: tokens of a batch.
        seed: fixes the order.
    """

    name = "classify"

    def __init__(
        self,
        rows: list[tuple[Segment, ...]],
        labels: NDArray[np.int64],
        *,
        max_length: int,
        tokens: int,
        seed: object,
    ) -> None:
        self.groups = ["all"]
        self.rows, self.labels, self.max_length = rows, labels, max_length
        lengths = [min(max_length, sum(len(ids) + 2 for ids, _ in row)) for row in rows]
        self.sampler = Sampler(
            [Group("all", np.array(lengths, np.int32), 1.0)], tokens, (seed, self.name)
        )
        self.batches_per_epoch = max(1, round(sum(lengths) / tokens))

    def batch(self, number: int) -> LabelledBatch:
        """Draw batch `number`."""
        items = self.sampler.batch(number).item
        arrays = assemble([self.rows[i] for i in items.tolist()], self.max_length)
        return LabelledBatch(arrays.tensors(), torch.from_numpy(self.labels[items]))

    def tokens(self, batch: LabelledBatch) -> int:
        """Return how many tokens are read, padding not counted."""
        return batch.inputs.n_tokens

    def loss(self, model: SequenceClassifier, batch: LabelledBatch) -> LossOutput:
        """Return the sum over sequences of -log p(label), in nats."""
        device = model.transformer.embeddings.weight.device
        inputs, labels = batch.inputs.to(device), batch.labels.to(device)
        scores_BC = model(inputs.tokens, inputs.lengths, inputs.positions, inputs.languages).float()
        loss_B = functional.cross_entropy(scores_BC, labels, reduction="none")
        correct_B = scores_BC.detach().argmax(dim=1) == labels
        parts = grouped(loss_B, correct_B, torch.zeros_like(labels), 1)
        return LossOutput(loss_B.sum(), len(batch.labels), parts)
