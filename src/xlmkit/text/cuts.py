r"""Where a text may be cut so that each piece splits into the same words as within the text.

Moses' rules see little of what stands beyond a space. So most texts are taken apart at their
spaces, and what a piece becomes is remembered: the same pieces come again and again. At some spaces
a rule does look across, and there no cut is made:

- beside an apostrophe, which English, French and Italian treat otherwise at the ends of a text;
- before a comma, since one that begins a text stays with a number behind it;
- in German, French and Spanish behind a quotation mark, which changes its place with full stops
  before it unless the text ends there;
- beside white space of another kind, and beside characters that vanish, such as joiners.

A full stop at the end of a piece stays or is parted by what follows: a small letter, a digit, or
anything else. Such a piece carries an example of what follows behind a line end, as `Dr.\nA`.
"""

import re
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from xlmkit.text.moses import Exchange, MosesRules, moses_rules, moses_words

FOLLOWED_BY = "\n"
"""What parts a piece from the example of what follows it; no text that is cut contains it."""

# Unbreakable and thin spaces, joiners, marks of direction, soft hyphens: harmless inside a piece.
_HIDDEN = "\u00a0\u00ad\u2009\u200b\u200c\u200d\u200e\u200f\u202f\ufeff"
_WITHOUT_HIDDEN = str.maketrans("", "", _HIDDEN)
SMALL_FOLLOWS, DIGIT_FOLLOWS, ANYTHING_FOLLOWS = "a", "1", "A"
"""Examples of what follows a piece."""

_APOSTROPHES = "'`´‘’‚"
_QUOTES = '"“”„«»《》「」'
STOPS = ".。．"
"""Characters that ask what follows the piece that they end."""
_STOPS_INSIDE = tuple(f"{stop} " for stop in STOPS)
_BEGINS_BADLY = f"{_APOSTROPHES},，、{_HIDDEN}"
_ENDS_BADLY = f"{_APOSTROPHES}{_HIDDEN}"
_DIGITS = frozenset("0123456789０１２３４５６７８９")


class _Followers(dict[str, str]):
    """First character of a piece -> the example that stands for it, filled as it is used."""

    def __init__(self, rules: MosesRules) -> None:
        super().__init__()
        self._rules = rules

    def __missing__(self, character: str) -> str:
        if self._rules.is_small(character):
            kind = SMALL_FOLLOWS
        else:
            kind = DIGIT_FOLLOWS if character in _DIGITS else ANYTHING_FOLLOWS
        self[character] = kind
        return kind


class Cutter:
    """Cuts the texts of one language.

    Attributes:
        followers: first character of a piece -> the example that stands for it.
        begins_badly: characters before which no cut is made.
        ends_badly: characters behind which no cut is made.
    """

    def __init__(self, language: str) -> None:
        """Prepare for a language that Moses' rules split, not a segmenter."""
        self._rules = moses_rules(language)
        quotes = _QUOTES if self._rules.exchange is Exchange.WHAT_PRECEDES else ""
        self.begins_badly = _BEGINS_BADLY
        self.ends_badly = _ENDS_BADLY + quotes
        self.followers: Mapping[str, str] = _Followers(self._rules)
        self._joint = re.compile(f"[{self.ends_badly}] | [{self.begins_badly}]")
        self._cut = re.compile(f"(?<![{self.ends_badly}]) (?![{self.begins_badly}])")

    def cut(self, text: str) -> list[str] | None:
        """Return the pieces of a text, None if it must stay whole."""
        if not may_be_cut(text):
            return None
        pieces = self._cut.split(text) if self._joint.search(text) else text.split(" ")
        if any(stop in text for stop in _STOPS_INSIDE):
            for number, (piece, following) in enumerate(pairwise(pieces)):
                if piece[-1] in STOPS:
                    pieces[number] = f"{piece}{FOLLOWED_BY}{self.followers[following[0]]}"
        return pieces

    def words(self, piece: str) -> list[str]:
        """Split a piece as it is split where it stands."""
        if self._rules.is_plain(piece):
            return [piece]
        text, _, following = piece.partition(FOLLOWED_BY)
        if following:
            return moses_words(f"{text} {following}", self._rules.language)[:-1]
        return moses_words(text, self._rules.language)


def may_be_cut(text: str) -> bool:
    """Tell whether a text has none of what may reach further than to the next word.

    That is: several spaces in a row or spaces at its ends, and unusual white space and control
    characters.
    """
    if not text.isprintable() and not text.translate(_WITHOUT_HIDDEN).isprintable():
        return False
    return "  " not in text and not text.startswith(" ") and not text.endswith(" ") and text != ""


@cache
def cutter(language: str) -> Cutter:
    """Return the cutter of a language, made once per process."""
    return Cutter(language)
