"""Counting and numbering the words of texts, piece by piece; what several processes share."""

from collections.abc import Mapping
from functools import partial
from itertools import chain
from typing import Any

from xlmkit.text import compiled
from xlmkit.text.compiled import TextsNumberer, compiled_numberer
from xlmkit.text.counted_words import CountedWords
from xlmkit.text.cuts import Cutter
from xlmkit.text.encoder import cuts_of, split_words
from xlmkit.text.moses import moses_rules
from xlmkit.text.numbered_words import NumberedWords
from xlmkit.text.pieces import MAXIMUM_PIECES, Cuts, forget_long


class WordsOfTexts:
    """Finds the words of texts, their case and accents untouched; may be sent to other processes.

    Attributes:
        segmenters: language -> segmenter, see `xlmkit.text.segment`.
    """

    def __init__(self, segmenters: Mapping[str, str]) -> None:
        """Start with nothing remembered."""
        self.segmenters = segmenters
        self._words: dict[str, dict[str, list[str]]] = {}  # language -> piece -> words
        self._numberers: dict[str, TextsNumberer] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what is remembered."""
        return {**self.__dict__, "_words": {}, "_numberers": {}}

    def __call__(self, pair: tuple[str, list[str]]) -> tuple[str, CountedWords]:
        """Return the language of (language, texts), and the words of the texts."""
        language, texts = pair
        return language, self.numbered(texts, language).words

    def numbered(self, texts: list[str], language: str) -> NumberedWords:
        """Return texts of a language as words by number."""
        cuts = cuts_of(language, self.segmenters)
        if not (compiled.in_use() and isinstance(cuts, Cutter)):
            return NumberedWords.of(self._split(texts, language, cuts))
        if language not in self._numberers:
            split = partial(split_words, language=language, segmenters=self.segmenters)
            self._numberers[language] = compiled_numberer(cuts, moses_rules(language), split)
        return NumberedWords.of_buffers(*self._numberers[language].number(texts))

    def _split(self, texts: list[str], language: str, cuts: Cuts | None) -> list[list[str]]:
        """Return the words of each text."""
        if cuts is None:
            return [split_words(text, language, self.segmenters) for text in texts]
        known = self._words.setdefault(language, {})
        if len(known) > MAXIMUM_PIECES:
            known.clear()
        pieces = [cuts.cut(text) for text in texts]
        new = dict.fromkeys(chain.from_iterable(filter(None, pieces)))
        known.update((piece, cuts.words(piece)) for piece in new if piece not in known)
        rows = [
            split_words(text, language, self.segmenters)
            if row is None
            else list(chain.from_iterable(map(known.__getitem__, row)))
            for text, row in zip(texts, pieces, strict=True)
        ]
        forget_long(known, new)
        return rows
