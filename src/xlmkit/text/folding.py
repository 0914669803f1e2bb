"""Words without case and accents, one by one, or many at once."""

from functools import cache
from typing import Any

import numpy as np

from xlmkit.text import compiled
from xlmkit.text.counted_words import CountedWords, word_sums
from xlmkit.text.normalize import lowercase_and_remove_accent


def fold_word(word: str) -> list[str]:
    """Lower a word and drop its accents; white space in it parts it, as elsewhere."""
    return [part for part in lowercase_and_remove_accent(word).split(" ") if part]


def folded_counts(words: CountedWords) -> CountedWords:
    """Return the sums of the counts of words that differ in case and accents alone."""
    sums = word_sums()
    left = words
    if compiled.in_use():
        codes, lengths_buffer = _folds().fold(words.codes, words.lengths)
        lengths = np.frombuffer(lengths_buffer, np.int32)
        usual = lengths > 0  # of some, nothing is left
        sums.add(CountedWords(np.frombuffer(codes, np.uint32), lengths[usual], words.counts[usual]))
        left = words.where(lengths < 0)
    parts: dict[str, float] = {}
    for word, count in zip(left.words(), left.counts.tolist(), strict=True):
        for part in fold_word(word):
            parts[part] = parts.get(part, 0.0) + count
    sums.add(CountedWords.of(parts))
    return sums.words()


@cache
def _folds() -> Any:  # noqa: ANN401 - of the compiled part
    """Return what folds words by the characters that it has asked for."""
    return compiled.native.Folds(describe_fold)


def describe_fold(code: int) -> tuple[int, str]:
    """Return a character folded, as the compiled part asks, which leaves some words to Python."""
    character = chr(code)
    folded = lowercase_and_remove_accent(character)
    unclear = " " in folded or compiled.depends_on_neighbours(character)
    return compiled.UNCUTTABLE * unclear, folded
