"""Words to ids, many at once, by the compiled part; what was worked out is remembered."""

from typing import Any

import numpy as np

from xlmkit.text import compiled
from xlmkit.text.compiled import CompiledPairs
from xlmkit.text.counted_words import CountedWords
from xlmkit.text.folding import describe_fold, fold_word
from xlmkit.text.pieces import LONGEST_PIECE, MAXIMUM_PIECES, Flat


class KnownWords:
    """Encodes words of any language."""

    def __init__(self, pairs: CompiledPairs, *, folds: bool) -> None:
        """Start with nothing remembered.

        Args:
            pairs: the merges.
            folds: whether case and accents are taken from words first.
        """
        describe = describe_fold if folds else _as_it_is
        self._native: Any = compiled.native.KnownWords(
            describe, fold_word, pairs.table, MAXIMUM_PIECES, LONGEST_PIECE
        )

    def encode(self, words: CountedWords) -> Flat:
        """Return the ids of words, end to end, and how many each has."""
        ids, lengths = self._native.encode(words.codes, words.lengths)
        return np.frombuffer(ids, np.int32), np.frombuffer(lengths, np.int32).astype(np.int64)

    def forget(self) -> None:
        """Forget all words."""
        self._native.forget()


def _as_it_is(code: int) -> tuple[int, str]:
    return 0, chr(code)
