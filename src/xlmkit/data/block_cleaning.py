"""Cleaning many records at once, and all that the index needs to know of them.

This is what the first pass over a corpus spends its time on, and what several processes share.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from xlmkit.data.clean import CleanConfig, Cleaner
from xlmkit.data.index import RecordPrints, record_prints
from xlmkit.data.records import Record
from xlmkit.data.source_base import Markup


@dataclass(slots=True)
class CleanedBlock:
    """The records that are left of a block, in their order.

    Attributes:
        source: number of its source.
        read: language -> texts that were read.
        dropped: (reason, language) -> texts.
        lines: each record as JSON, with its line end.
        prints: what the index needs of each.
    """

    source: int
    read: Counter[str] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)
    prints: list[RecordPrints] = field(default_factory=list)


class BlockCleaner:
    """Cleans blocks of records of several sources; may be sent to other processes."""

    def __init__(
        self, config: CleanConfig, usual_markup: Sequence[Sequence[Markup]], *, with_bands: bool
    ) -> None:
        """Prepare for sources whose kinds usually have such mark-up; see `Cleaner`."""
        self._settings = (config, usual_markup, with_bands)

    @cached_property
    def _cleaners(self) -> list[Cleaner]:
        config, usual_markup, _ = self._settings
        return [Cleaner(config, markup) for markup in usual_markup]

    def __getstate__(self) -> dict[str, Any]:
        """Leave the cleaners behind, which may hold what cannot be sent."""
        return {"_settings": self._settings}

    def __call__(self, numbered: tuple[int, Sequence[Record]]) -> CleanedBlock:
        """Clean a block of a source, given by its number."""
        source, records = numbered
        clean, with_bands = self._cleaners[source].clean, self._settings[-1]
        block = CleanedBlock(source)

        def drop(reason: str, language: str) -> None:
            block.dropped[reason, language] += 1

        for record in records:
            block.read.update(record.texts.keys())
            if cleaned := clean(record, drop):
                block.lines.append(cleaned.to_json() + "\n")
                block.prints.append(record_prints(cleaned, with_bands=with_bands))
        return block
