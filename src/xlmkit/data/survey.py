"""What cleaning and finding duplicates ask of a text; compiled where the compiled part was built.

The compiled part knows no rules: it asks the functions here of each character once.
"""

import re
import unicodedata
from functools import cache, partial
from typing import NamedTuple

from xlmkit.data.fingerprints import ALONE, is_kept, skeleton, word_pairs
from xlmkit.data.measures import CONTROL, UNSPACED, count_words, letter_share, normalize
from xlmkit.text import compiled
from xlmkit.text.languages import language, script_share
from xlmkit.text.scripts import is_foreign_letter, is_letter

_UNSPACED = re.compile(f"[{UNSPACED}]")
_ALONE = re.compile(ALONE)
_OF_WORDS = re.compile(r"\w")
_JOINERS = "\u200c\u200d"


class Facts(NamedTuple):
    """Words of a text, share of letters, and share of own scripts among the letters."""

    words: int
    letters: float
    own_script: float


class Survey:
    """Answers for the texts of one language, in Python."""

    def __init__(self, code: str) -> None:
        """Take the code of the language."""
        self._code = code

    def normal(self, text: str) -> str:
        """Return the normal form, see `normalize`."""
        return normalize(text)

    def facts(self, text: str) -> Facts:
        """Return what decides whether a text in its normal form is kept."""
        return Facts(count_words(text), letter_share(text), script_share(text, self._code))

    def letters(self, text: str) -> str:
        """Return the letters of a text alone, see `skeleton`."""
        return skeleton(text)

    def pairs(self, text: str, least: int) -> list[str] | None:
        """Return the pairs of neighbouring words, None where there are fewer words than `least`."""
        return word_pairs(text, least)


class CompiledSurvey(Survey):
    """Gives the same answers sooner."""

    def __init__(self, code: str) -> None:
        """Take the code of the language."""
        super().__init__(code)
        self._native = compiled.native.Survey(partial(_describe, language(code).scripts))

    def normal(self, text: str) -> str:
        """Return the normal form."""
        if self._native.is_tidy(text) and unicodedata.is_normalized("NFC", text):
            return text
        return normalize(text)

    def facts(self, text: str) -> Facts:
        """Return what decides whether a text is kept."""
        return Facts(*self._native.facts(text))

    def letters(self, text: str) -> str:
        """Return the letters of a text alone."""
        letters: str = self._native.letters(text)
        return letters

    def pairs(self, text: str, least: int) -> list[str] | None:
        """Return the pairs of neighbouring words."""
        pairs: list[str] | None = self._native.pairs(text, least)
        return pairs


def survey(code: str) -> Survey:
    """Return what answers for a language, made once per process."""
    return _survey(code, compiled.in_use())


@cache
def _survey(code: str, is_compiled: bool) -> Survey:
    return CompiledSurvey(code) if is_compiled else Survey(code)


def _describe(scripts: tuple[str, ...], code: int) -> tuple[int, str]:
    """Return the traits of a character, as bits of native/survey.h, and it with case folded."""
    character = chr(code)
    category = unicodedata.category(character)
    removed = CONTROL.match(character) is not None or character in _JOINERS
    traits = (
        removed or (character.isspace() and character != " "),
        character.isspace(),
        _OF_WORDS.match(character) is not None,
        _UNSPACED.match(character) is not None,
        character.isalpha(),
        category[0] == "M",
        is_letter(character),
        is_foreign_letter(character, scripts),
        is_kept(character),
        _ALONE.match(character) is not None,
    )
    bits = sum(1 << place for place, has in enumerate(traits, start=1) if has)
    return bits, character.casefold()
