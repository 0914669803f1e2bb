"""Which of a few languages a text is in, learned in seconds from the texts at hand.

Naive Bayes over character n-grams (Cavnar & Trenkle 1994 for the n-grams; Dunning, "Statistical
Identification of Language", 1994, for the probabilities). It knows only the languages of the
recipe, those that no ready identifier has included, and asks of a text which of them it is most
likely in. Languages that differ little, such as Serbian and Croatian, are told apart badly.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from xlmkit.evaluate.words import plain

ORDERS = (1, 2, 3, 4)
"""Lengths of the n-grams."""

TEXTS = 2000
"""Texts of each language that are read: more hardly change the answers."""

_SMOOTHING = 0.5  # what is added to every count
_LEAST = 2  # n-grams that occur less often in all languages together are left out
_SURE = math.log(10)


class LanguageIdentifier:
    """Tells the languages apart that it was made with.

    Attributes:
        languages: their codes.
    """

    def __init__(
        self, grams: Mapping[str, int], table_GL: NDArray[np.float32], codes: list[str]
    ) -> None:
        """Take what `learn` made.

        Args:
            grams: n-gram -> row of the table.
            table_GL: logarithms of probabilities (n-grams, languages).
            codes: the languages of the columns.
        """
        self.languages = codes
        self._grams = grams
        self._table_GL = table_GL

    @classmethod
    def learn(cls, texts: Mapping[str, Iterable[str]]) -> "LanguageIdentifier":
        """Make an identifier from texts of each language; some hundred sentences are enough.

        Args:
            texts: language -> texts; the first `TEXTS` are read.

        Raises:
            ValueError: there are fewer than two languages.
        """
        if len(texts) < 2:
            raise ValueError("Telling languages apart takes at least two.")
        counts = {
            code: Counter(gram for text in islice(some, TEXTS) for gram in _grams(text))
            for code, some in texts.items()
        }
        total: Counter[str] = Counter()
        for one in counts.values():
            total.update(one)
        kept = {gram: row for row, gram in enumerate(g for g, n in total.items() if n >= _LEAST)}
        table_GL = np.empty((len(kept), len(counts)), dtype=np.float32)
        sizes_G = np.fromiter(map(len, kept), dtype=np.intp, count=len(kept))
        for column, one in enumerate(counts.values()):
            found_G = np.fromiter((one[gram] for gram in kept), np.float64, len(kept)) + _SMOOTHING
            for size in ORDERS:  # probabilities among the n-grams of one length
                of_size = sizes_G == size
                found_G[of_size] /= found_G[of_size].sum()
            table_GL[:, column] = np.log(found_G)
        return cls(kept, table_GL, list(counts))

    def log_likelihoods(self, text: str) -> NDArray[np.float64] | None:
        """Return one number for each language, None for a text without a known letter."""
        rows = [self._grams[gram] for gram in _grams(text) if gram in self._grams]
        if not rows:
            return None
        sums_L: NDArray[np.float64] = self._table_GL[rows].sum(axis=0, dtype=np.float64)
        return sums_L

    def identify(self, text: str) -> str | None:
        """Return the likeliest language, None for a text without a known letter."""
        sums_L = self.log_likelihoods(text)
        return None if sums_L is None else self.languages[int(sums_L.argmax())]

    def may_be(self, text: str, language: str) -> bool | None:
        """Tell whether a text may be in a language, None for a text without a known letter.

        It may unless another language is ten times as likely: a name or a short word that fits
        several languages speaks against none of them.

        Raises:
            ValueError: the identifier was not made with this language.
        """
        if language not in self.languages:
            raise ValueError(f"The identifier knows {', '.join(self.languages)}, not {language}.")
        sums_L = self.log_likelihoods(text)
        if sums_L is None:
            return None
        return bool(sums_L.max() - sums_L[self.languages.index(language)] < _SURE)


def _grams(text: str) -> Iterable[str]:
    """Yield the n-grams of a text's letters; its words begin and end with a space."""
    letters = "".join(" " if c.isdigit() else c for c in plain(text)).split()
    if not letters:
        return
    line = f" {' '.join(letters)} "
    for size in ORDERS:
        for start in range(len(line) - size + 1):
            gram = line[start : start + size]
            if gram != " ":
                yield gram
