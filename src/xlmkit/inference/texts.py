"""The texts of a file or a pipe, each with its language: plain lines, TSV, CSV or JSON lines."""

import csv
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any, Literal

from xlmkit.core.errors import UserError
from xlmkit.core.streams import input_lines
from xlmkit.data.inputs import json_value
from xlmkit.data.tables import LONGEST_FIELD, with_behind

TextFormat = Literal["lines", "tsv", "csv", "jsonl"]

_ENDINGS: dict[str, TextFormat] = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}

Text = tuple[Any, str]
"""A text, or several that are read together, or a list of its words, and the language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Where texts are read from.

    Every line is one text, an empty one as well, so that results can be counted off against lines;
    of CSV it is every row, which may have several lines.

    Attributes:
        path: the file, plain or compressed; None reads standard input.
        lang: the language of all texts, if they have one.
        form: plain `lines`, `tsv`, `csv` or `jsonl`; by default what the file's ending says.
        text: the column of the text: in a table a number from 0, or a name, which then stands in
            the first row; in JSON lines a key.
        language: the column of the language, where each text has its own.
        words: whether JSON lines may hold a list of words in place of a text.
        beside: the columns of what is read beside the text: the second of a pair, or choices.
        append: the columns of what is put behind the text.
    """

    path: Path | None
    lang: str | None = None
    form: TextFormat | None = None
    text: str | None = None
    language: str | None = None
    words: bool = False
    beside: tuple[str, ...] = ()
    append: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.lang is None) == (self.language is None):
            raise UserError(
                "Name the language of the texts with --lang, or with --lang-column the column "
                "that says it; one of the two."
            )
        named = (self.text, self.language, *self.beside, *self.append)
        if self._form == "lines" and any(column is not None for column in named):
            raise UserError("Plain lines have no columns; choose --format tsv, csv or jsonl.")
        if self._form == "csv" and self.text is None:
            raise UserError(
                "Say with --text-column which column of the CSV is the text: by name where the "
                "first row names the columns, and by number from 0 where it does not."
            )

    @contextmanager
    def read(self, known: Collection[str] | None = None) -> Iterator[Iterator[Text]]:
        """Open the source; texts come one by one.

        Args:
            known: the languages that a column may name; None means all.

        Raises:
            UserError: the file cannot be read, or a line has not what it should or is in another
                language; it is named.
        """
        with input_lines(self.path) as lines:
            yield self._parsed(lines, known)

    def of_pairs(self, first: str, second: str) -> "Texts":
        """Return the same with two texts on each line, in JSON lines under these keys.

        Raises:
            UserError: the source is no JSON lines and does not say where the second text is.
        """
        if self.beside:
            return self
        if self._form != "jsonl":
            raise UserError(
                f"This model reads two texts, {first} and {second}: name JSON lines (.jsonl) that "
                "have both, or columns with --text-column and --second-column."
            )
        return replace(self, text=first, beside=(second,))

    @property
    def _form(self) -> TextFormat:
        if self.form is not None:
            return self.form
        suffixes = [suffix.lower() for suffix in PurePath(self.path or "").suffixes]
        if ".json" in suffixes:
            raise UserError(
                f"{self.path} may be JSON lines or one document: say --format jsonl if each of its "
                "lines is an object with a text, and else write it so."
            )
        return next((_ENDINGS[ending] for ending in suffixes if ending in _ENDINGS), "lines")

    def _parsed(self, lines: Iterator[str], known: Collection[str] | None) -> Iterator[Text]:
        form, where = self._form, str(self.path or "standard input")
        first = self.text or ("text" if form == "jsonl" else "0")
        columns = [first, *self.append, *self.beside]
        asked = columns if self.language is None else [*columns, self.language]
        rows = _rows(lines, form, where)
        places = asked if form == "jsonl" else _places(asked, rows, where)
        for number, row in rows:
            try:
                found = json_value(row[0]) if form == "jsonl" else row
                text, language = self._picked(found, places)
            except (LookupError, TypeError, ValueError) as error:
                mend = "name them with --text-column and --lang-column"
                if len(columns) > 1:
                    mend = f"every line needs {' and '.join(columns)}"
                raise UserError(
                    f"{where}, line {number}, is no {form.upper()} with the columns asked for "
                    f"({_reason(error)}); {mend}."
                ) from None
            if self.language is not None and known is not None and language not in known:
                raise UserError(
                    f"{where}, line {number}: the model does not know the language {language!r}, "
                    f"only {', '.join(known)}."
                )
            yield text, language

    def _picked(self, row: Any, places: Sequence[Any]) -> Text:  # noqa: ANN401 - JSON
        text, *others = [row[place] for place in places]
        behind, beside = others[: len(self.append)], others[len(self.append) :]
        found = [with_behind(text, behind), *beside]
        if not all(isinstance(one, str) or self._is_list(one) for one in found):
            raise TypeError("not a string")
        language = self.lang if self.language is None else found.pop()
        return (tuple(found) if self.beside else found[0]), str(language)

    def _is_list(self, text: object) -> bool:
        return self.words and isinstance(text, list) and all(isinstance(w, str) for w in text)


def _rows(lines: Iterator[str], form: TextFormat, where: str) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of each line, or row of CSV; without columns it is one cell.

    Raises:
        UserError: it is no CSV.
    """
    if form != "csv":
        for number, line in enumerate(lines, start=1):
            yield number, line.split("\t") if form == "tsv" else [line]
        return
    csv.field_size_limit(LONGEST_FIELD)
    rows = csv.reader((f"{line}\n" for line in lines), strict=True)
    try:
        for cells in rows:
            if cells:
                yield rows.line_num, cells
    except csv.Error as error:
        raise UserError(
            f"{where} is no CSV up to line {rows.line_num} ({error}); a field with a comma or a "
            'quotation mark in it stands in quotation marks, and inside the mark is doubled ("").'
        ) from None


def _reason(error: Exception) -> str:
    if isinstance(error, IndexError):
        return "it has too few"
    return f"there is no {error}" if isinstance(error, KeyError) else str(error)


def _places(columns: Sequence[str], rows: Iterator[tuple[int, list[str]]], where: str) -> list[int]:
    """Return where columns stand in a table; if one is no number, the first row names them.

    Raises:
        UserError: a name is not there.
    """
    named = not all(map(str.isdecimal, columns))
    names = next(rows, (0, list[str]()))[1] if named else []
    for column in columns:
        if not column.isdecimal() and column not in names:
            raise UserError(
                f"{where} has no column {column!r}; its first row names {', '.join(names)}."
            )
    return [int(column) if column.isdecimal() else names.index(column) for column in columns]
