"""The files of the splits: every record is copied to its own, many lines at a time."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.files import atomic_write, open_chunks
from xlmkit.core.progress import progress
from xlmkit.data.records import Record
from xlmkit.data.split import SPLITS

_BYTES = 1 << 16
"""About how much is copied at a time."""


def write_splits(
    records: Path, folder: Path, split: NDArray[np.uint8], ambiguous: NDArray[np.bool_]
) -> None:
    """Copy every record to the file of its split, without its label where that is ambiguous.

    Args:
        records: the file of all of them, a line each.
        folder: where the files of the splits go.
        split: (R,) the split of each; beyond SPLITS a record goes nowhere.
        ambiguous: (R,) whether its label is.
    """
    done = 0
    with (
        ExitStack() as stack,
        progress("writing", total=len(split), unit="records") as bar,
    ):
        streams: list[IO[bytes]] = [
            stack.enter_context(atomic_write(folder / f"{name}.jsonl", binary=True))
            for name in SPLITS
        ]
        for lines in open_chunks(records, _BYTES):
            ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n")) + 1
            own = slice(done, done + len(ends))
            pieces: list[list[bytes | memoryview]] = [[] for _ in streams]
            for part, unclear, run in _runs(lines, ends, split[own], ambiguous[own]):
                if part < len(streams):
                    pieces[part].append(_without_labels(run) if unclear else run)
            for stream, own_pieces in zip(streams, pieces, strict=True):
                stream.write(b"".join(own_pieces))
            bar.advance(len(ends))
            done += len(ends)


def _runs(
    lines: bytes, ends: NDArray[np.int64], split: NDArray[np.uint8], ambiguous: NDArray[np.bool_]
) -> Iterator[tuple[int, bool, memoryview]]:
    """Yield split, ambiguity and the lines of neighbours that have both in common."""
    differ = (split[1:] != split[:-1]) | (ambiguous[1:] != ambiguous[:-1])
    firsts = np.flatnonzero(np.append(True, differ))
    starts = np.append(0, ends)[firsts].tolist()
    view = memoryview(lines)
    for part, unclear, start, end in zip(
        split[firsts].tolist(), ambiguous[firsts].tolist(), starts, [*starts[1:], len(lines)],
        strict=True,
    ):  # fmt: skip
        yield part, unclear, view[start:end]


def _without_labels(lines: memoryview) -> bytes:
    read = map(Record.from_json, bytes(lines).split(b"\n")[:-1])
    records = [Record(record.texts, record.source, record.where) for record in read]
    return "".join([f"{record.to_json()}\n" for record in records]).encode()
