"""What a search asks of a language model: to write on from `</s>` without any source.

Shapes: B sentences, K beams of each, L words so far, E width, V words.
"""

import torch
from torch import Tensor

from xlmkit.generate.steps import Steps, next_states
from xlmkit.model.cache import BeamCache
from xlmkit.model.heads import LanguageModel
from xlmkit.text.vocabulary import MASK


def language_steps(model: LanguageModel, language_B: Tensor) -> Steps:
    """Return the decoding of a causal or of a masked model.

    Args:
        model: in evaluation mode.
        language_B: the language to write, (B,).
    """
    causal = model.transformer.architecture.causal
    return (CausalSteps if causal else MaskedSteps)(model, language_B)


class CausalSteps:
    """A left-to-right model; every word is computed once."""

    def __init__(self, model: LanguageModel, language_B: Tensor) -> None:
        self._model, self._language, self._past = model, language_B, BeamCache()

    def scores(self, words_BK: Tensor) -> Tensor:
        """Compute one position, (B, K, V)."""
        hidden_BKE = next_states(self._model.transformer, self._past, words_BK, self._language)
        scores_BKV: Tensor = self._model.pred_layer(hidden_BKE)
        return scores_BKV.float()

    def follow(self, parents_BK: Tensor) -> None:
        """Choose beams."""
        self._past.follow(parents_BK)

    def keep(self, sentences: Tensor) -> None:
        """Choose sentences."""
        self._past.keep(sentences)
        self._language = self._language.index_select(0, sentences)


class MaskedSteps:
    """A masked model, shown a mask behind what is written and asked for its word.

    Every word sees the mask, so that all are computed again for each new one.
    """

    def __init__(self, model: LanguageModel, language_B: Tensor) -> None:
        self._model, self._language = model, language_B
        self._words_BKL: Tensor | None = None

    def scores(self, words_BK: Tensor) -> Tensor:
        """Ask for the word behind the last, (B, K, V)."""
        new_BK1 = words_BK[..., None]
        before = [] if self._words_BKL is None else [self._words_BKL]
        written = self._words_BKL = torch.cat([*before, new_BK1], dim=2)
        B, K, L = written.shape
        rows = torch.cat([written, torch.full_like(new_BK1, MASK)], dim=2).flatten(0, 1)
        lengths = torch.full((B * K,), L + 1, device=rows.device)
        languages = self._language.repeat_interleave(K)[:, None].expand_as(rows)
        hidden_NE = self._model.transformer(rows, lengths, None, languages)[:, -1]
        scores_NV: Tensor = self._model.pred_layer(hidden_NE)
        return scores_NV.float().view(B, K, -1)

    def follow(self, parents_BK: Tensor) -> None:
        """Choose beams."""
        if self._words_BKL is not None:
            places = parents_BK[..., None].expand(-1, -1, self._words_BKL.shape[2])
            self._words_BKL = self._words_BKL.gather(1, places)

    def keep(self, sentences: Tensor) -> None:
        """Choose sentences."""
        self._language = self._language.index_select(0, sentences)
        if self._words_BKL is not None:
            self._words_BKL = self._words_BKL.index_select(0, sentences)
