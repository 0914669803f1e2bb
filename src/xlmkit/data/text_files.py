"""Readers of text by lines: plain text, line-aligned translations, TSV and JSON lines."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.core.files import open_lines
from xlmkit.data.inputs import Reading, find_files, lenient_lines
from xlmkit.data.records import Record
from xlmkit.data.sources import (
    Column,
    JsonlSource,
    LineSource,
    ParallelSource,
    TableSource,
    TextSource,
    TsvSource,
)
from xlmkit.text.languages import language


def read_text(source: TextSource, reading: Reading) -> Iterator[Record]:
    """Yield the non-empty lines of plain text files.

    Raises:
        UserError: a file is missing, empty or not UTF-8.
    """
    if source.language not in reading.languages:
        return
    title = source.title
    for path in find_files(source.path, reading.base):
        shown = reading.shown(path)
        for number, line in _lines(path, source, reading):
            if line.strip():
                place = f"{shown}:{number}"
                yield Record({source.language: line}, title, place, source.label)


def read_parallel(source: ParallelSource, reading: Reading) -> Iterator[Record]:
    """Yield the lines of aligned files; an empty line leaves its language out of the record.

    Raises:
        UserError: a file is missing, empty or not UTF-8, or they have different numbers of lines.
    """
    codes = [code for code in reading.languages if code in source.paths]
    paths = [_single_file(source.paths[code], reading) for code in codes]
    title, shown = source.title, reading.shown(paths[0]) if paths else ""
    for numbered in zip_longest(*(_lines(path, source, reading) for path in paths)):
        if None in numbered:
            raise UserError(_different_lengths(paths))
        texts = {
            code: line
            for code, (_, line) in zip(codes, numbered, strict=True)
            if line and not line.isspace()
        }
        if texts:
            yield Record(texts, title, f"{shown}:{numbered[0][0]}", source.label)


def _lines(path: Path, source: LineSource, reading: Reading) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines that a source wants of a file."""
    first, last = source.lines or (1, None)
    return islice(lenient_lines(path, reading), first - 1, last)


def _single_file(pattern: str, reading: Reading) -> Path:
    files = find_files(pattern, reading.base)
    if len(files) > 1:
        raise UserError(f"{pattern} means {len(files)} files; parallel text takes one a language.")
    return files[0]


def _different_lengths(paths: list[Path]) -> str:
    counts = [sum(1 for _ in open_lines(path, on_undecodable=lambda _: None)) for path in paths]
    said = " and ".join(f"{path} has {n:,}" for path, n in zip(paths, counts, strict=True))
    return f"Line-aligned files need the same number of lines, but {said}."


def read_tsv(source: TsvSource, reading: Reading) -> Iterator[Record]:
    """Yield the rows of tab-separated files; rows with too few columns are counted as bad.

    Raises:
        UserError: a file is missing, empty or not UTF-8, or its header lacks a named column.
    """
    table = Table(source, reading)
    for path in find_files(source.path, reading.base):
        shown = reading.shown(path)
        lines = lenient_lines(path, reading)
        names: dict[Column, int] = {}
        if source.header:
            names = {name: i for i, name in enumerate(next(lines)[1].split("\t"))}
            missing = [column for column in table.used if _position(column, names) is None]
            if missing:
                there = ", ".join(map(str, names))
                raise UserError(f"{path} has no column {missing[0]!r}; its header names {there}.")
        width = 1 + max(_position(column, names) or 0 for column in table.used)
        for number, line in lines:
            if not line.strip():
                continue
            place = f"{shown}:{number}"
            cells = line.split("\t")
            if len(cells) < width:
                reading.bad.add("too few columns", place)
                continue
            row = {column: cells[_position(column, names) or 0] for column in table.used}
            if record := table.record(row, place):
                yield record


def _position(column: Column, names: Mapping[Column, int]) -> int | None:
    return column if isinstance(column, int) else names.get(column)


def read_jsonl(source: JsonlSource, reading: Reading) -> Iterator[Record]:
    """Yield the objects of JSON-lines files; lines that are no JSON object are counted as bad.

    Raises:
        UserError: a file is missing, empty or not UTF-8.
    """
    table = Table(source, reading)
    for path in find_files(source.path, reading.base):
        shown = reading.shown(path)
        for number, line in lenient_lines(path, reading):
            if not line.strip():
                continue
            place = f"{shown}:{number}"
            try:
                value = json.loads(line)
            except (json.JSONDecodeError, RecursionError):
                reading.bad.add("invalid JSON", place)
                continue
            if not isinstance(value, dict):
                reading.bad.add("not a JSON object", place)
            elif record := table.record(table.pick(value), place):
                yield record


class Table:
    """Makes records of the rows of a table, whichever kind of file the table is in."""

    def __init__(self, source: TableSource, reading: Reading) -> None:
        """Prepare for the rows of one source."""
        self.source = source
        self.title = source.title
        self.reading = reading
        self.columns: Mapping[str, Column] = {
            code: column
            for code, column in (source.columns or {}).items()
            if code in reading.languages
        }
        single = [source.text, source.language_column, source.label_column]
        self.used: list[Column] = [
            *self.columns.values(),
            *(column for column in single if column is not None),
        ]

    def pick(self, value: Mapping[str, Any]) -> dict[Column, Any]:
        """Return the used columns of a nested object; a dot in a name reaches inside."""
        row: dict[Column, Any] = {}
        for column in self.used:
            inner: Any = value.get(str(column))
            if inner is None and "." in str(column):
                inner = value
                for part in str(column).split("."):
                    inner = inner.get(part) if isinstance(inner, Mapping) else None
            row[column] = inner
        return row

    def record(self, row: Mapping[Column, Any], place: str) -> Record | None:
        """Return the record of a row, or nothing if no wanted language has a text in it."""
        texts = self._texts(row, place)
        if any(not isinstance(text, str) for text in texts.values() if text is not None):
            self.reading.bad.add("a text that is not a string", place)
            return None
        texts = self.reading.in_order(texts)
        if not texts:
            return None
        label = self.source.label
        if self.source.label_column is not None:
            value = row[self.source.label_column]
            label = None if value is None or value == "" else str(value)
        return Record(texts, self.title, place, label)

    def _texts(self, row: Mapping[Column, Any], place: str) -> dict[str, Any]:
        if self.source.text is None:
            return {code: row[column] for code, column in self.columns.items()}
        text = row[self.source.text]
        if self.source.language is not None:
            return {self.source.language: text}
        code = row[self.source.language_column or 0]
        known = _language_of(code)
        if known is None:
            self.reading.bad.add("unknown language", place)
            return {}
        return {known: text}


def _language_of(code: object) -> str | None:
    try:
        return language(str(code)).code
    except UserError:
        return None
