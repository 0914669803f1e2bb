"""Words and how often each occurs, in columns: so millions are added up, sorted and folded at once.

A word of a million in a dictionary takes more time to be made, sent to another process and added
than to be counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from xlmkit.text import compiled

_UTF32 = "utf-32-le"


@dataclass(frozen=True, slots=True)
class CountedWords:
    """W words with C characters together.

    Attributes:
        codes: (C,) the characters of all words, end to end.
        lengths: (W,) how many each word has.
        counts: (W,) how often each occurs.
    """

    codes: NDArray[np.uint32]
    lengths: NDArray[np.int32]
    counts: NDArray[np.float64]

    @classmethod
    def of(cls, counts: Mapping[str, float]) -> Self:
        """Return the words of a mapping from word to occurrences, in its order."""
        return cls(
            np.frombuffer("".join(counts).encode(_UTF32, "surrogatepass"), np.uint32),
            np.fromiter(map(len, counts), np.int32, len(counts)),
            np.fromiter(counts.values(), np.float64, len(counts)),
        )

    @classmethod
    def of_buffers(cls, codes: bytes, lengths: bytes, counts: bytes) -> Self:
        """Return what the compiled part gives."""
        return cls(
            np.frombuffer(codes, np.uint32),
            np.frombuffer(lengths, np.int32),
            np.frombuffer(counts, np.float64),
        )

    def __len__(self) -> int:
        """Return how many words there are."""
        return len(self.lengths)

    def characters(self) -> int:
        """Return how many characters all occurrences have together."""
        return int((self.lengths * self.counts).sum())

    def starts(self) -> NDArray[np.int64]:
        """(W,) where the characters of each word begin."""
        return np.cumsum(self.lengths, dtype=np.int64) - self.lengths

    def words(self) -> list[str]:
        """Return the words as strings."""
        text = self.codes.tobytes().decode(_UTF32, "surrogatepass")
        starts = self.starts()
        ends = (starts + self.lengths).tolist()
        return [text[start:end] for start, end in zip(starts.tolist(), ends, strict=True)]

    def to_dict(self) -> dict[str, float]:
        """Return word -> occurrences; of a word that comes twice, those of the last."""
        return dict(zip(self.words(), self.counts.tolist(), strict=True))

    def where(self, chosen: NDArray[np.bool_]) -> "CountedWords":
        """Return the words that are marked, (W,)."""
        if chosen.all():
            return self
        codes = self.codes[np.repeat(chosen, self.lengths)]
        return CountedWords(codes, self.lengths[chosen], self.counts[chosen])

    def sorted(self) -> "CountedWords":
        """Return the words in the order of their characters' numbers, as Python sorts strings."""
        if compiled.in_use():
            order = np.frombuffer(compiled.native.sorted_words(self.codes, self.lengths), np.int32)
        else:
            words = self.words()
            order = np.array(sorted(range(len(words)), key=words.__getitem__), np.int32)
        lengths = self.lengths[order]
        ends = np.cumsum(lengths, dtype=np.int64)
        places = np.arange(len(self.codes)) + np.repeat(
            self.starts()[order] - (ends - lengths), lengths
        )
        return CountedWords(self.codes[places], lengths, self.counts[order])


class WordSums(Protocol):
    """Adds up occurrences of words."""

    def add(self, words: CountedWords, /) -> None:
        """Add the occurrences of words."""

    def words(self) -> CountedWords:
        """Return all words, in the order in which they came first."""

    def __len__(self) -> int:
        """Return how many different words there are."""


def word_sums() -> WordSums:
    """Return sums without any word yet."""
    return _CompiledSums() if compiled.in_use() else _PythonSums()


class _PythonSums:
    def __init__(self) -> None:
        self._sums: dict[str, float] = {}

    def add(self, words: CountedWords) -> None:
        sums = self._sums
        for word, count in zip(words.words(), words.counts.tolist(), strict=True):
            sums[word] = sums.get(word, 0.0) + count

    def words(self) -> CountedWords:
        return CountedWords.of(self._sums)

    def __len__(self) -> int:
        return len(self._sums)


class _CompiledSums:
    def __init__(self) -> None:
        self._sums: Any = compiled.native.WordSums()

    def add(self, words: CountedWords) -> None:
        self._sums.add(words.codes, words.lengths, words.counts)

    def words(self) -> CountedWords:
        return CountedWords.of_buffers(*self._sums.words())

    def __len__(self) -> int:
        return int(self._sums.size())
