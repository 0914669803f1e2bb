"""One entry to all readers: a source of a recipe in, its records out."""

import glob
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from xlmkit.core.errors import UserError
from xlmkit.data.columns import Block, Columns
from xlmkit.data.gettext import read_gettext
from xlmkit.data.hub import read_hub
from xlmkit.data.inputs import Reading, find_files
from xlmkit.data.language_files import by_language, every_language
from xlmkit.data.records import Record, blocks, classes_in, labels_in, one_label, several_labels
from xlmkit.data.sources import (
    CsvSource,
    GettextSource,
    HubSource,
    JsonlSource,
    ParallelSource,
    Source,
    TextSource,
    TmxSource,
    TsvSource,
    WheelSource,
)
from xlmkit.data.tables import read_csv, read_jsonl, read_tsv
from xlmkit.data.text_files import read_parallel, read_text, read_text_blocks
from xlmkit.data.tmx import read_tmx
from xlmkit.data.wheels import read_wheel

Found = TypeVar("Found")


def read_source(source: Source, reading: Reading) -> Iterator[Record]:
    """Yield the records of a source, with texts in the order of `reading.languages`.

    Lines that cannot be used are counted in `reading.bad`.

    Raises:
        UserError: the source as a whole cannot be read, or has no text in any wanted language.
    """
    return _read(source, reading, partial(_records, reading=reading))


def read_blocks(source: Source, reading: Reading, characters: int) -> Iterator[Block]:
    """Yield the same records in blocks of about so many characters.

    Raises:
        UserError: as `read_source`.
    """

    def blocks_of(part: Source) -> Iterator[Block]:
        if isinstance(part, TextSource) and part.labels is None and part.label_map is None:
            return read_text_blocks(part, reading, characters)
        return map(Columns.of, blocks(_records(part, reading), characters=characters))

    return _read(source, reading, blocks_of)


def _read(
    source: Source, reading: Reading, read: Callable[[Source], Iterator[Found]]
) -> Iterator[Found]:
    """Yield what a function finds in each part of a source."""
    if not reading.languages:
        raise UserError(
            f"The source {source.title!r} is limited to languages that the recipe does not have."
        )
    found = False
    for part in _parts(source, reading):
        reading.bad.language = getattr(part, "language", None) or ""
        for item in read(part):
            found = True
            yield item
    if not found:
        bad = reading.bad.counts.total()
        others = ", ".join(f"{code} {n}" for code, n in reading.bad.elsewhere.most_common())
        raise UserError(
            f"The source {source.title!r} gave no text in any of the languages "
            f"{', '.join(reading.languages)}"
            + (f"; {bad} of its lines could not be used ({reading.bad.reasons})" if bad else "")
            + (f"; its lines are in {others}: add these to `languages`." if others else ".")
        )


def _records(part: Source, reading: Reading) -> Iterator[Record]:
    records = _reader(part, reading)
    if part.label_map is None:
        return records
    names = {one_label(name): other for name, other in part.label_map.items()}
    return (_relabelled(record, names, reading) for record in records)


def _relabelled(record: Record, names: Mapping[str, str], reading: Reading) -> Record:
    """Return a record with its classes by other names; one that has none there loses its label."""
    given = record.label
    if given is None:
        reading.bad.add("no label", record.where, record.texts)
        return record
    classes = classes_in(given, reading.separator)
    if unknown := [name for name in classes if name not in names]:
        reading.bad.add("label not in label_map", record.where, record.texts, unknown[0])
        return replace(record, label=None)
    known = [names[name] for name in classes]
    listed = labels_in(given) is not None
    return replace(record, label=several_labels(known) if listed else reading.separator.join(known))


def _parts(source: Source, reading: Reading) -> list[Source]:
    """Return a source for each language, where its place names the language."""
    if isinstance(source, HubSource) and source.names_language:
        return [source.of(code) for code in reading.languages]
    return by_language(source, reading)


def _reader(source: Source, reading: Reading) -> Iterator[Record]:
    match source:
        case TextSource():
            return read_text(source, reading)
        case ParallelSource():
            return read_parallel(source, reading)
        case TsvSource():
            return read_tsv(source, reading)
        case CsvSource():
            return read_csv(source, reading)
        case JsonlSource():
            return read_jsonl(source, reading)
        case TmxSource():
            return read_tmx(source, reading)
        case GettextSource():
            return read_gettext(source, reading)
        case WheelSource():
            return read_wheel(source, reading)
        case HubSource():
            return read_hub(source, reading)


def local_files(source: Source, base: Path) -> list[Path]:
    """Return the files on this machine that a source reads, by which a change of it can be told.

    A wheel is told by its hash, and a dataset of the hub by its revision, so that they have none.

    Raises:
        UserError: a file is missing.
    """
    match source:
        case ParallelSource():
            return [file for path in source.paths.values() for file in find_files(path, base)]
        case WheelSource():
            return []
        case HubSource():
            whole = base / Path(every_language(source.dataset)).expanduser()
            folders = map(Path, sorted(glob.glob(str(whole))))  # noqa: PTH207 - may be absolute
            return [file for folder in folders for file in _inside(folder)]
        case TextSource(labels=str() as labels):
            paths = (every_language(source.path), every_language(labels))
            return [file for path in paths for file in find_files(path, base)]
        case _:
            files = find_files(every_language(source.path), base)
            return [file for path in files for file in _inside(path)]


def _inside(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    return [path]
