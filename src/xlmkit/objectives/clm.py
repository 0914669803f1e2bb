"""Causal language modelling (CLM): predict every token from those before it.

L = - sum over i of log p(x_i | x_<i), Radford et al. 2018; Conneau & Lample 2019, section 3.2. The
model's attention is causal, labels are shifted here, and the first token of a stream is given.
"""

import numpy as np
import torch

from xlmkit.data.batch import PredictionBatch
from xlmkit.data.examples import StreamExamples
from xlmkit.data.sampler import Sampler
from xlmkit.data.shards import Shards
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.base import LossOutput
from xlmkit.objectives.config import ClmConfig
from xlmkit.objectives.prediction import prediction_loss


class CausalLanguageModeling:
    """CLM over streams."""

    name = "clm"

    def __init__(
        self, config: ClmConfig, shards: Shards, *, split: str, tokens: int, seed: object
    ) -> None:
        self.groups = shards.languages
        self.examples = StreamExamples(shards, split, config.length, config.alpha)
        self.sampler = Sampler(self.examples.groups, tokens, (seed, self.name))

    def batch(self, number: int) -> PredictionBatch:
        """Draw batch `number`; position i predicts token i + 1."""
        arrays = self.examples.arrays(self.sampler.batch(number))
        n_rows, length = arrays.tokens.shape
        places = np.arange(n_rows * length).reshape(n_rows, length)
        predict, targets = places[:, :-1].ravel(), arrays.tokens[:, 1:].ravel()
        groups = arrays.languages[:, 1:].ravel()
        return PredictionBatch(
            arrays.tensors(), *map(torch.from_numpy, (predict, targets.copy(), groups.copy()))
        )

    def tokens(self, batch: PredictionBatch) -> int:
        """Return how many tokens are read."""
        return batch.inputs.n_tokens

    def loss(self, model: LanguageModel, batch: PredictionBatch) -> LossOutput:
        """Return the loss at all positions but the last."""
        return prediction_loss(model, batch, len(self.groups))
