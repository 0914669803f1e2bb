"""Denoising auto-encoding (AE): restore a sentence from a spoilt copy of itself.

L = - sum over i of log p(x_i | x_<i, C(x)), source and target in one language; C shuffles words,
leaves some out and blanks others (`data/noise.py`). Lample et al. 2018; Conneau & Lample 2019,
section 5.2. It teaches the decoder to write every language, and both halves to meet in between.
"""

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.noise import NoiseConfig, add_noise
from xlmkit.data.permutation import generator
from xlmkit.data.sampler import Sampler
from xlmkit.data.translations import LanguageSentences, TranslationBatch, translation_batch
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.objectives.base import LossOutput
from xlmkit.objectives.translate import translation_loss


class Denoising:
    """AE over sentences of single languages.

    Args:
        sentences: what is restored.
        noise: how it is spoilt.
        ends_word: of each word of the vocabulary, whether it is the last sub-word of a word.
        languages: of the model, in the order of their numbers.
        max_length: most tokens of a sentence.
        tokens: tokens of a batch, those of both sides.
        seed: fixes the order and the noise.
        smoothing: of the labels.
    """

    name = "ae"

    def __init__(
        self,
        sentences: LanguageSentences,
        noise: NoiseConfig,
        ends_word: NDArray[np.bool_],
        languages: list[str],
        *,
        max_length: int,
        tokens: int,
        seed: object,
        smoothing: float = 0.0,
    ) -> None:
        self.sentences, self.noise, self.ends_word = sentences, noise, ends_word
        self.groups, self.max_length, self.smoothing = languages, max_length, smoothing
        self.seed = (seed, self.name)
        self.sampler = Sampler(sentences.groups, tokens, self.seed)

    def batch(self, number: int) -> TranslationBatch:
        """Draw and spoil batch `number`."""
        targets = self.sentences.segments(self.sampler.batch(number))
        random = generator(self.seed, "noise", number)
        sources = [
            (add_noise(ids, self.ends_word, self.noise, random), language)
            for ids, language in targets
        ]
        return translation_batch(sources, targets, self.max_length)

    def tokens(self, batch: TranslationBatch) -> int:
        """Return how many tokens of both sides are read, padding not counted."""
        return batch.n_tokens

    def loss(self, model: EncoderDecoder, batch: TranslationBatch) -> LossOutput:
        """Return the loss of all words that are restored."""
        return translation_loss(model, batch, len(self.groups), self.smoothing)
