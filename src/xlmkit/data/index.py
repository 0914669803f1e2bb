"""What deduplication and splitting need to know of the texts: arrays on disk, not the texts.

A record takes 8 bytes and a text about 20, so that a hundred million texts are two gigabytes of
memory-mapped arrays.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from xlmkit.core.journal import Journal
from xlmkit.data.fingerprints import BANDS, Keys
from xlmkit.data.prints import Prints

NO_LABEL = -1


class _Column:
    """An array that grows on disk."""

    def __init__(self, path: Path, stream: IO[bytes], dtype: DTypeLike, width: int = 1) -> None:
        self._path = path
        self._dtype = np.dtype(dtype)
        self._shape = (-1,) if width == 1 else (-1, width)
        self._stream = stream

    def append(self, values: NDArray[Any]) -> None:
        self._stream.write(values.astype(self._dtype).tobytes())

    def close(self) -> None:
        """Close the file, whatever is in it."""
        self._stream.close()

    def finish(self) -> NDArray[Any]:
        """Return the array, mapped from disk."""
        self.close()
        if not self._path.stat().st_size:  # an empty file cannot be mapped
            return np.empty((0, *self._shape[1:]), self._dtype)
        return np.memmap(self._path, self._dtype, mode="r").reshape(self._shape)


@dataclass(frozen=True, slots=True)
class CorpusIndex:
    """The records (R of them) and their texts (T of them), in reading order.

    Attributes:
        source: (R,) number of the source in the recipe.
        label: (R,) number of the label, or NO_LABEL.
        size: (R,) how many texts the record has.
        first: (R,) row of its first text, the pivot.
        record: (T,) the record of a text.
        language: (T,) number of its language in the recipe.
        exact: (T,) fingerprint of the text.
        skeleton: (T,) fingerprint of its letters.
        long: (L,) rows of the texts that are long enough to have bands.
        bands: (L, BANDS) their bands.
        labels: the names of the labels.
    """

    source: NDArray[np.uint16]
    label: NDArray[np.int32]
    size: NDArray[np.uint16]
    first: NDArray[np.int64]
    record: NDArray[np.int64]
    language: NDArray[np.uint16]
    exact: Keys
    skeleton: Keys
    long: NDArray[np.int64]
    bands: Keys
    labels: Sequence[str]

    @property
    def parallel(self) -> NDArray[np.bool_]:
        """(R,) whether a record has translations."""
        return self.size > 1


class IndexWriter:
    """Builds the index of a corpus while its records pass by.

    A context manager: its files are closed at the end, also after an exception.
    """

    def __init__(
        self, folder: Path, languages: Sequence[str], journal: Journal | None = None
    ) -> None:
        """Start an index in a folder that exists, or go on with one.

        Args:
            folder: where.
            languages: those of the recipe.
            journal: one in this folder, which was noted with `state` and `streams`.
        """
        self._numbers = {language: i for i, language in enumerate(languages)}
        self._folder = folder
        self._journal = journal or Journal(folder / "journal.json")
        state = self._journal.state or {"labels": [], "rows": 0}
        self._labels: dict[str, int] = {name: i for i, name in enumerate(state["labels"])}
        self._rows = int(state["rows"])
        self._files = ExitStack()
        self.streams: dict[str, IO[bytes]] = {}
        """The files that grow, by name."""
        self._source = self._column("source", np.uint16)
        self._label = self._column("label", np.int32)
        self._size = self._column("size", np.uint16)
        self._language = self._column("language", np.uint16)
        self._exact = self._column("exact", np.uint64)
        self._skeleton = self._column("skeleton", np.uint64)
        self._long = self._column("long", np.int64)
        self._bands = self._column("bands", np.uint64, BANDS)

    def __enter__(self) -> "IndexWriter":
        """Return the writer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all files."""
        self._files.close()

    def _column(self, name: str, dtype: DTypeLike, width: int = 1) -> _Column:
        self.streams[name] = self._journal.open(name)
        column = _Column(self._folder / name, self.streams[name], dtype, width)
        self._files.callback(column.close)
        return column

    def state(self) -> dict[str, Any]:
        """Return what is needed to go on."""
        return {"labels": list(self._labels), "rows": self._rows}

    def add(self, prints: Prints, source: int) -> None:
        """Add cleaned records of a source."""
        self._source.append(np.full(len(prints.size), source))
        self._size.append(prints.size)
        labels = np.array([self._number(label) for label in prints.labels], np.int32)
        self._label.append(labels[prints.label])
        numbers = np.array([self._numbers[code] for code in prints.codes], np.uint16)
        self._language.append(numbers[prints.language])
        self._exact.append(prints.exact)
        self._skeleton.append(prints.skeleton)
        self._long.append(self._rows + prints.long)
        self._bands.append(prints.bands)
        self._rows += len(prints.language)

    def _number(self, label: str | None) -> int:
        if label is None:
            return NO_LABEL
        return self._labels.setdefault(label, len(self._labels))

    def finish(self) -> CorpusIndex:
        """Return the index of all records that were added."""
        size = self._size.finish()
        ends = np.cumsum(size, dtype=np.int64)
        return CorpusIndex(
            source=self._source.finish(),
            label=self._label.finish(),
            size=size,
            first=ends - size,
            record=np.repeat(np.arange(len(size), dtype=np.int64), size),
            language=self._language.finish(),
            exact=self._exact.finish(),
            skeleton=self._skeleton.finish(),
            long=self._long.finish(),
            bands=self._bands.finish(),
            labels=tuple(self._labels),
        )
