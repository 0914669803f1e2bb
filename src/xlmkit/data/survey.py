"""What cleaning and finding duplicates ask of a text; compiled where the compiled part was built.

The compiled part knows no rules: it asks the functions here of each character once.
"""

import re
import unicodedata
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.fingerprints import (
    ALONE,
    BANDS,
    FACTORS,
    LONG,
    SUMMANDS,
    WEIGHTS,
    Keys,
    bands,
    fingerprint,
    is_kept,
    person,
    skeleton,
    starts,
)  # fmt: skip
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


class TextPrints(NamedTuple):
    """Fingerprints of texts, (T,); the rows of the long ones, (L,), and their (L, BANDS) bands."""

    exact: Keys
    skeleton: Keys
    long: NDArray[np.int64]
    bands: Keys


class Survey:
    """Answers for the texts of one language, in Python."""

    def __init__(self, code: str) -> None:
        """Take the code of the language."""
        self._code = code

    def look(self, text: str) -> tuple[str, Facts]:
        """Return the normal form, see `normalize`, and its facts."""
        normal = normalize(text)
        return normal, self.facts(normal)

    def facts(self, text: str) -> Facts:
        """Return what decides whether a text in its normal form is kept."""
        return Facts(count_words(text), letter_share(text), script_share(text, self._code))

    def prints(self, texts: list[str], *, with_bands: bool) -> TextPrints:
        """Return the fingerprints of texts, and the bands of those of LONG words and more."""
        code = self._code
        rows = [bands(text, code) for text in texts] if with_bands else []
        return TextPrints(
            np.array([fingerprint(text, code) for text in texts], np.uint64),
            np.array([fingerprint(skeleton(text), code) for text in texts], np.uint64),
            np.array([number for number, row in enumerate(rows) if row is not None], np.int64),
            np.array([row for row in rows if row is not None], np.uint64).reshape(-1, BANDS),
        )


class CompiledSurvey(Survey):
    """Gives the same answers sooner."""

    def __init__(self, code: str) -> None:
        """Take the code of the language."""
        super().__init__(code)
        self._native = compiled.native.Survey(
            partial(_describe, language(code).scripts), person(code), LONG, FACTORS.tobytes(),
            SUMMANDS.tobytes(), WEIGHTS.tobytes(), starts(code).tobytes(),
        )  # fmt: skip

    def look(self, text: str) -> tuple[str, Facts]:
        """Return the normal form and its facts."""
        facts = self._native.facts_of_tidy(text)
        if facts is not None and (text.isascii() or unicodedata.is_normalized("NFC", text)):
            return text, Facts(*facts)
        normal = normalize(text)
        return normal, self.facts(normal)

    def facts(self, text: str) -> Facts:
        """Return what decides whether a text is kept."""
        return Facts(*self._native.facts(text))

    def prints(self, texts: list[str], *, with_bands: bool) -> TextPrints:
        """Return the fingerprints and bands of texts."""
        exact, skeletons, rows, keys = self._native.prints(texts, with_bands)
        return TextPrints(
            np.frombuffer(exact, np.uint64),
            np.frombuffer(skeletons, np.uint64),
            np.frombuffer(rows, np.int64),
            np.frombuffer(keys, np.uint64).reshape(-1, BANDS),
        )


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
