"""What the index needs of the records of a block: numbers in place of texts, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.fingerprints import BANDS, Keys
from xlmkit.data.records import Record
from xlmkit.data.survey import survey


@dataclass(frozen=True, slots=True)
class Prints:
    """Records (R of them) and their texts (T of them), in their order.

    Attributes:
        labels: of each record, None where it has none.
        size: (R,) how many texts the record has.
        codes: the languages that occur.
        language: (T,) place of a text's language in `codes`.
        exact: (T,) fingerprint of the text.
        skeleton: (T,) fingerprint of its letters.
        long: (L,) rows of the texts that have bands.
        bands: (L, BANDS) their bands.
    """

    labels: list[str | None]
    size: NDArray[np.uint16]
    codes: tuple[str, ...]
    language: NDArray[np.uint16]
    exact: Keys
    skeleton: Keys
    long: NDArray[np.int64]
    bands: Keys


def prints_of(records: Sequence[Record], *, with_bands: bool = True) -> Prints:
    """Return what the index needs of cleaned records; bands find near-duplicates."""
    texts: dict[str, list[str]] = {}
    rows: dict[str, list[int]] = {}
    count = 0
    for record in records:
        for code, text in record.texts.items():
            texts.setdefault(code, []).append(text)
            rows.setdefault(code, []).append(count)
            count += 1
    language = np.zeros(count, np.uint16)
    exact, skeleton = np.zeros((2, count), np.uint64)
    long, bands = [np.zeros(0, np.int64)], [np.zeros((0, BANDS), np.uint64)]
    for number, code in enumerate(texts):
        own = np.array(rows[code])
        found = survey(code).prints(texts[code], with_bands=with_bands)
        language[own], exact[own], skeleton[own] = number, found.exact, found.skeleton
        long.append(own[found.long])
        bands.append(found.bands)
    order = np.argsort(long_rows := np.concatenate(long))
    return Prints(
        labels=[record.label for record in records],
        size=np.array([len(record.texts) for record in records], np.uint16),
        codes=tuple(texts),
        language=language,
        exact=exact,
        skeleton=skeleton,
        long=long_rows[order],
        bands=np.concatenate(bands)[order],
    )
