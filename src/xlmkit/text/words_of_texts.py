"""Counting the words of texts, piece by piece; what several processes share."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain
from typing import Any, Generic, TypeVar

from xlmkit.text import compiled
from xlmkit.text.compiled import TextsCounter, compiled_counter
from xlmkit.text.counted_words import CountedWords
from xlmkit.text.cuts import Cutter
from xlmkit.text.encoder import cuts_of, split_words
from xlmkit.text.moses import moses_rules
from xlmkit.text.pieces import MAXIMUM_PIECES, Cuts, forget_long

Batch = TypeVar("Batch")


def texts_of_pair(pair: tuple[str, list[str]]) -> Mapping[str, list[str]]:
    """Return (language, texts) as a mapping."""
    return dict([pair])


class WordsOfTexts(Generic[Batch]):
    """Counts the words of batches of texts; may be sent to other processes."""

    def __init__(
        self,
        segmenters: Mapping[str, str],
        texts_of: Callable[[Batch], Mapping[str, list[str]]],
    ) -> None:
        """Take language -> segmenter, and what returns language -> texts of a batch."""
        self._segmenters = segmenters
        self._texts_of = texts_of
        self._words: dict[str, dict[str, list[str]]] = {}  # language -> piece -> words
        self._counters: dict[str, TextsCounter] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what is remembered."""
        return {**self.__dict__, "_words": {}, "_counters": {}}

    def __call__(self, batch: Batch) -> dict[str, CountedWords]:
        """Return language -> words and their occurrences in a batch."""
        return {code: self.count(texts, code) for code, texts in self._texts_of(batch).items()}

    def count(self, texts: list[str], language: str) -> CountedWords:
        """Return the words of texts of a language."""
        cuts = cuts_of(language, self._segmenters)
        if not (compiled.in_use() and isinstance(cuts, Cutter)):
            return CountedWords.of(self._count(texts, language, cuts))
        if language not in self._counters:
            split = partial(split_words, language=language, segmenters=self._segmenters)
            self._counters[language] = compiled_counter(cuts, moses_rules(language), split)
        return CountedWords.of_buffers(*self._counters[language].count(texts))

    def _count(self, texts: list[str], language: str, cuts: Cuts | None) -> Counter[str]:
        rows = [cuts.cut(text) if cuts else None for text in texts]
        pieces = Counter(chain.from_iterable(filter(None, rows)))
        counts: Counter[str] = Counter()
        if cuts:
            known = self._words.setdefault(language, {})
            if len(known) > MAXIMUM_PIECES:
                known.clear()
            known.update((piece, cuts.words(piece)) for piece in pieces.keys() - known.keys())
            for piece, count in pieces.items():
                for word in known[piece]:
                    counts[word] += count
            forget_long(known, pieces)
        for text, row in zip(texts, rows, strict=True):
            if row is None:
                counts.update(split_words(text, language, self._segmenters))
        return counts
