"""Cleaning many records at once, and all that the index needs to know of them.

This is what the first pass over a corpus spends its time on, and what several processes share.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from xlmkit.data.clean import CleanConfig, Cleaner
from xlmkit.data.columns import Block
from xlmkit.data.prints import Prints, prints_of
from xlmkit.data.source_base import Markup


@dataclass(slots=True)
class CleanedBlock:
    """The records that are left of a block, in their order.

    Attributes:
        source: number of its source.
        read: language -> texts that were read.
        dropped: (reason, language) -> texts.
        lines: each record as JSON, with its line end, in UTF-8.
        prints: what the index needs of them.
    """

    source: int
    read: Counter[str]
    dropped: Counter[tuple[str, str]]
    lines: bytes
    prints: Prints


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

    def __call__(self, numbered: tuple[int, Block]) -> CleanedBlock:
        """Clean a block of a source, given by its number."""
        source, block = numbered
        columns = block.columns()
        kept, dropped = self._cleaners[source].clean(columns)
        return CleanedBlock(
            source,
            Counter(columns.languages),
            dropped,
            kept.to_json(),
            prints_of(kept, with_bands=self._settings[-1]),
        )
