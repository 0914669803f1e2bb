"""Apostrophes that Moses' rules set apart as words of their own, put back into their words.

Where a language has no rule for them (all but English, French and Italian), "Türkiye'de" becomes
three words, as a quotation mark between two words does. The one is told from the other by what
stands around both marks of a pair and, where that leaves it open, by what texts of the language
have more often; that was counted in FLORES-200.
"""

import re
from collections.abc import Sequence

# Words of these scripts have apostrophes: Latin, Greek, Cyrillic, Armenian, Hebrew.
_LETTERS = "A-Za-z\u00c0-\u024f\u1e00-\u1fff\u0370-\u052f\u0531-\u0587\u05d0-\u05ea"
_ENDS_A_WORD = re.compile(f"[{_LETTERS}0-9]$")
_BEGINS_A_WORD = re.compile(f"[{_LETTERS}]")
_QUOTED_MORE_OFTEN = frozenset({"nl", "af", "id", "ms", "vi", "hu", "eu"})
_DUTCH = frozenset({"nl", "af"})
_DUTCH_ENDINGS = frozenset({"er", "ers", "tje", "tjes"})  # cd'tje
_DUTCH_VOWEL = re.compile("[aiouy]$")  # foto's, zo'n, but uur 's ochtends
_HEBREW_LANGUAGES = frozenset({"he", "yi"})
_NEVER_QUOTED = _HEBREW_LANGUAGES | {"ig"}  # na-eto'
_ELIDED = frozenset({"el"})  # αλλ' όταν
_HEBREW = re.compile("[\u05d0-\u05ea]")


def with_apostrophes(words: Sequence[str], language: str) -> list[str]:
    """Return the words with every apostrophe joined to those it belongs to."""
    left, right = _apostrophes(words, language)
    made: list[str] = []
    for place, word in enumerate(words):
        if place in left or place - 1 in right:
            made[-1] += word
        else:
            made.append(word)
    return made


def _apostrophes(words: Sequence[str], language: str) -> tuple[set[int], set[int]]:
    """Return the places of marks that belong to the word before, and to the one behind."""
    inside, ends = _unquoted(words, language)
    if language in _QUOTED_MORE_OFTEN:
        inside = _unpaired(words, inside, language)
    joined: set[int] = set()
    if language not in _ELIDED:
        for place in inside:
            # The second of a Hebrew name ends it: ג'ורג' בוש.
            if place - 2 not in joined or language not in _HEBREW_LANGUAGES:
                joined.add(place)
    return {*inside, *ends}, joined


def _unquoted(words: Sequence[str], language: str) -> tuple[list[int], list[int]]:
    """Return the places of marks that no surely known quotation mark makes one, too.

    Returns:
        Those between two words, which may still be either; those that only follow one.
    """
    inside: list[int] = []
    ends: list[int] = []
    opened: int | None = None
    for place in (place for place, word in enumerate(words) if word == "'"):
        behind_word = place > 0 and _ENDS_A_WORD.search(words[place - 1])
        before_word = place + 1 < len(words) and _BEGINS_A_WORD.match(words[place + 1])
        if behind_word and before_word:
            inside.append(place)
        elif before_word:
            opened = place
        elif opened is not None:
            opened = None
        elif inside and language not in _NEVER_QUOTED:
            inside.pop()
        elif behind_word:
            ends.append(place)
    if opened is not None:  # it is closed by the first that can
        closing = [place for place in inside if place > opened][:1]
        inside = [place for place in inside if place not in closing]
    return inside, ends


def _unpaired(words: Sequence[str], inside: list[int], language: str) -> list[int]:
    """Return those of the marks that are no pair of quotation marks."""
    sure = []
    if language in _DUTCH:
        sure = [place for place in inside if _is_dutch(words[place - 1], words[place + 1])]
    rest = [place for place in inside if place not in sure]
    return sorted(sure + (rest if len(rest) % 2 else []))


def _is_dutch(before: str, behind: str) -> bool:
    ending = behind in ("s", "n") and _DUTCH_VOWEL.search(before)
    return bool(ending) or behind in _DUTCH_ENDINGS


def with_gershayim(words: Sequence[str]) -> list[str]:
    """Return Hebrew words with the mark before the last letter of an abbreviation in its place."""
    made: list[str] = []
    joins = False
    for place, word in enumerate(words):
        before, behind = (words[n] if 0 <= n < len(words) else "" for n in (place - 1, place + 1))
        mark = word == '"' and len(behind) == 1
        mark = mark and bool(_HEBREW.search(before[-1:]) and _HEBREW.match(behind))
        if mark or joins:
            made[-1] += word
        else:
            made.append(word)
        joins = mark
    return made
