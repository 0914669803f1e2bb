"""What search asks of a model: the scores of the next words, and to go on with chosen beams.

Shapes: B sentences, K beams of each (their number may change from step to step), S source
positions, E width, V words.
"""

from typing import Protocol

import torch
from torch import Tensor

from xlmkit.model.attention import attention_mask
from xlmkit.model.cache import BeamCache
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.model.transformer import Surroundings, Transformer

_CHUNK = 128  # words


class Steps(Protocol):
    """A decoding under way."""

    def scores(self, words_BK: Tensor) -> Tensor:
        """Take the last word of every beam and return the scores of the next, (B, K, V), float32.

        Their softmax is the probability of the next word.
        """
        ...

    def follow(self, parents_BK: Tensor) -> None:
        """Let new beams continue these beams of their sentences, (B, new K)."""
        ...

    def keep(self, sentences: Tensor) -> None:
        """Go on with these sentences, numbers of present ones, (new B,)."""
        ...


class TranslationSteps:
    """The decoder of a translator, over encoded sentences.

    The beams of a sentence take the place of positions: they share its source, which is held once,
    and see one another's cells only where the cache's mask says so.

    Args:
        model: in evaluation mode.
        source_BSE: the encoder's states, (B, S, E).
        source_lengths_B: real positions among them, (B,).
        language_B: the language to write, (B,).
    """

    def __init__(
        self,
        model: EncoderDecoder,
        source_BSE: Tensor,
        source_lengths_B: Tensor,
        language_B: Tensor,
    ) -> None:
        self._model, self._past = model, BeamCache()
        self._source, self._language = source_BSE, language_B
        self._source_mask = attention_mask(source_lengths_B, source_BSE.shape[1], causal=False)

    def scores(self, words_BK: Tensor) -> Tensor:
        """Decode one position, (B, K, V)."""
        hidden_BKE = next_states(
            self._model.decoder, self._past, words_BK, self._language,
            self._source, self._source_mask,
        )  # fmt: skip
        scores_BKV: Tensor = self._model.pred_layer(hidden_BKE)
        return scores_BKV.float()

    def follow(self, parents_BK: Tensor) -> None:
        """Choose beams; nothing is copied but what they may see."""
        self._past.follow(parents_BK)

    def keep(self, sentences: Tensor) -> None:
        """Choose sentences of everything that is kept."""
        self._past.keep(sentences)
        self._source = self._source.index_select(0, sentences)
        self._language = self._language.index_select(0, sentences)
        if self._source_mask is not None:
            self._source_mask = self._source_mask.index_select(0, sentences)


def next_states(
    model: Transformer,
    past: BeamCache,
    words_BK: Tensor,
    language_B: Tensor,
    source_BSE: Tensor | None = None,
    source_mask: Tensor | None = None,
) -> Tensor:
    """Run a left-to-right model on one position behind those that are kept; return (B, K, E)."""
    around = Surroundings(
        mask=past.begin(words_BK), causal=True, source_mask=source_mask, past=past
    )
    places_BK = torch.full_like(words_BK, past.length)
    languages_BK = language_B[:, None].expand_as(words_BK)
    hidden_BKE = model.embed(model.embeddings(words_BK), places_BK, languages_BK)
    for states_BKE in model.layers(hidden_BKE, source_BSE, around):
        hidden_BKE = states_BKE
    past.end()
    return hidden_BKE


def log_normalizers(scores_BKV: Tensor) -> Tensor:
    """Return what to subtract from scores for log-probabilities, (B, K).

    A sentence at a time, so that what is computed between stays in the processor's cache.
    """
    if scores_BKV.device.type != "cpu":
        return scores_BKV.logsumexp(dim=2)
    return torch.stack([scores_KV.logsumexp(dim=1) for scores_KV in scores_BKV])


def best_words(scores_BKV: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Return the `n` best scores of each row and the words that have them, (B, K, n) both.

    What `topk` gives, but on a processor several times as fast: the best `n` words lie in the `n`
    chunks of the vocabulary whose best words are best, and only those chunks are sorted.
    """
    B, K, V = scores_BKV.shape
    whole = V // _CHUNK * _CHUNK
    if scores_BKV.device.type != "cpu" or whole // _CHUNK <= 2 * n:
        scores, words = scores_BKV.topk(n, dim=2)
        return scores, words
    # C chunks of W words; R words are behind them, M = n W + R are looked at.
    chunks_BKCW = scores_BKV[..., :whole].view(B, K, -1, _CHUNK)
    best_BKn = chunks_BKCW.amax(dim=3).topk(n, dim=2, sorted=False).indices
    words_BKnW = best_BKn[..., None] * _CHUNK + torch.arange(_CHUNK)
    rest_BKR = torch.arange(whole, V).expand(B, K, -1)
    words_BKM = torch.cat([words_BKnW.flatten(2), rest_BKR], dim=2)
    scores_BKn, places_BKn = scores_BKV.gather(2, words_BKM).topk(n, dim=2)
    return scores_BKn, words_BKM.gather(2, places_BKn)
