"""A numpy file of vectors that grows while they are made, and goes on after a stop."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.core.files import explained_disk_errors
from xlmkit.core.unfinished import (
    Work,
    begin_part,
    check_unfinished,
    end_part,
    part_of,
    told_how_to_go_on,
)

_TYPE = np.dtype("<f4")


class VectorFile:
    """Rows of float32 behind a header of constant length, which is brought up to date at the end.

    numpy leaves room in a header for the first dimension to grow, so that no row has to move.
    """

    def __init__(self, stream: IO[bytes], width: int, rows: int) -> None:
        self._stream, self._width, self.rows = stream, width, rows

    def write(self, vectors_NE: NDArray[np.float32]) -> None:
        """Append rows, (N, E)."""
        self._stream.write(np.ascontiguousarray(vectors_NE, _TYPE).tobytes())
        self._stream.flush()
        self.rows += len(vectors_NE)

    def write_header(self) -> None:
        """Say how many rows there are."""
        self._stream.seek(0)
        header = {
            "descr": np.lib.format.dtype_to_descr(_TYPE),
            "fortran_order": False,
            "shape": (self.rows, self._width),
        }
        np.lib.format.write_array_header_1_0(self._stream, header)


@contextmanager
def vector_file(
    target: Path, width: int, work: Work | None = None, *, resume: bool = False
) -> Iterator[VectorFile]:
    """Open a numpy file for vectors; `rows` of it tells how many an earlier call has written.

    The file lies at `NAME.part` until the block ends without an exception.

    Args:
        target: the file, read afterwards with `numpy.load(target, mmap_mode="r")`.
        width: E, numbers of a vector.
        work: by what the vectors are made; None where a call always begins again.
        resume: go on behind the whole rows that are there.

    Raises:
        UserError: the file cannot be written, or what is there has another width, was other work
            is not to be gone on with or was finished.
    """
    part = part_of(target)
    check_unfinished(target, resume=resume)
    with explained_disk_errors(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        begun = work is not None and part.exists() and part.stat().st_size > 0
        with told_how_to_go_on(work), part.open("r+b" if begun else "w+b") as stream:
            file = VectorFile(stream, width, 0)
            if begun:
                _check_width(stream, width, part)
            else:
                file.write_header()
            start = stream.tell()
            row_bytes = width * _TYPE.itemsize
            file.rows = (stream.seek(0, os.SEEK_END) - start) // row_bytes
            if work is not None:
                begin_part(target, work, file.rows, resume=resume)
            stream.truncate(stream.seek(start + file.rows * row_bytes))
            yield file
            file.write_header()
            stream.flush()
            os.fsync(stream.fileno())
        end_part(target)


def _check_width(stream: IO[bytes], width: int, part: Path) -> None:
    """Read the header of a file that an earlier call has begun."""
    try:
        np.lib.format.read_magic(stream)
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    except ValueError:
        raise UserError(f"{part} is not a beginning of vectors; delete it.") from None
    if shape[1:] != (width,) or dtype != _TYPE:
        raise UserError(
            f"{part} has vectors of {shape[-1]} numbers, but this model makes {width}; go on with "
            "the model that began it, or delete it."
        )
