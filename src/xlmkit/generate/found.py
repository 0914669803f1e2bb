"""What a search found.

Shapes: B sentences, N hypotheses of each, L words.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from xlmkit.text.vocabulary import PAD

LEAVE_TOGETHER = 8
"""Sentences that have ended leave a batch when they are an eighth of it: each time, what is kept
of the others is copied."""


@dataclass(frozen=True, slots=True)
class Found:
    """Hypotheses of each sentence, the best first.

    Attributes:
        words: with `</s>` at both ends, padded, (B, N, L).
        scores: by which they are ordered: log-probabilities, penalised where that is asked, over
            the length to the power of the length penalty, (B, N); minus infinity where fewer were
            found.
        log_probabilities: of the words as the model gives them, `</s>` at the end counted, (B, N).
    """

    words: Tensor
    scores: Tensor
    log_probabilities: Tensor

    @classmethod
    def nothing(cls, n_sentences: int, n: int, longest: int, device: torch.device) -> "Found":
        """Return room for hypotheses of up to `longest` words, `</s>` counted."""
        impossible_BN = torch.full((n_sentences, n), -torch.inf, device=device)
        words_BNL = torch.full((n_sentences, n, longest), PAD, device=device)
        return cls(words_BNL, impossible_BN, impossible_BN.clone())

    def best(self, n: int) -> "Found":
        """Return the first `n` of each sentence, without columns that are all padding."""
        words_BNL = self.words[:, :n]
        used_L = (words_BNL != PAD).flatten(0, 1).any(dim=0)
        longest = int(used_L.sum())
        return Found(words_BNL[..., :longest], self.scores[:, :n], self.log_probabilities[:, :n])

    def sorted(self) -> "Found":
        """Return the hypotheses in the order of their scores."""
        scores_BN, order_BN = self.scores.sort(dim=1, descending=True, stable=True)
        words_BNL = self.words.gather(1, order_BN[..., None].expand_as(self.words))
        return Found(words_BNL, scores_BN, self.log_probabilities.gather(1, order_BN))

    def select(self, sentences: Tensor) -> "Found":
        """Return those of these sentences."""
        return Found(
            self.words.index_select(0, sentences),
            self.scores.index_select(0, sentences),
            self.log_probabilities.index_select(0, sentences),
        )

    def put(self, sentences: Tensor, found: "Found") -> None:
        """Write what was found for these sentences over what stands there."""
        self.words[sentences] = found.words
        self.scores[sentences] = found.scores
        self.log_probabilities[sentences] = found.log_probabilities
