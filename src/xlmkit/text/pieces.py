"""Encoding the texts of one language piece by piece; each piece is worked out once.

Real text repeats itself: most pieces (`xlmkit.text.cuts`) of a text were seen before, and cost no
more than finding their ids.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

MAXIMUM_PIECES = 1 << 15
"""How many pieces of a language are remembered before all are forgotten.

Frequent pieces are soon known again: on real text a limit thirty times as high is no faster beyond
the noise of measuring, but lets memory grow with the corpus, in every language and process.
"""

LONGEST_PIECE = 128
"""Characters of the longest piece or word that is remembered.

Longer ones hardly come again, and where a script has no spaces, whole sentences are pieces: without
a limit, their number would not limit the memory they take. With half of it, the few pieces between
cost a quarter of the time of text that was seen before.
"""

Ids = list[int]
Flat = tuple[NDArray[np.int32], NDArray[np.int64]]
"""The ids of texts, end to end, and how many each text has."""

EncodeWords = Callable[[list[list[str]]], list[Ids]]
"""Turns lists of words into the ids of each list, end to end."""

SplitText = Callable[[str], list[str]]
"""Splits a whole text into words."""


class Cuts(Protocol):
    """Knows where the texts of a language may be cut."""

    def cut(self, text: str) -> list[str] | None:
        """Return the pieces of a text, None if it must stay whole."""

    def words(self, piece: str) -> list[str]:
        """Split a piece as it is split where it stands."""


class TextsEncoder(Protocol):
    """What encodes the texts of one language: a `PieceEncoder`, or its compiled counterpart."""

    def encode(self, texts: Sequence[str], /) -> list[Ids]:
        """Return the ids of each text."""

    def encode_flat(self, texts: Sequence[str], /) -> Flat:
        """Return the ids of all texts."""

    def forget(self) -> None:
        """Forget all pieces."""


def flat(rows: Sequence[Ids]) -> Flat:
    """Return rows of ids end to end."""
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    return np.fromiter(chain.from_iterable(rows), np.int32, int(lengths.sum())), lengths


def forget_long(known: dict[str, Any], texts: Iterable[str]) -> None:
    """Take those of some pieces or words away that are too long to be remembered."""
    for text in texts:
        if len(text) > LONGEST_PIECE:
            known.pop(text, None)


class PieceEncoder:
    """Encodes the texts of one language."""

    def __init__(self, cuts: Cuts, split: SplitText, encode: EncodeWords) -> None:
        """Start with nothing remembered.

        Args:
            cuts: where texts may be cut.
            split: splits a whole text into words.
            encode: encodes the words of several pieces.
        """
        self._cut = cuts.cut
        self._words = cuts.words
        self._split = split
        self._encode_words = encode
        self._known: dict[str, Ids] = {}

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """Return the ids of each text."""
        if len(self._known) > MAXIMUM_PIECES:
            self._known.clear()
        rows = [self._cut(text) for text in texts]
        try:
            return self._join(texts, rows, {})
        except KeyError:  # a piece that is new, or a text that must stay whole
            new, whole = self._learn(texts, rows)
        ids = self._join(texts, rows, whole)
        forget_long(self._known, new)
        return ids

    def encode_flat(self, texts: Sequence[str]) -> Flat:
        """Return the ids of all texts."""
        return flat(self.encode(texts))

    def forget(self) -> None:
        """Forget all pieces."""
        self._known.clear()

    def _join(
        self, texts: Sequence[str], rows: Sequence[list[str] | None], whole: dict[str, Ids]
    ) -> list[Ids]:
        find = self._known.__getitem__
        return [
            whole[text] if row is None else list(chain.from_iterable(map(find, row)))
            for text, row in zip(texts, rows, strict=True)
        ]

    def _learn(
        self, texts: Sequence[str], rows: Sequence[list[str] | None]
    ) -> tuple[list[str], dict[str, Ids]]:
        """Work out new pieces, and return them and the ids of texts that stay whole."""
        pieces = chain.from_iterable(filter(None, rows))
        new = [piece for piece in dict.fromkeys(pieces) if piece not in self._known]
        whole = list(dict.fromkeys(t for t, row in zip(texts, rows, strict=True) if row is None))
        words = [self._words(piece) for piece in new]
        words += [self._split(text) for text in whole]
        encoded = self._encode_words(words)
        self._known.update(zip(new, encoded[: len(new)], strict=True))
        return new, dict(zip(whole, encoded[len(new) :], strict=True))
