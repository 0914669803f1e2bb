"""Counting words of many languages in bounded memory, and weighing the languages."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from xlmkit.text.counted_words import CountedWords, WordSums, word_sums
from xlmkit.text.sampling import sampling_probabilities

MAXIMUM_DISTINCT_WORDS = 1_000_000


class WordCounter:
    """Counts words per language; when there are too many different ones, forgets the rarest.

    What is forgotten is only the tail: a word that is frequent in the whole text comes back and
    is missing at most what it had when it was forgotten.
    """

    def __init__(self, maximum_distinct: int = MAXIMUM_DISTINCT_WORDS) -> None:
        """Set how many different words may be kept over all languages."""
        self._maximum_distinct = maximum_distinct
        self._sums: dict[str, WordSums] = {}
        self.totals: dict[str, int] = {}
        """Language -> characters of all its words, forgotten ones included."""

    def update(
        self, language: str, words: Iterable[str] | Mapping[str, int] | CountedWords
    ) -> None:
        """Count the words of some text, or add what was counted."""
        if not isinstance(words, CountedWords):
            words = CountedWords.of(words if isinstance(words, Mapping) else Counter(words))
        self._sums.setdefault(language, word_sums()).add(words)
        self.totals[language] = self.totals.get(language, 0) + words.characters()
        if sum(map(len, self._sums.values())) > self._maximum_distinct:
            self._forget_rarest()

    def clear(self) -> None:
        """Forget all words."""
        self._sums.clear()
        self.totals.clear()

    def _forget_rarest(self) -> None:
        """Halve the number of different words, taking away the rarest in every language."""
        words = {language: sums.words() for language, sums in self._sums.items()}
        counts = np.concatenate([own.counts for own in words.values()])
        threshold = 0
        while np.count_nonzero(counts > threshold) > self._maximum_distinct // 2:
            threshold += 1
        for language, own in words.items():
            self._sums[language] = _sums_of(own.where(own.counts > threshold))

    def counts(self, language: str) -> Counter[str]:
        """Return word -> occurrences of one language (empty if it never occurred)."""
        if language not in self._sums:
            return Counter()
        counts = self._sums[language].words().to_dict()
        return Counter({word: int(count) for word, count in counts.items()})

    def weighted(
        self, alpha: float, fold: Callable[[CountedWords], CountedWords] | None = None
    ) -> CountedWords:
        """Return words with weighted occurrences over all languages, in no meaningful order.

        Languages are weighted so that their shares of all characters are the sampling
        probabilities with this exponent; the sum stays what it was. Characters, since a word is
        not the same amount of text in Chinese and in German, and since merges and the alphabet are
        learned from characters.

        Args:
            alpha: the exponent.
            fold: makes other words of the words of a language, and counts those.
        """
        words = {code: self._sums[code].words() for code in sorted(self._sums)}
        totals = {code: own.characters() for code, own in words.items()}
        shares = sampling_probabilities(self.totals, alpha)
        everything = sum(totals.values())
        weights = word_sums()
        for language, own in words.items():
            if not totals[language]:
                continue
            factor = shares[language] * everything / totals[language]
            folded = fold(own) if fold else own
            weights.add(CountedWords(folded.codes, folded.lengths, factor * folded.counts))
        return weights.words()


def _sums_of(words: CountedWords) -> WordSums:
    sums = word_sums()
    sums.add(words)
    return sums
