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
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BANDS = 20
ROWS = 12  # (1 / BANDS) ** (1 / ROWS) = 0.78 is where half of the pairs share a band
LONG = 20  # words; shorter texts have too few pairs of words to compare
_SEED = 1
_TOKEN = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|\\w+"
)

Keys = NDArray[np.uint64]


class _LettersOnly(dict[int, int | None]):
    """A table for `str.translate` that keeps letters and their marks, filled as it is used."""

    def __missing__(self, code: int) -> int | None:
        kept = unicodedata.category(chr(code))[0] in "LM"
        self[code] = code if kept else None
        return self[code]


_LETTERS_ONLY = _LettersOnly()


def skeleton(text: str) -> str:
    """Return the case-folded letters of a text, without anything between them."""
    return text.casefold().translate(_LETTERS_ONLY)


def fingerprint(text: str, language: str) -> int:
    """Return 64 bits that stand for a text in a language."""
    digest = hashlib.blake2b(text.encode(), digest_size=8, person=language.encode()[:16])
    return int.from_bytes(digest.digest(), "little")


def bands(text: str, language: str) -> Keys | None:
    """Return the BANDS keys of a long text, or nothing for a short one."""
    tokens = _TOKEN.findall(text.casefold())
    if len(tokens) < LONG:
        return None
    from rensa import RMinHash

    signature = RMinHash(BANDS * ROWS, _SEED)
    signature.update([f"{one} {two}" for one, two in pairwise(tokens)])
    rows = np.asarray(signature.digest(), dtype=np.uint64).reshape(BANDS, ROWS)
    # A band agrees only with the same band of a text in the same language.
    start = np.uint64(fingerprint("", language)) + np.arange(BANDS, dtype=np.uint64)
    return mix(mix(start) + (rows * _WEIGHTS).sum(axis=1, dtype=np.uint64))


def mix(keys: Keys) -> Keys:
    """Return keys with all bits stirred (the finaliser of SplitMix64; Steele et al., 2014)."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


_WEIGHTS: Keys = mix(np.arange(1, 1 + ROWS, dtype=np.uint64)) | np.uint64(1)
