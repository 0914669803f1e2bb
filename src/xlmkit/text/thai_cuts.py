"""Where a text may be cut for pythainlp, so that each piece has the words it has in the text.

pythainlp (`newmm`) searches for words from a list, and starts anew behind every space that no word
of the list spans, such as those of many names. What stands before a space may depend on there
being one, so a piece ends with its space; pythainlp makes a word of it.
"""

from collections import defaultdict
from functools import cache
from itertools import pairwise

from xlmkit.text.cuts import may_be_cut
from xlmkit.text.moses import moses_rules
from xlmkit.text.segment import segmenter

PYTHAINLP = "pythainlp"

_Sides = dict[tuple[str, str], list[tuple[str, str]]]
"""The characters beside a space -> the parts beside it of all words of the list that hold it."""


class ThaiCutter:
    """Cuts the texts of a language whose segmenter is pythainlp."""

    def __init__(self, language: str) -> None:
        """Prepare for a language.

        Raises:
            MissingPackageError: pythainlp is not installed.
        """
        self._clean = moses_rules(language).clean
        segment = segmenter(PYTHAINLP)
        assert segment is not None  # noqa: S101 - only the name `none` stands for none
        self.words = segment
        self._sides = _sides_of_spaces()

    def cut(self, text: str) -> list[str] | None:
        """Return the pieces of a text, None if it must stay whole."""
        text = self._clean(text)
        if not may_be_cut(text):
            return None
        parts = text.split(" ")
        pieces = []
        piece = parts[0]
        for left, right in pairwise(parts):
            piece += " "
            if self._is_spanned(left, right):
                piece += right
            else:
                pieces.append(piece)
                piece = right
        return [*pieces, piece]

    def _is_spanned(self, left: str, right: str) -> bool:
        """Tell whether a word of the list may stand on both sides of a space."""
        sides = self._sides.get((left[-1], right[0]), ())
        return any(left.endswith(before) and right.startswith(after) for before, after in sides)


@cache
def _sides_of_spaces() -> _Sides:
    from pythainlp.corpus.common import thai_words

    sides: _Sides = defaultdict(list)
    for word in thai_words():
        for before, after in pairwise(word.split()):
            sides[before[-1], after[0]].append((before, after))
    return dict(sides)


@cache
def thai_cutter(language: str) -> ThaiCutter:
    """Return the cutter of a language, made once per process."""
    return ThaiCutter(language)
