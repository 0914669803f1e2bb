"""Readers of tables: TSV, CSV and JSON lines."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.data.inputs import Reading, find_files, json_value, lenient_lines
from xlmkit.data.measures import is_blank
from xlmkit.data.records import Record, one_label, several_labels
from xlmkit.data.source_base import Column
from xlmkit.data.sources import CsvSource, JsonlSource, TableSource, TsvSource
from xlmkit.text.languages import language

_TOO_FEW = "too few columns"
_UNKNOWN = "unknown language"
LONGEST_FIELD = 1 << 24  # characters
_MANY_LINES = 10  # of a row; longer ones are told, since a quote may not have been meant as one
_GLUED = f"row of more than {_MANY_LINES} lines, but kept"
_QUOTED = (
    'it has fields that begin with " and go on in the next line; such files want kind: csv, with '
    'separator: "\\t" where tabs part their columns'
)


def read_tsv(source: TsvSource, reading: Reading) -> Iterator[Record]:
    """Yield the rows of tab-separated files; rows with too few columns are counted as bad.

    Raises:
        UserError: a file is missing, empty or not UTF-8, or its header lacks a named column.
    """
    table = Table(source, reading)
    for path in find_files(source.path, reading.base):
        shown = reading.shown(path)
        lines = lenient_lines(path, reading)
        names = _header(table, path, next(lines)[1].split("\t")) if source.header else {}
        for number, line in lines:
            cells = line.split("\t")
            if _is_open(cells[-1]):
                reading.bad.mends[_TOO_FEW] = _QUOTED
            if line.strip() and (record := table.cells(cells, names, f"{shown}:{number}")):
                yield record


def read_csv(source: CsvSource, reading: Reading) -> Iterator[Record]:
    """Yield the rows of files with quoted columns; rows with too few columns are counted as bad.

    Raises:
        UserError: a file is missing, empty or not UTF-8, or its header lacks a named column.
    """
    table = Table(source, reading)
    csv.field_size_limit(LONGEST_FIELD)
    for path in find_files(source.path, reading.base):
        shown = reading.shown(path)
        lines = (f"{line}\n" for _, line in lenient_lines(path, reading))
        rows = csv.reader(lines, delimiter=source.separator)
        try:
            names = _header(table, path, next(rows)) if source.header else {}
            before, glued = rows.line_num, _GluedRows()
            for cells in rows:
                if is_glued := rows.line_num - before > _MANY_LINES:
                    glued.add(before + 1, rows.line_num - before)
                before = rows.line_num
                if any(cells) and (record := table.cells(cells, names, f"{shown}:{rows.line_num}")):
                    if is_glued:
                        reading.bad.keep(_GLUED, record.texts)
                    yield record
        except csv.Error as error:
            raise UserError(f"{path}:{rows.line_num} is no CSV: {error}.") from None
        glued.tell(shown, source.separator)


@dataclass(slots=True)
class _GluedRows:
    """Rows of a file that a quoted field makes long, so that it may have swallowed others.

    Attributes:
        n: how many.
        first: the line at which the first begins.
        longest: lines of the longest.
    """

    n: int = 0
    first: int = 0
    longest: int = 0

    def add(self, start: int, lines: int) -> None:
        """Count one that begins at a line and has so many."""
        self.n += 1
        self.first = self.first or start
        self.longest = max(self.longest, lines)

    def tell(self, shown: str, separator: str) -> None:
        """Say how many a file has, if any, whose columns are parted so."""
        if self.n:
            rows = "1 row has" if self.n == 1 else f"{self.n:,} rows have"
            longest = f"{self.longest:,}" if self.n == 1 else f"up to {self.longest:,}"
            first = ", this the first" if self.n > 1 else ""
            tsv = ", or take kind: tsv, which knows no quotes" if separator == "\t" else ""
            say(
                f"{shown}:{self.first}: {rows} {longest} lines{first}, since a quotation mark "
                f'opens a field there; where it should not, double it (""){tsv}.'
            )


def _is_open(cell: str) -> bool:
    """Tell whether a quoted field begins here and does not end."""
    return cell.startswith('"') and cell.count('"') % 2 == 1


def _header(table: "Table", path: Path, cells: list[str]) -> dict[Column, int]:
    """Return the columns by name.

    Raises:
        UserError: one that the source uses is missing.
    """
    names: dict[Column, int] = {name: place for place, name in enumerate(cells)}
    missing = [column for column in table.used if _position(column, names) is None]
    if missing:
        there = ", ".join(map(str, names))
        raise UserError(f"{path} has no column {missing[0]!r}; its header names {there}.")
    return names


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
                value = json_value(line)
            except ValueError:
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
            *source.beside,
            *source.append,
        ]

    def cells(self, cells: list[str], names: Mapping[Column, int], place: str) -> Record | None:
        """Return the record of a row of cells; one with too few is counted as bad."""
        places = {column: _position(column, names) or 0 for column in self.used}
        if len(cells) <= max(places.values()):
            self.reading.bad.add(_TOO_FEW, place)
            self.reading.bad.mends.setdefault(_TOO_FEW, self._parted)
            return None
        return self.record({column: cells[i] for column, i in places.items()}, place)

    @property
    def _parted(self) -> str:
        """What parts the columns, and how to say that something else does."""
        if isinstance(self.source, CsvSource):
            return f"columns are parted by {self.source.separator!r}; see `separator`"
        return "columns are parted by tabs; others want kind: csv with their `separator`"

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
        given = self._texts(row, place)
        odd = [code for code, text in given.items() if not isinstance(text, str | None)]
        if odd:
            self.reading.bad.add("a text that is not a string", place, odd)
            return None
        texts = self.reading.in_order(given)
        if self.source.label_column is not None:  # of others cleaning counts what is blank
            texts = {code: text for code, text in texts.items() if not is_blank(text)}
        if not texts:
            self._count_empty(row, place, given)
            return None
        label = self.source.label
        if self.source.label_column is not None:
            label = self.label(row[self.source.label_column])
        others = tuple(row[column] for column in self.source.beside)
        if not all(isinstance(text, str) and not is_blank(text) for text in others):
            self.reading.bad.add("an empty second text or choice", place, texts)
            return None
        return Record(texts, self.title, place, label, others)

    def label(self, value: object) -> str | None:
        """Return the label of a row, None where it has none; a list is that of several classes."""
        if isinstance(value, list | tuple):
            return several_labels(value)
        label = "" if value is None else one_label(value)
        if not label and (value is None or not self.reading.empty_labels):
            return None
        return label

    def _count_empty(self, row: Mapping[Column, Any], place: str, languages: Iterable[str]) -> None:
        """Count an empty text that has a label; texts without may well be missing."""
        labelled = self.source.label_column is not None and self.source.text is not None
        if labelled and is_blank(row[self.source.text or 0] or ""):
            self.reading.bad.add("an empty text", place, languages)

    def _texts(self, row: Mapping[Column, Any], place: str) -> dict[str, Any]:
        if self.source.text is None:
            return {code: row[column] for code, column in self.columns.items()}
        text = with_behind(row[self.source.text], [row[column] for column in self.source.append])
        if self.source.language is not None:
            return {self.source.language: text}
        code = row[self.source.language_column or 0]
        known = _language_of(code)
        if known is None:
            self.reading.bad.add(_UNKNOWN, place, value=str(code))
            self.reading.bad.mends[_UNKNOWN] = "write codes such as en, de, zh"
            return {}
        if known not in self.reading.languages and known in (self.source.languages or (known,)):
            self.reading.bad.elsewhere[known] += 1
        return {known: text}


def with_behind(text: Any, others: Sequence[Any]) -> Any:  # noqa: ANN401 - what a file may hold
    """Return a text with others behind it, without those that are empty.

    An empty text stays empty, and what is no text makes a list, which is none either.
    """
    if not others or not text:
        return text
    known = [text, *(other for other in others if other is not None and other != "")]
    return " ".join(known) if all(isinstance(one, str) for one in known) else known


def _language_of(code: object) -> str | None:
    try:
        return language(str(code)).code
    except UserError:
        return None
