"""Masked language modelling (MLM) and translation language modelling (TLM).

MLM (Devlin et al. 2019): hide a share of the tokens and predict each from both sides,
L = - sum over hidden i of log p(x_i | x with holes). TLM (Conneau & Lample 2019) is the same over
a sentence and its translation side by side, positions restarting and languages marked, so that a
hidden word can be read off the other language.

The original draws streams of one language at a time, chooses tokens by independent coin flips,
and lets `</s>` be chosen. Here batches mix languages, the number of hidden tokens is fixed, and
special tokens are left alone.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from xlmkit.data.batch import Arrays, PredictionBatch
from xlmkit.data.examples import Examples, PairExamples, SentenceExamples, StreamExamples
from xlmkit.data.masking import MaskingConfig, mask_tokens
from xlmkit.data.permutation import generator
from xlmkit.data.sampler import Sampler
from xlmkit.data.shards import Shards
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.base import LossOutput
from xlmkit.objectives.config import MlmConfig, TlmConfig
from xlmkit.objectives.prediction import prediction_loss


class MaskedLanguageModeling:
    """MLM or TLM over the given examples."""

    def __init__(
        self,
        name: str,
        examples: Examples,
        masking: MaskingConfig,
        shards: Shards,
        tokens: int,
        seed: object,
        one_side: float = 0.0,
    ) -> None:
        self.one_side = one_side
        self.name, self.groups = name, shards.languages
        self.examples, self.masking, self.seed = examples, masking, (seed, name)
        self.sampler = Sampler(examples.groups, tokens, self.seed)
        counts = shards.word_counts
        self.n_words = len(counts)
        self.scores = (
            np.maximum(counts, 1).astype(float) ** -masking.sample_alpha
            if masking.sample_alpha
            else None
        )

    @classmethod
    def mlm(
        cls, config: MlmConfig, shards: Shards, *, split: str, tokens: int, seed: object
    ) -> "MaskedLanguageModeling":
        """Build MLM from its recipe section."""
        examples: Examples
        if config.form == "stream":
            examples = StreamExamples(shards, split, config.length, config.alpha)
        else:
            whole = config.form == "text"
            examples = SentenceExamples(shards, split, config.length, config.alpha, whole=whole)
        return cls("mlm", examples, config.masking, shards, tokens, seed)

    @classmethod
    def tlm(
        cls, config: TlmConfig, shards: Shards, *, split: str, tokens: int, seed: object
    ) -> "MaskedLanguageModeling":
        """Build TLM from its recipe section."""
        examples = PairExamples(shards, split, config.length, config.alpha, config.pivot)
        return cls("tlm", examples, config.masking, shards, tokens, seed, config.one_side)

    def batch(self, number: int) -> PredictionBatch:
        """Draw, lay out and mask batch `number`."""
        arrays = self.examples.arrays(self.sampler.batch(number))
        random = generator(self.seed, "mask", number)
        visible = self._visible_side(arrays, random) if self.one_side else None
        masked = mask_tokens(
            arrays.tokens, self.masking, self.n_words, random, self.scores, visible
        )
        groups = arrays.languages.ravel()[masked.predict]
        arrays = type(arrays)(masked.tokens, arrays.lengths, arrays.positions, arrays.languages)
        return PredictionBatch(
            arrays.tensors(), *map(torch.from_numpy, (masked.predict, masked.targets, groups))
        )

    def _visible_side(self, arrays: Arrays, random: np.random.Generator) -> NDArray[np.bool_]:
        """Choose pairs, and in each the sentence that stays whole: True on its tokens, (B, L)."""
        side_BL = np.cumsum(arrays.positions == 0, axis=1)  # 1 in the first sentence, then 2
        n_rows = len(side_BL)
        whole_B = np.where(random.random(n_rows) < self.one_side, random.integers(1, 3, n_rows), 0)
        return np.asarray(side_BL == whole_B[:, None])

    def tokens(self, batch: PredictionBatch) -> int:
        """Return how many tokens are read, padding not counted."""
        return batch.inputs.n_tokens

    def loss(self, model: LanguageModel, batch: PredictionBatch) -> LossOutput:
        """Return the loss at the hidden tokens."""
        return prediction_loss(model, batch, len(self.groups))
