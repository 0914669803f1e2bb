"""Records side by side, a list for each field, so that one call works on the texts of all of them.

So texts are cleaned, fingerprinted and written: a block at a time, which costs less than a record
at a time by far.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, compress, islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.records import Record
from xlmkit.text import compiled


class Block(Protocol):
    """Records that are cleaned at a time; taken apart by the process that needs them."""

    def columns(self) -> "Columns":
        """Return the records."""
        ...


@dataclass(frozen=True, slots=True)
class Columns:
    """Records (R of them) and their texts (T of them), in their order.

    Attributes:
        languages: of each text.
        texts: T of them.
        sizes: how many texts each record has.
        sources: where each record came from, as `Record.source`.
        places: as `Record.where`.
        labels: as `Record.label`.
    """

    languages: list[str]
    texts: list[str]
    sizes: list[int]
    sources: list[str]
    places: list[str]
    labels: list[str | None]

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Columns":
        """Return records side by side."""
        records = list(records)
        return cls(
            list(chain.from_iterable(record.texts for record in records)),
            list(chain.from_iterable(record.texts.values() for record in records)),
            [len(record.texts) for record in records],
            [record.source for record in records],
            [record.where for record in records],
            [record.label for record in records],
        )

    def columns(self) -> "Columns":
        """Return itself, a block that is taken apart already."""
        return self

    def records(self) -> Iterator[Record]:
        """Yield the records one by one."""
        texts = zip(self.languages, self.texts, strict=True)
        for size, source, place, label in zip(
            self.sizes, self.sources, self.places, self.labels, strict=True
        ):
            yield Record(dict(islice(texts, size)), source, place, label)

    def firsts(self) -> NDArray[np.int64]:
        """(R,) where the texts of each record begin."""
        sizes = np.array(self.sizes, np.int64)
        return np.cumsum(sizes) - sizes

    def by_language(self) -> Iterator[tuple[str, NDArray[np.int64], list[str]]]:
        """Yield each language, as they come, with the rows of its texts and the texts."""
        codes = dict.fromkeys(self.languages)
        if len(codes) == 1:  # as in most blocks
            yield self.languages[0], np.arange(len(self.texts)), self.texts
            return
        rows: dict[str, list[int]] = {code: [] for code in codes}
        for row, code in enumerate(self.languages):
            rows[code].append(row)
        for code, own in rows.items():
            yield code, np.array(own), [self.texts[row] for row in own]

    def chosen(self, kept: NDArray[np.bool_]) -> "Columns":
        """Return the texts that are marked, (T,), and the records that have any."""
        if kept.all():
            return self
        texts = kept.tolist()
        counts = np.diff(np.append(0, np.cumsum(kept))[np.append(self.firsts(), len(kept))])
        sizes = counts.tolist()
        return Columns(
            list(compress(self.languages, texts)),
            list(compress(self.texts, texts)),
            [size for size in sizes if size],
            list(compress(self.sources, sizes)),
            list(compress(self.places, sizes)),
            list(compress(self.labels, sizes)),
        )

    def to_json(self) -> bytes:
        """Return each record as a line of JSON, as `Record.to_json`, in UTF-8."""
        if compiled.in_use():
            lines: bytes = compiled.native.json_lines(
                self.languages, self.texts, self.sizes, self.sources, self.places, self.labels
            )
            return lines
        return "".join([f"{record.to_json()}\n" for record in self.records()]).encode()
