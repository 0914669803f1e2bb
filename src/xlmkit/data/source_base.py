"""What every source of text has in common, whichever kind of file or place it is."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from xlmkit.core.config import Config
from xlmkit.core.errors import UserError
from xlmkit.core.files import PACKED
from xlmkit.text.languages import language

Markup = Literal["tags", "entities", "placeholders", "accelerators", "links", "code"]
ALL_MARKUP: tuple[Markup, ...] = (
    "tags",
    "entities",
    "placeholders",
    "accelerators",
    "links",
    "code",
)


def _known(code: str) -> str:
    try:
        return language(code).code
    except UserError as error:
        raise ValueError(str(error)) from None  # pydantic adds the place in the recipe


LanguageCode = Annotated[str, AfterValidator(_known)]
Column = int | str
LANGUAGE_MARK = "{language}"
"""Stands in a path for the name of a language, one file for each: en, eng_Latn or english."""
Sha256 = Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")]


class BaseSource(Config):
    """What every kind of source has in common."""

    usual_markup: ClassVar[tuple[Markup, ...]] = ("tags", "entities")

    name: str | None = None
    """What reports call this source; by default made from its path or package."""
    label: str | None = None
    """A class that all records of this source get, for instance the application they are from."""
    label_map: Mapping[str, str] | None = Field(None, min_length=1)
    """Class in the file -> class in the task, where files name classes differently."""
    languages: tuple[LanguageCode, ...] | None = None
    """Read only these languages of the source."""
    one_translation: bool = False
    """Keep only the first translation of a text that has several."""

    @property
    def title(self) -> str:
        """What reports call this source."""
        if self.name is not None:
            return self.name
        name = PurePosixPath(self.place.replace("\\", "/")).name or self.place
        for ending in PACKED:
            name = name.removesuffix(ending)
        return name

    @property
    def place(self) -> str:
        """Where the text is, as the recipe says it."""
        raise NotImplementedError


class LineSource(BaseSource):
    """What files of lines have in common."""

    lines: tuple[int, int] | None = None
    """The first and the last line to read, counted from 1; by default all."""

    @model_validator(mode="after")
    def _in_order(self) -> "LineSource":
        if self.lines is not None and not 1 <= self.lines[0] <= self.lines[1]:
            raise ValueError("lines are counted from 1, and the last is not before the first")
        return self
