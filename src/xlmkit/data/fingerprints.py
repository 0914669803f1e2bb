"""Short numbers that stand for texts, so that billions of them can be compared.

`exact` stands for a cleaned text. `skeleton` stands for its letters alone, case-folded, so that it
is the same for "Save as..." and "save as". The bands of a long text come from a MinHash signature
(Broder, 1997) over its pairs of neighbouring words: two texts share a band with a probability that
rises steeply around a Jaccard similarity of 0.8 (Leskovec et al., Mining of Massive Datasets, 3.4).
All numbers depend on the language, so that equal texts in two languages are different.
"""

import hashlib
import re
import unicodedata
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BANDS = 20
ROWS = 12  # (1 / BANDS) ** (1 / ROWS) = 0.78 is where half of the pairs share a band
LONG = 20  # words; shorter texts have too few pairs of words to compare
_SEED = 1
# Of scripts without spaces each character is a word of its own.
ALONE = (
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)
_TOKEN = re.compile(rf"{ALONE}|\w+")

Keys = NDArray[np.uint64]


def is_kept(character: str) -> bool:
    """Tell whether texts are compared by this character: a letter, or a mark of one."""
    return unicodedata.category(character)[0] in "LM"


class _LettersOnly(dict[int, int | None]):
    """A table for `str.translate` that keeps letters and their marks, filled as it is used."""

    def __missing__(self, code: int) -> int | None:
        self[code] = code if is_kept(chr(code)) else None
        return self[code]


_LETTERS_ONLY = _LettersOnly()


def skeleton(text: str) -> str:
    """Return the case-folded letters of a text, without anything between them."""
    return text.casefold().translate(_LETTERS_ONLY)


def fingerprint(text: str, language: str) -> int:
    """Return 64 bits that stand for a text in a language."""
    digest = hashlib.blake2b(text.encode(), digest_size=8, person=language.encode()[:16])
    return int.from_bytes(digest.digest(), "little")


def word_pairs(text: str, least: int) -> list[str] | None:
    """Return the pairs of neighbouring words of a text, None where it has fewer words."""
    tokens = _TOKEN.findall(text.casefold())
    return None if len(tokens) < least else [f"{one} {two}" for one, two in pairwise(tokens)]


def bands(pairs: list[str], language: str) -> Keys:
    """Return the BANDS keys of a long text, given by its pairs of words."""
    from rensa import RMinHash

    signature = RMinHash(BANDS * ROWS, _SEED)
    signature.update(pairs)
    rows = np.asarray(signature.digest(), dtype=np.uint64).reshape(BANDS, ROWS)
    return mix(_starts(language) + (rows * _WEIGHTS).sum(axis=1, dtype=np.uint64))


@cache
def _starts(language: str) -> Keys:
    """(BANDS,) what makes a band agree only with the same band in the same language."""
    return mix(np.uint64(fingerprint("", language)) + np.arange(BANDS, dtype=np.uint64))


def mix(keys: Keys) -> Keys:
    """Return keys with all bits stirred (the finaliser of SplitMix64; Steele et al., 2014)."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


_WEIGHTS: Keys = mix(np.arange(1, 1 + ROWS, dtype=np.uint64)) | np.uint64(1)
