"""What cleaning and finding duplicates ask of a text; compiled where the compiled part was built.

The compiled part knows no rules: it asks the functions here of each character once.
"""

import re
import unicodedata
from collections.abc import Sequence
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
    """(T,) words of texts, share of letters, and share of own scripts among the letters."""

    words: NDArray[np.int64]
    letters: NDArray[np.float64]
    own_script: NDArray[np.float64]

    def with_others(self, rows: list[int], others: "Facts") -> "Facts":
        """Return the facts with those of some rows exchanged."""
        facts = Facts(self.words.copy(), self.letters.copy(), self.own_script.copy())
        for values, new in zip(facts, others, strict=True):
            values[rows] = new
        return facts


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

    def look(self, texts: list[str]) -> tuple[list[str], Facts]:
        """Return the normal forms, see `normalize`, and their facts."""
        normal = [normalize(text) for text in texts]
        return normal, self.facts(normal)

    def facts(self, texts: list[str]) -> Facts:
        """Return what decides whether texts in their normal form are kept."""
        return Facts(
            np.array([count_words(text) for text in texts], np.int64),
            np.array([letter_share(text) for text in texts], np.float64),
            np.array([script_share(text, self._code) for text in texts], np.float64),
        )

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
            partial(_describe, language(code).scripts), partial(unicodedata.is_normalized, "NFC"),
            normalize, person(code), LONG, FACTORS.tobytes(), SUMMANDS.tobytes(),
            WEIGHTS.tobytes(), starts(code).tobytes(),
        )  # fmt: skip

    def look(self, texts: list[str]) -> tuple[list[str], Facts]:
        """Return the normal forms and their facts."""
        normal, *facts = self._native.look(texts)
        return normal, _facts_in(facts)

    def facts(self, texts: list[str]) -> Facts:
        """Return what decides whether texts are kept."""
        return _facts_in(self._native.facts(texts))

    def prints(self, texts: list[str], *, with_bands: bool) -> TextPrints:
        """Return the fingerprints and bands of texts."""
        exact, skeletons, rows, keys = self._native.prints(texts, with_bands)
        return TextPrints(
            np.frombuffer(exact, np.uint64),
            np.frombuffer(skeletons, np.uint64),
            np.frombuffer(rows, np.int64),
            np.frombuffer(keys, np.uint64).reshape(-1, BANDS),
        )


def _facts_in(buffers: Sequence[bytearray]) -> Facts:
    words, letters, own_script = buffers
    return Facts(
        np.frombuffer(words, np.int64),
        np.frombuffer(letters, np.float64),
        np.frombuffer(own_script, np.float64),
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
        _is_composed_anywhere(character),
    )
    bits = sum(1 << place for place, has in enumerate(traits, start=1) if has)
    return bits, character.casefold()


def _is_composed_anywhere(character: str) -> bool:
    """Tell whether a text of such characters is sure to be in NFC.

    None is a mark, and none composes with one before it. Beyond the first plane other characters
    may do so that are no marks, as some jamo do: there it is asked of each text.
    """
    return (
        character < "\U00010000"
        and not "\u1100" <= character <= "\u11ff"
        and unicodedata.category(character)[0] != "M"
        and not unicodedata.combining(character)
        and unicodedata.is_normalized("NFC", character)
    )
