"""Sentences written word by word, each by itself: the best word every time, or one that is drawn.

Shapes: B sentences, K hypotheses of each, L words, V words of the vocabulary, of which the n that
come into question are drawn from, the best first where it matters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from xlmkit.generate.config import SearchConfig
from xlmkit.generate.constraints import Constraints
from xlmkit.generate.found import LEAVE_TOGETHER, Found
from xlmkit.generate.steps import Steps, log_normalizers
from xlmkit.text.vocabulary import EOS, PAD


class Choose(Protocol):
    """A way to choose the next word."""

    def __call__(self, scores_BKV: Tensor, sentence_B: Tensor, place: int) -> Tensor:
        """Return a word for each row, (B, K).

        Args:
            scores_BKV: of the next words, (B, K, V).
            sentence_B: numbers of the sentences, (B,).
            place: how many words each has.
        """
        ...


class Greedy:
    """The best word."""

    def __call__(self, scores_BKV: Tensor, sentence_B: Tensor, place: int) -> Tensor:
        """Return it, (B, K)."""
        del sentence_B, place
        return scores_BKV.argmax(dim=2)


class Sampling:
    """Words drawn by their probabilities, among the `top_k` best or those that make up `top_p`.

    Holtzman et al. 2020, "The curious case of neural text degeneration", for `top_p`. A draw is
    a function of the seed, the sentence's number, the sample and the place, so that it does not
    depend on what else is in the batch.

    Args:
        search: how many samples, and how they are drawn.
        numbers: what tells each sentence's draws apart, a row of integers each.
    """

    def __init__(self, search: SearchConfig, numbers: Sequence[Sequence[int]]) -> None:
        self._search, self._numbers = search, numbers
        self._uniform: dict[int, Tensor] = {}

    def __call__(self, scores_BKV: Tensor, sentence_B: Tensor, place: int) -> Tensor:
        """Draw, (B, K)."""
        B, K, V = scores_BKV.shape
        block, column = divmod(place, 64)
        if block not in self._uniform:
            self._uniform = {block: self._draws(block, K)}
        uniform_BK = self._uniform[block][sentence_B.cpu(), :, column].to(scores_BKV)
        scores_BKn, words_BKn = scores_BKV, None
        if self._search.top_k > 0 or self._search.top_p < 1:
            scores_BKn, words_BKn = scores_BKV.topk(min(V, self._search.top_k or V), dim=2)
        probability_BKn = torch.softmax(scores_BKn / self._search.temperature, dim=2)
        upto_BKn = probability_BKn.cumsum(dim=2)
        last_BK1 = torch.full((B, K, 1), upto_BKn.shape[2] - 1, device=upto_BKn.device)
        if self._search.top_p < 1:
            needed_BKn = upto_BKn - probability_BKn < self._search.top_p
            last_BK1 = needed_BKn.sum(dim=2, keepdim=True) - 1
        drawn_BK1 = uniform_BK[..., None] * upto_BKn.gather(2, last_BK1)
        place_BK1 = torch.searchsorted(upto_BKn, drawn_BK1, right=True).minimum(last_BK1)
        return (place_BK1 if words_BKn is None else words_BKn.gather(2, place_BK1)).squeeze(2)

    def _draws(self, block: int, n_samples: int) -> Tensor:
        """Return numbers in [0, 1) for 64 places, (sentences, K, 64)."""
        drawn = [
            np.random.default_rng([self._search.seed, block, *number]).random((n_samples, 64))
            for number in self._numbers
        ]
        return torch.from_numpy(np.stack(drawn))


@dataclass(slots=True)
class _Open:
    """Sentences that are being written; every field has them in its first dimension.

    Attributes:
        number: of each sentence, (B,).
        written: words so far, padded behind the `</s>` of those that have ended, (B, K, L).
        rank: log-probabilities with penalties, (B, K).
        total: the model's log-probabilities, (B, K).
    """

    number: Tensor
    written: Tensor
    rank: Tensor
    total: Tensor

    @classmethod
    def begun(cls, n_sentences: int, n_rows: int, device: torch.device) -> "_Open":
        zeros_BK = torch.zeros(n_sentences, n_rows, device=device)
        written = torch.full((n_sentences, n_rows, 1), EOS, device=device)
        return cls(torch.arange(n_sentences, device=device), written, zeros_BK, zeros_BK)

    def add(self, word_BK: Tensor, ranked_BKV: Tensor, scores_BKV: Tensor, norm_BK: Tensor) -> None:
        """Write a word wherever a hypothesis has not ended."""
        ended_BK = self.ended
        place_BK1 = word_BK[..., None]
        gain = (ranked_BKV.gather(2, place_BK1).squeeze(2) - norm_BK).masked_fill(ended_BK, 0)
        own = (scores_BKV.gather(2, place_BK1).squeeze(2) - norm_BK).masked_fill(ended_BK, 0)
        self.rank, self.total = self.rank + gain, self.total + own
        written = word_BK.masked_fill(ended_BK, PAD)[..., None]
        self.written = torch.cat([self.written, written], dim=2)

    @property
    def ended(self) -> Tensor:
        """True at hypotheses that have their `</s>`, (B, K)."""
        if self.written.shape[2] == 1:
            return torch.zeros_like(self.rank, dtype=torch.bool)
        return (self.written[:, :, -1] == EOS) | (self.written[:, :, -1] == PAD)

    def keep(self, sentences: Tensor) -> None:
        """Go on with these sentences."""
        self.number, self.written, self.rank, self.total = (
            tensor.index_select(0, sentences)
            for tensor in (self.number, self.written, self.rank, self.total)
        )

    def found(self, sentences: Tensor, longest: int, length_penalty: float) -> Found:
        """Return these as hypotheses that have ended."""
        written = self.written.index_select(0, sentences)
        length_BK = (written != PAD).sum(dim=2) - 1  # without the last `</s>`, as in beam search
        scores_BK = self.rank.index_select(0, sentences) / length_BK**length_penalty
        padded = functional.pad(written, (0, longest - written.shape[2]), value=PAD)
        return Found(padded, scores_BK, self.total.index_select(0, sentences))


def walk(steps: Steps, constraints: Constraints, search: SearchConfig, choose: Choose) -> Found:
    """Write the sentences of a batch, each until its `</s>`; those that have it leave the batch.

    Args:
        steps: the decoding, before its first step.
        constraints: what the sentences must obey.
        search: how many hypotheses of a sentence, and how they are scored.
        choose: how a next word is chosen.

    Returns:
        One hypothesis of every sentence, or as many as there are samples, in no order.
    """
    constraints = replace(constraints, end_at_limit=True)
    device, B = constraints.limits.device, len(constraints.limits)
    K = search.n_best if search.sample else 1
    longest = int(constraints.limits.max())
    found = Found.nothing(B, K, longest, device)
    state = _Open.begun(B, K, device)
    for place in range(1, longest):
        last_BK = state.written[:, :, -1]
        scores_BKV = steps.scores(last_BK if place > 1 else last_BK[:, :1])
        if place == 1 and K > 1:  # all samples begin alike
            steps.follow(torch.zeros_like(last_BK))
            scores_BKV = scores_BKV.repeat_interleave(K, dim=1)
        norm_BK = log_normalizers(scores_BKV)
        ranked_BKV = constraints.ranked(scores_BKV, norm_BK, state.written)
        word_BK = choose(ranked_BKV, state.number, place)
        state.add(word_BK, ranked_BKV, scores_BKV, norm_BK)
        done_B = state.ended.all(dim=1)
        leaving = int(done_B.sum())
        if leaving * LEAVE_TOGETHER >= len(done_B):
            gone, rest = done_B.nonzero()[:, 0], (~done_B).nonzero()[:, 0]
            found.put(state.number[gone], state.found(gone, longest, search.length_penalty))
            if not len(rest):
                break
            state.keep(rest)
            constraints = constraints.keep(rest)
            steps.keep(rest)
    return found
