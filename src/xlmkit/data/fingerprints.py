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
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

BANDS = 20
ROWS = 12  # (1 / BANDS) ** (1 / ROWS) = 0.78 is where half of the pairs share a band
LONG = 20  # words; shorter texts have too few pairs of words to compare
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
    digest = hashlib.blake2b(text.encode(), digest_size=8, person=person(language))
    return int.from_bytes(digest.digest(), "little")


def person(language: str) -> bytes:
    """Return what makes the hash of a text depend on the language."""
    return language.encode()[:16]


def bands(text: str, language: str) -> Keys | None:
    """Return the BANDS keys of a text, None where it has fewer words than LONG."""
    tokens = _TOKEN.findall(text.casefold())
    if len(tokens) < LONG:
        return None
    words = np.array([_word_key(token) for token in tokens], np.uint64)
    pairs = _upper(mix(mix(words[:-1]) + words[1:]))
    lowest = (pairs[:, None] * FACTORS + SUMMANDS).min(axis=0).astype(np.uint64)
    return mix(starts(language) + (lowest.reshape(BANDS, ROWS) * WEIGHTS).sum(axis=1))


@lru_cache(1 << 16)
def _word_key(word: str) -> int:
    """Return 64 bits that stand for a word (FNV-1a, over characters in place of bytes)."""
    key = 0xCBF29CE484222325
    for character in word:
        key = (key ^ ord(character)) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return key


def _upper(keys: Keys) -> NDArray[np.uint32]:
    return (keys >> np.uint64(32)).astype(np.uint32)


@cache
def starts(language: str) -> Keys:
    """(BANDS,) what makes a band agree only with the same band in the same language."""
    return mix(np.uint64(fingerprint("", language)) + np.arange(BANDS, dtype=np.uint64))


def mix(keys: Keys) -> Keys:
    """Return keys with all bits stirred (the finaliser of SplitMix64; Steele et al., 2014)."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


# Row i of a signature is the lowest of FACTORS[i] * k + SUMMANDS[i], modulo 2 ** 32, over all pairs
# k. Since factors are odd, that permutes all numbers.
FACTORS = _upper(mix(np.arange(1000, 1000 + BANDS * ROWS, dtype=np.uint64))) | np.uint32(1)
SUMMANDS = _upper(mix(np.arange(2000, 2000 + BANDS * ROWS, dtype=np.uint64)))
WEIGHTS: Keys = mix(np.arange(1, 1 + ROWS, dtype=np.uint64)) | np.uint64(1)
"""What joins the rows of a band to one key."""
