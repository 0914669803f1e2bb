"""What the index needs of the records of a block: numbers in place of texts, as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.columns import Columns
from xlmkit.data.fingerprints import BANDS, Keys
from xlmkit.data.survey import survey


@dataclass(frozen=True, slots=True)
class Prints:
    """Records (R of them) and their texts (T of them), in their order.

    Attributes:
        labels: those that occur, None where records have none.
        label: (R,) place of a record's label in `labels`.
        size: (R,) how many texts the record has.
        codes: the languages that occur.
        language: (T,) place of a text's language in `codes`.
        exact: (T,) fingerprint of the text.
        skeleton: (T,) fingerprint of its letters.
        long: (L,) rows of the texts that have bands.
        bands: (L, BANDS) their bands.
    """

    labels: tuple[str | None, ...]
    label: NDArray[np.int32]
    size: NDArray[np.uint16]
    codes: tuple[str, ...]
    language: NDArray[np.uint16]
    exact: Keys
    skeleton: Keys
    long: NDArray[np.int64]
    bands: Keys


def prints_of(columns: Columns, *, with_bands: bool = True) -> Prints:
    """Return what the index needs of cleaned records; bands find near-duplicates."""
    count = len(columns.texts)
    language = np.zeros(count, np.uint16)
    exact, skeleton = np.zeros((2, count), np.uint64)
    long, bands = [np.zeros(0, np.int64)], [np.zeros((0, BANDS), np.uint64)]
    codes: list[str] = []
    for code, rows, texts in columns.by_language():
        found = survey(code).prints(texts, with_bands=with_bands)
        language[rows], exact[rows], skeleton[rows] = len(codes), found.exact, found.skeleton
        long.append(rows[found.long])
        bands.append(found.bands)
        codes.append(code)
    order = np.argsort(long_rows := np.concatenate(long))
    places = {label: place for place, label in enumerate(dict.fromkeys(columns.labels))}
    return Prints(
        labels=tuple(places),
        label=np.fromiter(map(places.__getitem__, columns.labels), np.int32),
        size=np.array(columns.sizes, np.uint16),
        codes=tuple(codes),
        language=language,
        exact=exact,
        skeleton=skeleton,
        long=long_rows[order],
        bands=np.concatenate(bands)[order],
    )
