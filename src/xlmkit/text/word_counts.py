"""Counting words of many languages in bounded memory, and weighing the languages."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from operator import mul
from typing import Any

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
        self._counts: dict[str, Counter[str]] = {}
        self.totals: dict[str, int] = {}
        """Language -> characters of all its words, forgotten ones included."""

    def update(self, language: str, words: Iterable[str] | Mapping[str, int]) -> None:
        """Count the words of some text, or add what was counted."""
        counts = words if isinstance(words, Mapping) else Counter(words)
        self._counts.setdefault(language, Counter()).update(counts)
        self.totals[language] = self.totals.get(language, 0) + characters_of(counts)
        if sum(map(len, self._counts.values())) > self._maximum_distinct:
            self._forget_rarest()

    def state(self) -> dict[str, Any]:
        """Return all counts as plain values."""
        return {"counts": self._counts, "totals": self.totals}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on with the counts that `state` returned."""
        self._counts = {code: Counter(counts) for code, counts in state["counts"].items()}
        self.totals = dict(state["totals"])

    def _forget_rarest(self) -> None:
        """Halve the number of different words, taking away the rarest in every language."""
        threshold = 0
        while sum(map(len, self._counts.values())) > self._maximum_distinct // 2:
            threshold += 1
            for language, counter in self._counts.items():
                kept = {word: count for word, count in counter.items() if count > threshold}
                self._counts[language] = Counter(kept)

    def counts(self, language: str) -> Counter[str]:
        """Return word -> occurrences of one language (empty if it never occurred)."""
        return self._counts.get(language, Counter())

    def weighted(
        self, alpha: float, fold: Callable[[Mapping[str, int]], Mapping[str, int]] | None = None
    ) -> dict[str, float]:
        """Return word -> weighted occurrences over all languages, in no order that means anything.

        Languages are weighted so that their shares of all characters are the sampling
        probabilities with this exponent; the sum stays what it was. Characters, since a word is
        not the same amount of text in Chinese and in German, and since merges and the alphabet are
        learned from characters.

        Args:
            alpha: the exponent.
            fold: makes other words of the words of a language, and counts those.
        """
        totals = {code: characters_of(counter) for code, counter in self._counts.items()}
        shares = sampling_probabilities(self.totals, alpha)
        everything = sum(totals.values())
        weights: dict[str, float] = {}
        for language in sorted(self._counts):
            if not totals[language]:
                continue
            factor = shares[language] * everything / totals[language]
            counts = self._counts[language]
            for word, count in (fold(counts) if fold else counts).items():
                weights[word] = weights.get(word, 0.0) + factor * count
        return weights


def characters_of(counts: Mapping[str, int]) -> int:
    """Return how many characters all words have together."""
    return sum(map(mul, map(len, counts), counts.values()))
