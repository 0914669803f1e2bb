"""What is explained: a model of any family with a head, and how it is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from xlmkit.core.errors import UserError
from xlmkit.evaluate.answers import Answering
from xlmkit.evaluate.scoring import Scoring
from xlmkit.explain.explanation import Kind
from xlmkit.explain.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A text, and what is read with it.

    Attributes:
        text: the text; of a question, the context.
        language: of all texts.
        second: the second text of a pair.
        choices: texts of which one goes with the text.
        question: what the text answers.
        question_language: its language, where it is another one; for xlmkit's own models.
        spaces: that spaces alone stand between words, for taggers.
    """

    text: str
    language: str
    second: str | None = None
    choices: Sequence[str] = ()
    question: str | None = None
    question_language: str | None = None
    spaces: bool = False

    def check(self, kind: Kind, pairs: bool | None = None) -> None:
        """See that what is given is what this kind of model reads.

        Args:
            kind: what the model says.
            pairs: whether it judges two texts together, None where nobody knows.

        Raises:
            UserError: it is not.
        """
        if (self.question is not None) != (kind == "answer"):
            raise UserError(
                "A model that answers questions needs --question, and --text is the context."
                if kind == "answer"
                else "This model answers no questions; leave out --question."
            )
        if self.question_language is not None and kind != "answer":
            raise UserError("This model answers no questions; leave out --question-lang.")
        if bool(self.choices) != (kind == "choice"):
            raise UserError(
                "A model that chooses needs the choices: --choice, two times or more."
                if kind == "choice"
                else "This model does not choose among texts; leave out --choice."
            )
        if len(self.choices) == 1:
            raise UserError("One choice is none; give --choice two times or more.")
        single = pairs is False or kind in ("answer", "choice", "tags")
        if self.second is not None and single:
            raise UserError("This model reads no pairs; leave out --second.")
        if self.second is None and pairs and not single:
            raise UserError("This model reads pairs of texts; give the other one by --second.")

    @property
    def texts(self) -> list[str]:
        """All texts, in the order in which they are read."""
        if self.question is not None:
            return [self.question, self.text]
        return [self.text, *([] if self.second is None else [self.second]), *self.choices]

    @property
    def rows(self) -> list[tuple[int, ...]]:
        """Of each sequence the numbers of its texts."""
        if self.choices:
            return [(0, 1 + number) for number in range(len(self.choices))]
        return [tuple(range(len(self.texts)))]


class Subject(Protocol):
    """A model with a head."""

    @property
    def kind(self) -> Kind:
        """What it says."""
        ...

    @property
    def scoring(self) -> Scoring:
        """How it is asked, and what its scores mean, where it judges whole texts."""
        ...

    @property
    def settings(self) -> Answering:
        """How it is asked, where it answers questions."""
        ...

    @property
    def starts(self) -> int | None:
        """How many of the best starts of an answer are followed up; None for all."""
        ...

    @property
    def labels(self) -> list[str]:
        """Names of its scores."""
        ...

    @property
    def blanks(self) -> Mapping[str, int]:
        """Tokens that may stand for no word, `pad` and perhaps `mask`; the usual one first."""
        ...

    @property
    def n_layers(self) -> int:
        """Layers of the Transformer."""
        ...

    def read(self, asked: Asked) -> Reading:
        """Return what the model reads.

        Raises:
            UserError: it does not know the language, or the texts do not fit.
        """
        ...

    def start_scores(self, given: Tensor, reading: Reading) -> Tensor:
        """Return log-probabilities of all tokens as the start of an answer, (N, L).

        Args:
            given: what the model gives for N readings, (N, 1, L, ...).
            reading: question and context.
        """
        ...

    def end_scores(self, given: Tensor, reading: Reading, start: int) -> Tensor:
        """Return log-probabilities of all tokens as the end of an answer that starts so, (N, L)."""
        ...

    def attention(self, reading: Reading, row: int) -> Tensor:
        """Return the weights for one of the sequences, (layers, H, L, L)."""
        ...
