"""Splits by content: a sentence and all its translations stand on one side only.

A record's split follows from the letters of its pivot text and the seed alone. So it stays where it
is when sources are reordered, added or removed, and when the same text comes again elsewhere.
"""

import hashlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from xlmkit.core.config import Config
from xlmkit.data.fingerprints import mix
from xlmkit.data.index import NO_LABEL, CorpusIndex

SPLITS = ("train", "valid", "test")
TRAIN, VALID, TEST = range(3)
HELD_OUT_ELSEWHERE = 3  # dropped: shares a text with a record of a later split
DROPPED = 4  # not in any split, for reasons of its own


class SplitConfig(Config):
    """How much of the data is held out."""

    valid: float = Field(default=0.02, ge=0, lt=1)
    """The share of records held out for validation."""
    test: float = Field(default=0.02, ge=0, lt=1)
    """The share of records held out for testing."""
    max_valid: int | None = Field(default=None, ge=0)
    """At most so many records for validation."""
    max_test: int | None = Field(default=None, ge=0)
    """At most so many records for testing."""
    of: tuple[Literal["parallel", "labelled"], ...] = ()
    """Hold out only records that have translations, or a label, or both; by default any."""

    @model_validator(mode="after")
    def _leave_some_to_train(self) -> "SplitConfig":
        if self.valid + self.test >= 1:
            raise ValueError("valid and test together must be below 1, to leave some for training")
        return self


def assign_splits(
    index: CorpusIndex,
    kept: NDArray[np.bool_],
    labelled: NDArray[np.bool_],
    config: SplitConfig,
    seed: int,
) -> NDArray[np.uint8]:
    """Return for every record its split, HELD_OUT_ELSEWHERE or DROPPED.

    Args:
        index: the fingerprints of all texts.
        kept: (R,) the records that are not duplicates.
        labelled: (R,) the records whose label can be trusted.
        config: the shares.
        seed: of the recipe.
    """
    split = np.full(len(kept), TRAIN, dtype=np.uint8)
    eligible = kept.copy()
    if "parallel" in config.of:
        eligible &= index.parallel
    if "labelled" in config.of:
        eligible &= labelled & (index.label != NO_LABEL)
    # Both shares are taken from their own end, so that changing one does not move the other.
    place = _places(index, seed)
    split[eligible & (place < _reach(place[eligible], config.test, config.max_test))] = TEST
    from_end = 1 - place
    validating = from_end < _reach(from_end[eligible], config.valid, config.max_valid)
    split[eligible & validating & (split != TEST)] = VALID
    split[~kept] = DROPPED
    _separate(index, split)
    return split


def _places(index: CorpusIndex, seed: int) -> NDArray[np.float64]:
    """(R,) a number in [0, 1) for each record, which follows from its pivot's letters."""
    digest = hashlib.blake2b(str(seed).encode(), digest_size=8, person=b"split").digest()
    salt = np.uint64(int.from_bytes(digest, "little"))
    keys = mix(index.skeleton[index.first] ^ salt)
    return (keys >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _reach(places: NDArray[np.float64], share: float, most: int | None) -> float:
    """Return how far from its end a split reaches: its share, or less to stay within `most`."""
    if most is None or np.count_nonzero(places < share) <= most:
        return share
    return float(np.partition(places, most)[most])


def _separate(index: CorpusIndex, split: NDArray[np.uint8]) -> None:
    """Take out of each split the records that share a text with one held out after it."""
    row_split = split[index.record]
    for later, earlier in ((TEST, VALID), (TEST, TRAIN), (VALID, TRAIN)):
        # A validation record taken out for the test split holds nothing out any more.
        held = np.unique(index.skeleton[row_split == later])
        rows = np.flatnonzero(row_split == earlier)
        shared = rows[np.isin(index.skeleton[rows], held)]
        split[index.record[shared]] = HELD_OUT_ELSEWHERE
        row_split = split[index.record]
