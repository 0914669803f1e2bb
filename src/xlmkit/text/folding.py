"""Words without case and accents, one by one, or many at once."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from xlmkit.text import compiled
from xlmkit.text.normalize import lowercase_and_remove_accent


def fold_word(word: str) -> list[str]:
    """Lower a word and drop its accents; white space in it parts it, as elsewhere."""
    return [part for part in lowercase_and_remove_accent(word).split(" ") if part]


def folded_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the sums of the counts of words that differ in case and accents alone."""
    sums: dict[str, int] = {}
    known = _folds().fold([*counts]) if compiled.in_use() else [None] * len(counts)
    for (word, count), folded in zip(counts.items(), known, strict=True):
        for part in fold_word(word) if folded is None else [folded]:
            sums[part] = sums.get(part, 0) + count
    return sums


@cache
def _folds() -> Any:  # noqa: ANN401 - of the compiled part
    """Return what folds words by the characters that it has asked for, None where it cannot."""
    return compiled.native.Folds(_describe)


def _describe(code: int) -> tuple[int, str]:
    character = chr(code)
    folded = lowercase_and_remove_accent(character)
    unclear = " " in folded or compiled.depends_on_neighbours(character)
    return compiled.UNCUTTABLE * unclear, folded
