"""Questions about texts, and the section that names where they are: the layout of SQuAD."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from pydantic import Field, model_validator

from xlmkit.core.config import Config
from xlmkit.data.source_base import LANGUAGE_MARK, LanguageCode


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    Attributes:
        text: as the file has it.
        start: its first character in the context, as the file says; -1 where it does not.
    """

    text: str
    start: int = -1

    def place(self, context: str) -> tuple[int, int] | None:
        """Return the first character and the one behind the last, None where it does not occur.

        Where the file is wrong about the place, the occurrence nearest to it is taken.
        """
        text = self.text.strip()
        start = max(self.start, 0) + len(self.text) - len(self.text.lstrip())
        if not text:
            return None
        if self.start < 0 or not context.startswith(text, start):
            after, before = context.find(text, start), context.rfind(text, 0, start + len(text))
            found = [place for place in (before, after) if place >= 0]
            if not found:
                return None
            start = min(found, key=lambda place: abs(place - start))
        return start, start + len(text)


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a text.

    Attributes:
        id: what the file calls it.
        language: of the context and its answers.
        text: the question.
        context: where the answer is sought, as it was written.
        answers: any of them is right; empty where the context does not answer the question.
        asked_in: the language of the question.
    """

    id: str
    language: str
    text: str
    context: str
    answers: tuple[Answer, ...] = ()
    asked_in: str = ""

    def __post_init__(self) -> None:
        """Ask in the language of the context where no other is given."""
        object.__setattr__(self, "asked_in", self.asked_in or self.language)

    def place(self) -> tuple[int, int] | None:
        """Return where the first answer that occurs in the context stands, None if none does."""
        places = (answer.place(self.context) for answer in self.answers)
        return next((place for place in places if place), None)


class QuestionSource(Config):
    """Questions in the layout of SQuAD 1.1 or 2.0, from a file or from Hugging Face."""

    kind: Literal["squad"] = "squad"
    """The layout."""
    path: str | None = None
    """A file of SQuAD's JSON, or .jsonl with a question a line; may have {language} in it."""
    dataset: str | None = None
    """In place of a path: a Hugging Face dataset, by name or as a local folder."""
    subset: str | None = None
    """The dataset's configuration; may have {language} in it."""
    split: str = "train"
    """The dataset's split."""
    revision: str | None = None
    """The dataset's commit, tag or branch."""
    language: LanguageCode | None = None
    """The language of the contexts, and of the questions; needed unless {language} says it."""
    question_language: LanguageCode | None = Field(None, exclude_if=lambda code: code is None)
    """The language of the questions, where it is another one (MLQA has files of each two)."""
    languages: tuple[LanguageCode, ...] | None = None
    """Read only these languages of the source."""
    name: str | None = None
    """What reports call this source; by default made from its path or dataset."""

    @model_validator(mode="after")
    def _one_place_and_language(self) -> "QuestionSource":
        if (self.path is None) == (self.dataset is None):
            raise ValueError("give either a path or a dataset")
        if (self.language is None) != (LANGUAGE_MARK in f"{self.path}{self.subset}"):
            raise ValueError(
                f"give either the language, or {LANGUAGE_MARK} in the path or the subset"
            )
        return self

    @property
    def place(self) -> str:
        """Where the questions are, as the recipe says it."""
        return self.path or self.dataset or ""

    @property
    def title(self) -> str:
        """What reports call this source."""
        return self.name or PurePosixPath(self.place).name
