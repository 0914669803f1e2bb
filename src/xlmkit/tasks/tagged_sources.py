"""Where sentences with a tag for each word come from: what a recipe may write.

This module only says it; `tagged_reading` reads.
"""

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, model_validator

from xlmkit.core.config import Config
from xlmkit.data.source_base import LANGUAGE_MARK, LanguageCode

MAY_BE_NONE = "FEATS"
"""The column where `_` says that a word has no features; elsewhere it says that it is untagged."""


class TaggedSource(Config):
    """What all sources of tagged sentences have in common."""

    name: str | None = None
    """What messages call this source; by default made from its path."""
    language: LanguageCode | None = None
    """The language of the sentences; needed unless the path has {language} in it."""
    languages: tuple[LanguageCode, ...] | None = None
    """Read only these languages of the source."""

    @property
    def place(self) -> str:
        """Where the sentences are, as the recipe says it."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """What messages call this source."""
        return self.name or PurePosixPath(self.place).name or self.place

    @model_validator(mode="after")
    def _one_language(self) -> "TaggedSource":
        if (self.language is None) != (LANGUAGE_MARK in self.place):
            raise ValueError(f"give either the language or {LANGUAGE_MARK} in the path")
        return self


class TaggedFile(TaggedSource):
    """What files of tagged sentences have in common."""

    path: str
    """A file, or a pattern such as */train.txt.gz, or with {language} in it."""

    @property
    def place(self) -> str:
        """Where the sentences are, as the recipe says it."""
        return self.path


class ConlluSource(TaggedFile):
    """A treebank in CoNLL-U, or CoNLL-U Plus with its own columns."""

    kind: Literal["conllu"]
    column: str = "UPOS"
    """The column of the tag, by its name: UPOS, XPOS, FEATS, DEPREL, or one that the file declares.
    Of FEATS, `_` is a tag, that of no features; in other columns it is none."""


class ConllSource(TaggedFile):
    """A file with a word and its tag on each line, an empty line behind each sentence."""

    kind: Literal["conll"]
    token: int = 0
    """The column of the word, from 0; negative ones count from the end."""
    tag: int = -1
    """The column of the tag, likewise."""
    prefix: bool = False
    """Words begin with their language, as in PAN-X: en:Paris."""


class ListsJsonlSource(TaggedFile):
    """A file with one JSON object a line that holds a list of words and one of tags."""

    kind: Literal["jsonl"]
    tokens: str = "tokens"
    """The key of the words; a dot reaches inside."""
    tags: str = "tags"
    """The key of the tags."""
    names: tuple[str, ...] = Field((), exclude_if=lambda names: not names)
    """What tags that are numbers are called, from 0 on: [O, B-PER, I-PER]."""


class ListsHubSource(TaggedSource):
    """A Hugging Face dataset with lists of words and of tags; numbers of tags become names."""

    kind: Literal["hub"]
    dataset: str
    """A name on the hub, or a folder; may have {language} in it, which becomes en, sw, ..."""
    subset: str | None = None
    """The configuration of the dataset, where it has several; may have {language} in it."""
    split: str = "train"
    """The part of the dataset to read."""
    revision: str | None = None
    """The commit or tag to read, so that the data stays the same."""
    tokens: str = "tokens"
    """The column of the words."""
    tags: str = "tags"
    """The column of the tags."""
    names: tuple[str, ...] = Field((), exclude_if=lambda names: not names)
    """What tags that are numbers are called, from 0 on, instead of what the dataset calls them."""

    @property
    def place(self) -> str:
        """Where the sentences are, as the recipe says it."""
        return self.dataset if self.subset is None else f"{self.dataset}/{self.subset}"


TaggedSourceKind = Annotated[
    ConlluSource | ConllSource | ListsJsonlSource | ListsHubSource, Field(discriminator="kind")
]
