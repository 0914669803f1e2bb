"""Token classification: a tag for every word, given its sentence.

L = - log p(tag | state of the word's first sub-token), Devlin et al. 2019, section 5.3. The other
sub-tokens are read but not judged.

The tags are of one language, the model is shared, and so other languages profit.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xlmkit.data.batch import ModelInputs
from xlmkit.data.words import WordSequences
from xlmkit.objectives.balance import Balance, rarest_classes
from xlmkit.objectives.base import LossOutput, grouped
from xlmkit.objectives.class_loss import class_loss
from xlmkit.objectives.pool import Parts, Pool


@dataclass(frozen=True, slots=True)
class TaggedBatch:
    """Sentences with the tags of their words.

    Attributes:
        inputs: what the model reads.
        places: first sub-tokens of words in the flattened (B * L) positions, (N,), int64.
        tags: of these words, (N,), int64.
    """

    inputs: ModelInputs
    places: Tensor
    tags: Tensor


class TokenClassification:
    """Learns tags of words, with any model that gives every token a score for each tag.

    Args:
        words: what is read.
        tags: of all words, (words,).
        tokens: tokens of a batch.
        seed: fixes the order.
        balance: what is done about rare tags.
        languages: the language of each word, all of a sequence being of one; by default one.
    """

    name = "tag"

    def __init__(
        self,
        words: WordSequences,
        tags: NDArray[np.int64],
        *,
        tokens: int,
        seed: object,
        balance: Balance | None = None,
        languages: Parts | None = None,
    ) -> None:
        self.groups = ["all"]
        self.words, self.tags = words, tags
        self.balance = balance or Balance()
        lengths = words.sequences.lengths
        parts = []
        if languages is not None:
            of = np.array([languages.of[numbers[0]] for numbers in words.words], np.int64)
            parts.append(Parts(of, languages.alpha))
        if self.balance.class_alpha != 1:
            parts.append(Parts(self._rarest_tags(), self.balance.class_alpha))
        self.pool = Pool(lengths, parts, tokens=tokens, seed=(seed, self.name))
        self.batches_per_epoch = max(1, round(int(lengths.sum()) / tokens))

    def _rarest_tags(self) -> NDArray[np.int64]:
        """Return the rarest tag of each sequence, -1 where all its words are outside, (sequences,).

        A long sentence has several sequences, each of which is drawn by the tags judged in it.
        """
        n_words = [len(numbers) for numbers in self.words.words]
        tags = self.tags[np.concatenate(self.words.words)]
        inside = tags != self.balance.outside
        sequences = np.repeat(np.arange(len(n_words)), n_words)
        return rarest_classes(sequences[inside], tags[inside], len(n_words))

    def batch(self, number: int) -> TaggedBatch:
        """Draw batch `number`."""
        items = self.pool.batch(number).tolist()
        places, tags = self.words.flat_places(items), self.tags[self.words.numbers(items)]
        inputs = self.words.sequences.batch(items)
        return TaggedBatch(inputs, torch.from_numpy(places), torch.from_numpy(tags))

    def tokens(self, batch: TaggedBatch) -> int:
        """Return how many tokens are read, padding not counted."""
        return batch.inputs.n_tokens

    def loss(self, model: nn.Module, batch: TaggedBatch) -> LossOutput:
        """Return the sum of the loss over words."""
        device = next(model.parameters()).device
        tags_N = batch.tags.to(device)
        scores_BLC = batch.inputs.to(device).fed_to(model)
        scores_NC = scores_BLC.flatten(0, 1).index_select(0, batch.places.to(device)).float()
        loss_N = class_loss(scores_NC, tags_N, self.balance)
        correct_N = scores_NC.detach().argmax(dim=1) == tags_N
        parts = grouped(loss_N, correct_N, torch.zeros_like(tags_N), 1)
        return LossOutput(loss_N.sum(), len(batch.tags), parts)
