"""Online back-translation (BT): translate with the present model, learn to translate back.

L = - sum over i of log p(y_i | y_<i, x~), where y is a real sentence and x~ what the model itself
makes of it in the other language; no gradient flows through x~. Sennrich et al. 2016; online as in
Lample et al. 2018, "Phrase-based & neural unsupervised machine translation"; Conneau & Lample 2019,
section 5.2. The target side is always real text, so the decoder never learns from its own mistakes.

The translations depend on the model and on torch's generator alone, which the loop sets in every
step, so that a resumed run makes the same ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from xlmkit.data.batch import Inputs, PredictionBatch, assemble
from xlmkit.data.sampler import Sampler
from xlmkit.data.translations import LanguageSentences, TranslationBatch, target_batch
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.objectives.base import LossOutput
from xlmkit.objectives.translate import translation_loss
from xlmkit.text.vocabulary import EOS

Translate = Callable[[EncoderDecoder, Inputs, Tensor], Tensor]
"""Translates encoded sentences into the language of each, (B,): words between `</s>`, (B, S)."""


@dataclass(frozen=True, slots=True)
class BackTranslationBatch:
    """Real sentences, and the languages through which they go.

    Attributes:
        sentences: the real sentences as they are read for their translation, (B, L).
        through: number of the language to translate each into, (B,), int64.
        target: the same sentences as they are to be written.
    """

    sentences: Inputs
    through: Tensor
    target: PredictionBatch


class BackTranslation:
    """BT over sentences of single languages.

    Args:
        sentences: real text; its groups are the directions that are learned, such as `fr-en`.
        through: number of the language that each group is translated into first (`fr` of `fr-en`).
        translate: the search.
        languages: of the model, in the order of their numbers.
        max_length: most tokens of a sentence.
        tokens: tokens of a batch, those of both sides.
        seed: fixes the order.
        smoothing: of the labels.
    """

    name = "bt"

    def __init__(
        self,
        sentences: LanguageSentences,
        through: Sequence[int],
        translate: Translate,
        languages: list[str],
        *,
        max_length: int,
        tokens: int,
        seed: object,
        smoothing: float = 0.0,
    ) -> None:
        self.sentences, self.translate = sentences, translate
        self.through = np.array(through, np.int64)
        self.groups, self.max_length, self.smoothing = languages, max_length, smoothing
        self.sampler = Sampler(sentences.groups, tokens, (seed, self.name))

    def batch(self, number: int) -> BackTranslationBatch:
        """Draw batch `number`; it is translated when its loss is asked for."""
        draw = self.sampler.batch(number)
        segments = self.sentences.segments(draw)
        return BackTranslationBatch(
            assemble([(segment,) for segment in segments], self.max_length).tensors(),
            torch.from_numpy(self.through[draw.group]),
            target_batch(segments, self.max_length),
        )

    def tokens(self, batch: BackTranslationBatch) -> int:
        """Return how many tokens are read: the sentences, and as many for their translations."""
        return batch.sentences.n_tokens + batch.target.inputs.n_tokens

    def loss(self, model: EncoderDecoder, batch: BackTranslationBatch) -> LossOutput:
        """Translate, and return the loss of the words of the real sentences."""
        source = self._translated(model, batch)
        pair = TranslationBatch(source, batch.target)
        return translation_loss(model, pair, len(self.groups), self.smoothing)

    def _translated(self, model: EncoderDecoder, batch: BackTranslationBatch) -> Inputs:
        """Return what the model makes of the sentences, without dropout and gradient."""
        training = model.training
        model.eval()
        device = next(model.parameters()).device
        through_B = batch.through.to(device)
        with torch.no_grad():
            words_BS = self.translate(model, batch.sentences.to(device), through_B)
        model.train(training)
        return _inputs(words_BS, through_B)


def _inputs(words_BS: Tensor, languages_B: Tensor) -> Inputs:
    """Lay out sentences that search has written; each ends at its second `</s>`."""
    ends_BS = words_BS[:, 1:] == EOS
    lengths_B = ends_BS.int().argmax(dim=1) + 2
    places = torch.arange(words_BS.shape[1], device=words_BS.device)
    return Inputs(
        words_BS,
        lengths_B,
        places.expand_as(words_BS),
        languages_B[:, None].expand_as(words_BS),
    )
