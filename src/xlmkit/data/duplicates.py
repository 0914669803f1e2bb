"""Which records say again what another one said, and which labels contradict each other.

Of records that say the same, the one read first is kept; but a text alone is dropped if it also
stands in a record with translations, wherever that is read, since the translations are worth more.
All decisions are made by array operations over the fingerprints of the texts.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.fingerprints import Keys, mix
from xlmkit.data.index import NO_LABEL, CorpusIndex

DuplicateLevel = Literal["none", "exact", "near"]
KEEP = 0
REASONS = ("kept", "duplicate", "near-duplicate", "other translation")
_SORTED_AT_ONCE = 1 << 21  # keys; bounds the memory of sorting
_UPPER_BITS = 20  # of keys; a table of so many takes a megabyte
Flags = NDArray[np.bool_]


def find_duplicates(
    index: CorpusIndex, level: DuplicateLevel, one_translation: Flags
) -> NDArray[np.uint8]:
    """Say of every record why it repeats others.

    Args:
        index: the fingerprints of all texts.
        level: "exact" compares cleaned texts, "near" also their letters alone and, in texts of 20
            words and more, the share of common pairs of words.
        one_translation: (sources,) whether a source's records go when their pivot text was already
            translated otherwise.

    Returns:
        (R,) positions in REASONS; KEEP for records that stay.
    """
    records = len(index.size)
    reason = np.full(records, KEEP, dtype=np.uint8)
    if not records:
        return reason
    # Texts alone come after all records with translations.
    rank = np.arange(records) + np.where(index.parallel, 0, records)
    if level != "none":
        exact = _repeated(index, index.exact, rank)
        reason[exact] = REASONS.index("duplicate")
        if level == "near":
            near = _repeated(index, index.skeleton, rank) | _similar(index, rank)
            reason[near & ~exact] = REASONS.index("near-duplicate")
    other = _translated_before(index) & one_translation[index.source] & (reason == KEEP)
    reason[other] = REASONS.index("other translation")
    return reason


def _repeated(index: CorpusIndex, keys: Keys, rank: NDArray[np.int64]) -> Flags:
    """(R,) whether a text alone, or a pivot together with each translation, stood before."""
    alone = ~index.parallel
    seen = seen_before(keys, rank[index.record])
    repeated = np.zeros(len(index.size), dtype=np.bool_)
    repeated[alone] = seen[index.first[alone]]

    pivot_row = index.first[index.record]
    translation = np.flatnonzero(pivot_row != np.arange(len(keys)))
    together = mix(mix(keys[pivot_row[translation]]) + keys[translation])
    record = index.record[translation]
    new = record[~seen_before(together, record)]
    has_new = np.zeros(len(index.size), dtype=np.bool_)
    has_new[new] = True
    return repeated | (index.parallel & ~has_new)


def _similar(index: CorpusIndex, rank: NDArray[np.int64]) -> Flags:
    """(R,) whether the pivot is long, and every text is nearly the same as an earlier one."""
    row_rank = rank[index.record]
    similar = seen_before(index.skeleton, row_rank)
    has_bands = np.zeros(len(index.record), dtype=np.bool_)
    has_bands[index.long] = True
    for column in range(index.bands.shape[1]):
        keys = np.ascontiguousarray(index.bands[:, column])
        similar[index.long] |= seen_before(keys, row_rank[index.long])
    has_new = np.zeros(len(index.size), dtype=np.bool_)
    has_new[index.record[~similar]] = True
    return has_bands[index.first] & ~has_new


def _translated_before(index: CorpusIndex) -> Flags:
    """(R,) whether the pivot text of a record with translations is that of an earlier one."""
    records = np.flatnonzero(index.parallel)
    result = np.zeros(len(index.size), dtype=np.bool_)
    result[records] = seen_before(index.skeleton[index.first[records]], records)
    return result


def ambiguous_labels(index: CorpusIndex) -> Flags:
    """(R,) whether a record with a label shares a text with one that has another label."""
    result = np.zeros(len(index.size), dtype=np.bool_)
    labels = index.label[index.record]
    labelled = np.flatnonzero(labels != NO_LABEL)
    labels, records = labels[labelled], index.record[labelled]
    for rows, starts in _groups(index.skeleton[labelled]):
        sizes = np.diff(np.append(starts, len(rows)))
        differ = np.minimum.reduceat(labels[rows], starts) != np.maximum.reduceat(
            labels[rows], starts
        )
        result[records[rows[np.repeat(differ, sizes)]]] = True
    return result


def seen_before(keys: Keys, rank: NDArray[np.int64]) -> Flags:
    """(N,) whether the same key occurs with a lower rank."""
    seen = np.zeros(len(keys), dtype=np.bool_)
    for rows, starts in _groups(keys):
        sizes = np.diff(np.append(starts, len(rows)))
        first = np.repeat(np.minimum.reduceat(rank[rows], starts), sizes)
        seen[rows] = rank[rows] > first
    return seen


def _groups(keys: Keys) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield (rows, starts): rows sorted by key, and where in them each key's group starts.

    Most rows whose key stands alone are left out.
    """
    parts = len(keys) // _SORTED_AT_ONCE + 1
    for part in range(parts):
        chosen = np.flatnonzero(keys % np.uint64(parts) == part)
        own = keys[chosen]
        ordered = np.sort(own)
        repeated = ordered[1:][ordered[1:] == ordered[:-1]]
        if not len(repeated):
            continue
        # To sort rows by key takes ten times as long as to sort keys, so that only those are sorted
        # that share the upper bits with a key that is repeated.
        marked = np.zeros(1 << _UPPER_BITS, np.bool_)
        marked[_upper(repeated)] = True
        likely = chosen[marked[_upper(own)]]
        rows = likely[np.argsort(keys[likely])]
        ordered = keys[rows]
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        yield rows, starts


def _upper(keys: Keys) -> Keys:
    return keys >> np.uint64(64 - _UPPER_BITS)
