"""What is told about a prediction, as plain values: for JSON, a page or the terminal."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["classes", "several", "number", "choice", "tags", "answer"]
"""One class, several, a number, the best of several texts, a tag of each word, or an answer."""

OUTPUTS: dict[str, str] = {
    "classes": "log-odds of the class against all others",
    "several": "log-odds of the class",
    "number": "the value, on the scale of training",
    "choice": "log-odds of the choice against the others",
    "tags": "log-odds of the tag against all others",
    "answer": "log-probability of the answer's first and last token",
}
"""What each kind's attributions add up to a change of, by kind."""

TOLERANCE = 0.02
"""How far the attributions' sum may be off: this share of the output's change, or of 1 if less."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text.

    Attributes:
        text: as it is written.
        part: number of the text that it stands in, from 0.
        start: its first character.
        end: the one behind its last.
    """

    text: str
    part: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Explained:
    """One thing that was said, and what each word did for it.

    Attributes:
        label: what was said.
        probability: of it, None for a number.
        output: what is explained, see `OUTPUTS`, for the text.
        baseline: the same where all words are replaced by the baseline's token.
        scores: of each word: the sum over its tokens.
        tokens: of each token of a word.
        steps: points of the integral.
        word: number of the word that was tagged, None where the whole text was judged.
    """

    label: str
    probability: float | None
    output: float
    baseline: float
    scores: list[float]
    tokens: list[float]
    steps: int
    word: int | None = None

    @property
    def delta(self) -> float:
        """Sum of the attributions less the change of the output; 0 for exact integrals."""
        return sum(self.tokens) - (self.output - self.baseline)

    @property
    def converged(self) -> bool:
        """Whether the sum is near enough to what it should be."""
        return abs(self.delta) <= TOLERANCE * max(1.0, abs(self.output - self.baseline))


@dataclass(frozen=True, slots=True)
class Attention:
    """What attends to what.

    Attributes:
        units: words, and special tokens, in the order in which the model reads them.
        layers: numbers of the layers, from 1.
        weights: (layers, heads, units, units), from a row's unit to a column's; rows sum to 1.
    """

    units: list[str]
    layers: list[int]
    weights: NDArray[np.float32]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        weights = np.round(self.weights.astype(np.float64), 5).tolist()
        return {"units": self.units, "layers": self.layers, "weights": weights}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A prediction explained.

    Attributes:
        kind: what was asked.
        texts: what the model read: a text, a pair, a text and choices, or context and question.
        language: of the texts.
        words: of all texts.
        tokens: as the model has them, each with the number of its word.
        explained: what was said.
        baseline: the token that stands for "no word".
        attention: where it was asked for.
        notes: what a reader should know, sentences.
    """

    kind: Kind
    texts: Sequence[str]
    language: str
    words: list[Word]
    tokens: list[tuple[str, int]]
    explained: list[Explained]
    baseline: str
    attention: Attention | None = None
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "kind": self.kind,
            "language": self.language,
            "texts": list(self.texts),
            "method": {
                "name": "integrated gradients",
                "output": OUTPUTS[self.kind],
                "baseline": self.baseline,
            },
            "words": [asdict(word) for word in self.words],
            "tokens": [{"token": token, "word": word} for token, word in self.tokens],
            "explained": [
                {**asdict(one), "convergence_delta": one.delta} for one in self.explained
            ],
            "attention": None if self.attention is None else self.attention.to_json(),
            "notes": list(self.notes),
        }
