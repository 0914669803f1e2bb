"""What measurement asks of a model, whichever library it is of.

xlmkit's own models answer through `inference`, those of other families through
`xlmkit.huggingface.encoders`. A task of another kind adds its own question here.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.questions import Question
from xlmkit.evaluate.answers import Answering, Answers

MOST_UNKNOWN = 0.2
"""Share of a language's tokens that are unknown to a model from which on its scores mean little."""


class Pooled(NamedTuple):
    """What a model gives for whole texts.

    Attributes:
        states: the mean of the tokens' states, (texts, n_layers + 1, E), float32.
        n_cut: texts that have lost their ends.
        max_length: tokens that the model reads, special ones counted.
    """

    states: NDArray[np.float32]
    n_cut: int
    max_length: int


class Cut(NamedTuple):
    """What a tokenizer makes of texts, special tokens not counted.

    Attributes:
        tokens: how many.
        unknown: how many of them stand for what the vocabulary lacks.
    """

    tokens: int
    unknown: int

    @property
    def unknown_share(self) -> float:
        """The share of the tokens that are unknown."""
        return self.unknown / max(1, self.tokens)


class Reader(Protocol):
    """A model that reads texts."""

    @property
    def languages(self) -> Sequence[str]:
        """The languages that it is asked about, in the order of the recipe."""
        ...


class Encoder(Reader, Protocol):
    """A model that gives every text a vector in each layer."""

    @property
    def n_layers(self) -> int:
        """Layers, the embeddings not counted."""
        ...

    def cut(self, texts: Sequence[str], language: str) -> Cut:
        """Return what its tokenizer makes of texts, whole."""
        ...

    def pooled_states(
        self, texts: Sequence[str], language: str, stride: int | None = None
    ) -> Pooled:
        """Return the mean of the tokens' states in each layer.

        Args:
            texts: any number.
            language: of all of them.
            stride: texts longer than the model are read in windows that share so many tokens, and
                their states are the mean of the windows', weighted by their tokens; None cuts
                their ends off.
        """
        ...


class WordEncoder(Encoder, Protocol):
    """An encoder whose words have vectors without any context as well."""

    def word_vectors(
        self, words: Sequence[str], language: str
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the mean of each word's token embeddings, (words, E), and which words are known.

        A word is known where all its tokens are; the vector of another is zero.
        """
        ...


class SequenceScorer(Reader, Protocol):
    """A model that gives every text, or pair of texts, a score for each class."""

    def scores(
        self, texts: Sequence[str], language: str, seconds: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """Return the score of every class before any softmax, (texts, C).

        Args:
            texts: single texts, or the first of each pair.
            language: of all of them.
            seconds: the second text of each pair.
        """
        ...


class WordScorer(Reader, Protocol):
    """A model that gives every word of a sentence a score for each tag."""

    def word_scores(self, sentences: Sequence[Sequence[str]], language: str) -> NDArray[np.float32]:
        """Return the score of every tag before any softmax, (words of all sentences, C).

        Args:
            sentences: as lists of their words, none without words.
            language: of all of them.
        """
        ...


class QuestionAnswerer(Reader, Protocol):
    """A model that finds answers in contexts."""

    @property
    def settings(self) -> Answering:
        """How it is asked."""
        ...

    def answers(self, questions: Sequence[Question]) -> list[Answers]:
        """Return the answers to questions, in their order."""
        ...
