"""What a search may write: which words, how many, what comes first, what is not said again.

Words are forbidden by a score of minus infinity; the probabilities of the others stay those of the
model, so that a score means the same with and without constraints.

Shapes: B sentences, K beams, L words so far (`</s>` at the start is the first), V words, P words of
the longest prefix.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from xlmkit.generate.config import SearchConfig
from xlmkit.text.vocabulary import EOS, PAD


@dataclass(frozen=True, slots=True)
class Constraints:
    """What the next words of a batch must obey.

    Attributes:
        limits: most words of each sentence with `</s>` at both ends, (B,).
        min_length: fewest words between the two `</s>`.
        no_repeat_ngram: no sequence of so many words occurs twice; 0 allows all.
        repetition_penalty: multiplies the log-probability of a word that was written before
            (Keskar et al. 2019, "CTRL", there for scores of either sign).
        allowed: True at words that may be written, (V,); `</s>` always may. None allows all.
        prefix: words that a sentence begins with, padded, (B, P).
        never: what is no word and comes only where the prefix has it, (N,); PAD is among it.
        end_at_limit: leave only `</s>` where one more word would exceed the limit.
    """

    limits: Tensor
    min_length: int = 0
    no_repeat_ngram: int = 0
    repetition_penalty: float = 1.0
    allowed: Tensor | None = None
    prefix: Tensor | None = None
    never: Tensor | None = None
    end_at_limit: bool = True

    @classmethod
    def of(
        cls,
        limits_B: Tensor,
        search: SearchConfig,
        allowed_V: Tensor | None = None,
        prefixes: Sequence[Sequence[int]] | None = None,
        never: Sequence[int] = (),
    ) -> "Constraints":
        """Join the section's with those of a call: allowed words, and a prefix for each sentence.

        Args:
            limits_B: most words of each sentence with `</s>` at both ends, (B,).
            search: the section.
            allowed_V: True at words that may be written, (V,).
            prefixes: what each sentence begins with.
            never: what is no word.
        """
        prefix_BP = None
        if prefixes is not None and any(prefixes):
            prefix_BP = torch.full((len(limits_B), max(map(len, prefixes))), PAD)
            for row, words in zip(prefix_BP, prefixes, strict=True):
                row[: len(words)] = torch.tensor(words, dtype=torch.long)
            prefix_BP = prefix_BP.to(limits_B.device)
        return cls(
            limits_B,
            search.min_length,
            search.no_repeat_ngram,
            search.repetition_penalty,
            None if allowed_V is None else allowed_V.to(limits_B.device),
            prefix_BP,
            torch.tensor([PAD, *never], device=limits_B.device),
            end_at_limit=search.rules == "sound",
        )

    def keep(self, sentences: Tensor) -> "Constraints":
        """Go on with these sentences, numbers of present ones."""
        prefix = None if self.prefix is None else self.prefix.index_select(0, sentences)
        return replace(self, limits=self.limits.index_select(0, sentences), prefix=prefix)

    def ranked(self, scores_BKV: Tensor, norm_BK: Tensor, written_BKL: Tensor) -> Tensor:
        """Return scores by which to choose the next words; where nothing is asked, the same ones.

        Args:
            scores_BKV: of the model, (B, K, V). What is no word, and a `</s>` that comes too soon,
                are forbidden in place, since a copy costs as much as all the rest.
            norm_BK: what to subtract from them for log-probabilities, (B, K).
            written_BKL: words so far, (B, K, L).
        """
        place = written_BKL.shape[2]
        self._forbid_what_is_no_word(scores_BKV, place)
        if place <= self.min_length:
            has_room_B1 = (self.limits > place + 1)[:, None]
            scores_BKV[..., EOS].masked_fill_(has_room_B1, -torch.inf)
        if self.repetition_penalty != 1 and place > 1:
            before = written_BKL[:, :, 1:]
            log_probability = scores_BKV.gather(2, before) - norm_BK[..., None]
            penalised = log_probability * self.repetition_penalty + norm_BK[..., None]
            scores_BKV = scores_BKV.scatter(2, before, penalised)
        forbidden_BKV = self._forbidden(scores_BKV, written_BKL)
        if forbidden_BKV is not None:
            scores_BKV = scores_BKV.masked_fill(forbidden_BKV, -torch.inf)
        return scores_BKV

    def _forbid_what_is_no_word(self, scores_BKV: Tensor, place: int) -> None:
        if self.never is None:
            scores_BKV[..., PAD] = -torch.inf
            return
        if self.prefix is None or place > self.prefix.shape[1]:
            scores_BKV[..., self.never] = -torch.inf
            return
        asked_BK1 = self.prefix[:, place - 1].view(-1, 1, 1).expand(-1, scores_BKV.shape[1], 1)
        own_BK1 = scores_BKV.gather(2, asked_BK1)
        scores_BKV[..., self.never] = -torch.inf
        scores_BKV.scatter_(2, asked_BK1, own_BK1.masked_fill(asked_BK1 == PAD, -torch.inf))

    def _forbidden(self, scores_BKV: Tensor, written_BKL: Tensor) -> Tensor | None:
        """Return True at words that may not come next, broadcast to (B, K, V)."""
        place, V = written_BKL.shape[2], scores_BKV.shape[2]
        words_V = torch.arange(V, device=scores_BKV.device)
        forbidden: Tensor | None = None
        if self.allowed is not None:
            # A model may have more words than its tokenizer.
            outside_V = functional.pad(~self.allowed, (0, V - len(self.allowed)), value=True)
            forbidden = (outside_V & (words_V != EOS)).view(1, 1, V)
        if self.no_repeat_ngram and place > self.no_repeat_ngram:
            repeated = _repeated(written_BKL[:, :, 1:], self.no_repeat_ngram, V)
            forbidden = repeated if forbidden is None else forbidden | repeated
        if self.prefix is not None and place <= self.prefix.shape[1]:
            asked_B11 = self.prefix[:, place - 1].view(-1, 1, 1)
            others = (words_V != asked_B11) & (asked_B11 != PAD)
            # A word that is asked for may come whatever else is forbidden.
            forbidden = (
                others if forbidden is None else torch.where(asked_B11 == PAD, forbidden, others)
            )
        at_limit_B = self.limits <= place + 1
        if self.end_at_limit and bool(at_limit_B.any()):
            others = (words_V != EOS).expand(len(at_limit_B), 1, V)
            base = torch.zeros_like(others) if forbidden is None else forbidden
            forbidden = torch.where(at_limit_B.view(-1, 1, 1), others, base)
        return forbidden


def _repeated(words_BKL: Tensor, n: int, n_words: int) -> Tensor:
    """Return True at words that would end a sequence of `n` words for a second time, (B, K, V)."""
    runs = words_BKL.unfold(2, n, 1)  # (B, K, L - n + 1, n)
    end_BKm = words_BKL[:, :, words_BKL.shape[2] - n + 1 :]  # the last n - 1 words
    same = (runs[..., :-1] == end_BKm[:, :, None]).all(dim=-1)
    repeated = torch.zeros(*words_BKL.shape[:2], n_words, device=words_BKL.device)
    return repeated.scatter_add(2, runs[..., -1], same.float()) > 0
