"""Lines in, lines out: files and pipes of any length, and an output that goes on after a stop.

A named output is written beside its name, to `NAME.part`, and takes it when all is done.
"""

import io
import os
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from xlmkit.core.errors import UserError
from xlmkit.core.files import explained_disk_errors, open_bytes
from xlmkit.core.unfinished import (
    Work,
    begin_part,
    check_unfinished,
    end_part,
    part_of,
    told_how_to_go_on,
)

_BLOCK = 1 << 20  # bytes


class PipedLines:
    """The lines of standard input, of which some may be there long before the next ones come."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._begun = b""
        self.used = False

    @property
    def next_is_to_come(self) -> bool:
        """Whether it is read and all that was there is given."""
        return self.used and not self._lines

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines without their ends."""
        self.used = True
        stream = cast("io.BufferedReader", sys.stdin.buffer)
        while block := stream.read1(_BLOCK):  # what is there, and waits for nothing but the first
            *whole, self._begun = (self._begun + block).split(b"\n")
            self._lines.extend(whole)
            while self._lines:
                yield self._lines.popleft()
        if self._begun:
            yield self._begun


@contextmanager
def input_lines(source: Path | None) -> Iterator[Iterator[str]]:
    """Open a file or, for None, standard input; lines come without their ends.

    An empty input has no lines.

    Raises:
        UserError: the file cannot be read, or a line is not UTF-8.
    """
    if source is None:
        yield _decoded(sys.stdin.buffer, "standard input")
        return
    with open_bytes(source) as stream:
        yield _decoded(stream, str(source))


def check_inputs(sources: Sequence[Path]) -> None:
    """See that all files can be read, before the first of them is.

    Raises:
        UserError: one of them cannot.
    """
    for path in sources:
        if not path.is_fifo():  # which can be opened but once
            with open_bytes(path):
                pass


def lines_of(
    sources: Sequence[Path], piped: PipedLines | None = None
) -> Generator[str, None, None]:
    """Yield the lines of files, one behind the other, or, for none, those of standard input.

    Each is opened when its turn comes, and its end ends a line.

    Args:
        sources: the files.
        piped: reads standard input, to be asked what is there.

    Raises:
        UserError: as `input_lines`.
    """
    if not sources:
        yield from _decoded(piped or PipedLines(), "standard input")
    for source in sources:
        with input_lines(source) as lines:
            yield from lines


def count_lines(sources: Sequence[Path]) -> int | None:
    """Return how many lines `lines_of` gives; None where something can be read but once.

    The files are read for it: two seconds for ten million lines, on which a model works for hours.

    Raises:
        UserError: a file cannot be read.
    """
    if not sources or not all(path.is_file() and not _is_device(path) for path in sources):
        return None
    return sum(_count(path) for path in sources)


def _count(path: Path) -> int:
    with open_bytes(path) as stream:
        return sum(1 for _ in stream)


def _is_device(path: Path) -> bool:
    """Tell whether a path leads to an open stream that only looks like a file, as on macOS."""
    return path.resolve().is_relative_to("/dev")


def _decoded(stream: Iterable[bytes], name: str) -> Iterator[str]:
    for number, line in enumerate(stream, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise UserError(
                f"{name}, line {number}, is not UTF-8; convert it, for instance with iconv."
            ) from None


@contextmanager
def output_lines(
    target: Path | None,
    *,
    resume: bool = False,
    work: Work | None = None,
    numbered: bool = False,
) -> Iterator[tuple[IO[str], int]]:
    """Open a file or, for None, standard output; yields also how many texts are done already.

    Args:
        target: the file.
        resume: go on behind the whole lines of an earlier call that did not finish.
        work: by what the lines are made; None where a call always begins again.
        numbered: whether a text has several lines, which begin with its number and a tab, and not
            one.

    Raises:
        UserError: the file cannot be written, standard output is to go on, or an earlier call did
            other work, is not to go on or was finished.
    """
    if target is None:
        if resume:
            raise UserError(
                "--resume needs --output: only a file tells how far the last call came."
            )
        yield sys.stdout, 0
        return
    part = part_of(target)
    check_unfinished(target, resume=resume)
    with explained_disk_errors(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        done = 0
        if work is not None:
            done, end = _done(part, numbered=numbered) if part.exists() else (0, 0)
            begin_part(target, work, done, resume=resume, what="texts" if numbered else "lines")
            if done:
                os.truncate(part, end)
        with (
            told_how_to_go_on(work),
            part.open("a" if done else "w", encoding="utf-8", newline="\n") as stream,
        ):
            yield stream, done
            stream.flush()
            os.fsync(stream.fileno())
        end_part(target)


def _done(path: Path, *, numbered: bool) -> tuple[int, int]:
    """Return how many texts are done, and where they end in bytes.

    A line that was not finished is not done, nor is the last text of a numbered output, to which
    more lines may belong. A line without a number is of a call that wrote none, and a text.
    """
    done = end = place = 0
    last = b""
    with path.open("rb") as stream:
        for line in stream:
            if not line.endswith(b"\n"):
                break
            number = line.partition(b"\t")[0] if numbered else b""
            if not number.isdigit():
                done, end = done + 1, place + len(line)
            elif number != last:
                done, end, last = done + bool(last), place, number
            place += len(line)
    return done, end
