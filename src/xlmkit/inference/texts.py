"""The texts of a file or a pipe, each with its language: plain lines, TSV or JSON lines."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any, Literal

from xlmkit.core.errors import UserError
from xlmkit.core.streams import input_lines
from xlmkit.data.inputs import json_value

TextFormat = Literal["lines", "tsv", "jsonl"]

_ENDINGS: dict[str, TextFormat] = {".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}

Text = tuple[Any, str]
"""A text, or several that are read together, or a list of its words, and the language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Where texts are read from.

    Every line is one text, an empty one as well, so that results can be counted off against lines.

    Attributes:
        path: the file, plain or compressed; None reads standard input.
        lang: the language of all texts, if they have one.
        form: plain `lines`, `tsv` or `jsonl`; by default what the file's ending says.
        text: the column of the text: a number from 0 in TSV, a key in JSON lines.
        language: the column of the language, where each text has its own.
        words: whether JSON lines may hold a list of words in place of a text.
        beside: the columns of what is read beside the text: the second of a pair, or choices.
    """

    path: Path | None
    lang: str | None = None
    form: TextFormat | None = None
    text: str | None = None
    language: str | None = None
    words: bool = False
    beside: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.lang is None) == (self.language is None):
            raise UserError(
                "Name the language of the texts with --lang, or with --lang-column the column "
                "that says it; one of the two."
            )
        named = (self.text, self.language, *self.beside)
        if self._form == "lines" and any(column is not None for column in named):
            raise UserError("Plain lines have no columns; choose --format tsv or jsonl.")
        if self._form == "tsv":
            for column in named:
                if column is not None and not column.isdecimal():
                    raise UserError(f"Columns of TSV are numbers from 0, but {column!r} is none.")

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
        suffixes = PurePath(self.path or "").suffixes
        return next((_ENDINGS[ending] for ending in suffixes if ending in _ENDINGS), "lines")

    def _parsed(self, lines: Iterator[str], known: Collection[str] | None) -> Iterator[Text]:
        pick = {"lines": self._whole, "tsv": self._cells, "jsonl": self._keys}[self._form]
        where = self.path or "standard input"
        for number, line in enumerate(lines, start=1):
            try:
                text, language = pick(line)
            except (LookupError, TypeError, ValueError) as error:
                mend = "name them with --text-column and --lang-column"
                if self.beside:
                    mend = f"every line needs {' and '.join((self.text or 'text', *self.beside))}"
                raise UserError(
                    f"{where}, line {number}, is no {self._form.upper()} with the columns asked "
                    f"for ({error}); {mend}."
                ) from None
            if self.language is not None and known is not None and language not in known:
                raise UserError(
                    f"{where}, line {number}: the model does not know the language {language!r}, "
                    f"only {', '.join(known)}."
                )
            yield text, language

    def _whole(self, line: str) -> Text:
        return line, str(self.lang)

    def _cells(self, line: str) -> Text:
        cells = line.split("\t")
        language = self.lang if self.language is None else cells[int(self.language)]
        texts = [cells[int(column)] for column in (self.text or "0", *self.beside)]
        return (tuple(texts) if self.beside else texts[0]), str(language)

    def _is_list(self, text: object) -> bool:
        return self.words and isinstance(text, list) and all(isinstance(w, str) for w in text)

    def _keys(self, line: str) -> Text:
        row = json_value(line)
        texts = [row[key] for key in (self.text or "text", *self.beside)]
        language = self.lang if self.language is None else row[self.language]
        if not all(isinstance(text, str) or self._is_list(text) for text in (*texts, language)):
            raise TypeError("not a string")
        return (tuple(texts) if self.beside else texts[0]), str(language)
