"""Outputs that are not finished: where they lie, and by what work they were begun.

An output is written to `NAME.part`. Beside it `NAME.part.json` says what was asked for, so that
another call does not go on with the work of this one. Where a link is named, they lie beside the
file that it leads to.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice, product
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.core.files import PACKED, PACKED_OTHERWISE, place_of, read_json, write_json

Work = Mapping[str, object]
"""What decides about the lines of an output, by name; compared as text."""


def part_of(target: Path) -> Path:
    """Return where an output lies until it is whole.

    Raises:
        UserError: the output is a device or a pipe.
    """
    place = place_of(target)
    return place.with_name(f"{place.name}.part")


def _note_of(target: Path) -> Path:
    return part_of(target).with_suffix(".part.json")


def work_of(command: str, model: Path, sources: Sequence[Path], **settings: object) -> Work:
    """Return what a call does, for `begin_part`.

    Args:
        command: its verb.
        model: the folder; one that was written again is another.
        sources: what is read, in this order; none for standard input.
        **settings: all else that decides about the output.
    """
    times = [path.stat().st_mtime_ns for path in model.glob("*") if path.is_file()]
    read = [path.stat() if path.is_file() else None for path in sources]
    return {
        "command": command,
        "model": model.resolve(),
        "time of the model": max(times, default=0),
        "source": _each(path.resolve() for path in sources),
        "size of the source": _each(one and one.st_size for one in read),
        "time of the source": _each(one and one.st_mtime_ns for one in read),
        **settings,
    }


def _each(values: Iterable[object]) -> str | None:
    """Return something of every source, None without any."""
    return ", ".join(map(str, values)) or None


def begin_part(target: Path, work: Work, done: int, *, resume: bool, what: str = "lines") -> None:
    """Note by what work an output is begun, or see that it is the same that goes on.

    Args:
        target: the output.
        work: what is asked for.
        done: lines that an earlier call has written.
        resume: whether to go on behind them.
        what: what they are, where they are no lines.

    Raises:
        UserError: they are there and are not to be gone on with, or were other work.
    """
    part, wanted = part_of(target), {name: str(value) for name, value in work.items()}
    if not done:
        write_json(_note_of(target), wanted)
        return
    if not resume:
        raise UserError(
            f"{part} has {done:,} {what} of an earlier call: --resume goes on behind them; to "
            "begin again, delete it."
        )
    if not _note_of(target).is_file():
        raise UserError(f"Nothing says what call began {part}; delete it and begin again.")
    begun = read_json(_note_of(target))
    for name in (*wanted, *begun):
        if wanted.get(name) != begun.get(name):
            raise UserError(
                f"{part} was begun with another {name}: {begun.get(name)}, and not "
                f"{wanted.get(name)}; go on with the same, or delete it and begin again."
            )


def check_unfinished(target: Path, *, resume: bool) -> None:
    """See that there is something to go on with, where that is asked for.

    Raises:
        UserError: the output is finished.
    """
    if resume and target.exists() and not part_of(target).exists():
        raise UserError(
            f"{target} is finished, with nothing to go on with; to write it anew, leave out "
            "--resume."
        )


def end_part(target: Path) -> None:
    """Give a whole output its name."""
    part_of(target).replace(place_of(target))
    with suppress(FileNotFoundError):
        _note_of(target).unlink()


@contextmanager
def told_how_to_go_on(work: Work | None) -> Iterator[None]:
    """Say, when a call is stopped, that `--resume` goes on, if it does."""
    try:
        yield
    except KeyboardInterrupt:
        if work is None:
            raise
        raise KeyboardInterrupt("the same command with --resume goes on") from None


def check_output(
    sources: Iterable[Path | None], target: Path | None, option: str = "--output"
) -> None:
    """See that an output can be written, and is none of its own inputs.

    Args:
        sources: all that is read; None for what is no file or not asked for.
        target: the output.
        option: by which it is named.

    Raises:
        UserError: it is a folder, a device or a pipe, or below a file, or an input, or has the
            ending of a compressed file.
    """
    if target is None:
        return
    name_a_file = f"give {option} the name of a file"
    if target.is_dir():
        raise UserError(f"{target} is a folder; {name_a_file}.")
    if target.suffix in (*PACKED, *PACKED_OTHERWISE):
        raise UserError(
            f"{target} is the name of a compressed file, but what is written is not compressed; "
            f"give {option} {target.with_suffix('')} and compress that file."
        )
    piped = "leave out --output and redirect standard output instead"
    place = place_of(target, piped if option == "--output" else name_a_file)
    above = next(path for path in place.parents if path.exists())
    if not above.is_dir():
        raise UserError(f"{above} is a file and no folder; give {option} another place.")
    if not os.access(above, os.W_OK):
        raise UserError(f"{above} must not be written to; give {option} another place.")
    read = {str(source): source.stat() for source in filter(None, sources) if source.exists()}
    with suppress(OSError):  # it may be closed
        read["standard input"] = os.fstat(0)
    for (name, source), path in product(read.items(), (target, part_of(target))):
        if path.exists() and os.path.samestat(source, path.stat()):
            raise UserError(
                f"{target} would be written over {name}, which is read; give {option} another name."
            )


def skip(items: Iterator[Any], done: int) -> None:
    """Pass over what an earlier call has done.

    Raises:
        UserError: there is less.
    """
    passed = sum(1 for _ in islice(items, done))
    if passed < done:
        raise UserError(
            f"An earlier call has written {done:,} lines, but the text has only {passed:,}; go on "
            "with the same text, or delete the output's .part and begin again."
        )
