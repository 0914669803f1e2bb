"""Texts as words by number, so that what a word becomes is worked out once for all its places."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from xlmkit.text import compiled
from xlmkit.text.counted_words import CountedWords
from xlmkit.text.pieces import Flat


@dataclass(frozen=True, slots=True)
class NumberedWords:
    """T texts of N words, W of them different.

    Attributes:
        words: the different words and how often each occurs, in the order in which they come first.
        numbers: (N,) which of them stands in each place of all texts, end to end.
        lengths: (T,) how many words each text has.
    """

    words: CountedWords
    numbers: NDArray[np.int32]
    lengths: NDArray[np.int32]

    @classmethod
    def of(cls, rows: Sequence[Sequence[str]]) -> "NumberedWords":
        """Number the words of texts."""
        places = list(chain.from_iterable(rows))
        found = {word: number for number, word in enumerate(dict.fromkeys(places))}
        numbers = np.fromiter(map(found.__getitem__, places), np.int32, len(places))
        counts = np.bincount(numbers, minlength=len(found)).astype(np.float64).tolist()
        return cls(
            CountedWords.of(dict(zip(found, counts, strict=True))),
            numbers,
            np.fromiter(map(len, rows), np.int32, len(rows)),
        )

    @classmethod
    def of_buffers(
        cls, words: tuple[bytes, bytes, bytes], numbers: bytes, lengths: bytes
    ) -> "NumberedWords":
        """Return what the compiled part gives."""
        return cls(
            CountedWords.of_buffers(*words),
            np.frombuffer(numbers, np.int32),
            np.frombuffer(lengths, np.int32),
        )

    def joined(self, encoded: Flat) -> Flat:
        """Return the ids of the texts.

        Args:
            encoded: the ids of the different words, end to end, and how many each has.
        """
        ids, sizes = encoded
        if compiled.in_use():
            joined, counts = compiled.native.join_words(
                ids, sizes.astype(np.int32), self.numbers, self.lengths
            )
            lengths = np.frombuffer(counts, np.int32)
            return np.frombuffer(joined, np.int32), lengths.astype(np.int64)
        its_sizes = sizes[self.numbers]
        ends = np.append(0, np.cumsum(its_sizes))
        shifts = (np.cumsum(sizes) - sizes)[self.numbers] - ends[:-1]
        places = np.arange(ends[-1]) + np.repeat(shifts, its_sizes)
        texts = ends[np.append(0, np.cumsum(self.lengths))]
        return ids[places], np.diff(texts)
