"""Lines in, lines out: files and pipes of any length, and an output that goes on after a stop.

A named output is written beside its name, to `NAME.part`, and takes it when all is done.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from xlmkit.core.errors import UserError
from xlmkit.core.files import explained_disk_errors, open_bytes
from xlmkit.core.unfinished import Work, begin_part, end_part, part_of, told_how_to_go_on


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


def _decoded(stream: Iterable[bytes], name: str) -> Iterator[str]:
    for number, line in enumerate(stream, start=1):
        try:
            yield line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise UserError(
                f"{name}, line {number}, is not UTF-8; convert it, for instance with iconv."
            ) from None


@contextmanager
def output_lines(
    target: Path | None, *, resume: bool = False, work: Work | None = None
) -> Iterator[tuple[IO[str], int]]:
    """Open a file or, for None, standard output; yields also how many lines are there already.

    Args:
        target: the file.
        resume: go on behind the whole lines of an earlier call that did not finish.
        work: by what the lines are made; None where a call always begins again.

    Raises:
        UserError: the file cannot be written, standard output is to go on, or an earlier call did
            other work or is not to go on.
    """
    if target is None:
        if resume:
            raise UserError(
                "--resume needs --output: only a file tells how far the last call came."
            )
        yield sys.stdout, 0
        return
    part = part_of(target)
    with explained_disk_errors(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        if work is None:
            done = 0
        else:
            done = _keep_whole_lines(part) if part.exists() else 0
            begin_part(target, work, done, resume=resume)
        with (
            told_how_to_go_on(work),
            part.open("a" if done else "w", encoding="utf-8", newline="\n") as stream,
        ):
            yield stream, done
            stream.flush()
            os.fsync(stream.fileno())
        end_part(target)


def _keep_whole_lines(path: Path) -> int:
    """Cut off a line that was not finished, and return how many there are."""
    done = end = 0
    with path.open("r+b") as stream:
        for line in stream:
            if line.endswith(b"\n"):
                done, end = done + 1, end + len(line)
        stream.truncate(end)
    return done
