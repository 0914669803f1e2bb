"""What search asks of a model: the scores of the next words, and to go on with chosen rows.

Shapes: R rows (sentences, or the beams of sentences), V words.
"""

from typing import Protocol

import torch
from torch import Tensor

from xlmkit.model.cache import KeyValueCache
from xlmkit.model.encoder_decoder import EncoderDecoder


class Steps(Protocol):
    """A decoding under way."""

    def log_probabilities(self, words_R: Tensor) -> Tensor:
        """Take the last word of every row and return those of the next, (R, V), float32."""
        ...

    def select(self, rows: Tensor) -> None:
        """Go on with these rows, numbers of present ones, (new R,)."""
        ...


class TranslationSteps:
    """The decoder of a translator, over encoded sentences.

    Args:
        model: in evaluation mode.
        source_RSE: the encoder's states, (R, S, E).
        source_lengths_R: real positions among them, (R,).
        language_R: the language to write, (R,).
    """

    def __init__(
        self,
        model: EncoderDecoder,
        source_RSE: Tensor,
        source_lengths_R: Tensor,
        language_R: Tensor,
    ) -> None:
        self._model, self._past = model, KeyValueCache()
        self._source, self._lengths, self._language = source_RSE, source_lengths_R, language_R

    def log_probabilities(self, words_R: Tensor) -> Tensor:
        """Decode one position, (R, V)."""
        hidden_R1E = self._model.decode(
            words_R[:, None], self._language[:, None], self._source, self._lengths, self._past
        )
        scores_RV = self._model.pred_layer(hidden_R1E[:, 0]).float()
        return torch.log_softmax(scores_RV, dim=1)

    def select(self, rows: Tensor) -> None:
        """Choose rows of everything that is kept."""
        self._past.select(rows)
        self._source = self._source.index_select(0, rows)
        self._lengths = self._lengths.index_select(0, rows)
        self._language = self._language.index_select(0, rows)
