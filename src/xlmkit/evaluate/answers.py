"""From the spans that a model finds in windows to answers in the words of the context.

A span's score is log p(start) + log p(end) in its window, so that windows can be compared. Whether
there is no answer is a logit of its own: for a simple head the log-odds of the first token against
the best span, for a beam head the score of its classifier. The window that is surest of an answer
decides (Devlin et al. 2019; Rajpurkar et al. 2018).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xlmkit.core.config import Config
from xlmkit.core.files import read_json, write_json
from xlmkit.data.questions import Question
from xlmkit.data.text_windows import PairForm
from xlmkit.data.windows import Window, WindowShape

SPECIAL_TOKENS = 4
"""Most tokens of a window that are neither question nor context."""

ANSWERING_FILE = "answering.json"
_NOWHERE = -1e9  # the score of there being no answer where nothing can be read


class Answering(Config):
    """How a finetuned model is asked, kept beside it in `answering.json`."""

    max_length: int = Field(384, ge=16)
    """Most tokens of a window, special ones counted."""
    max_question: int = Field(64, ge=1)
    """Most tokens of a question."""
    stride: int = Field(128, ge=0)
    """Tokens that neighbouring windows have in common."""
    max_answer: int = Field(30, ge=1)
    """Most tokens of an answer."""
    n_best: int = Field(20, ge=1)
    """Answers that are kept of each question."""
    null_threshold: float | None = None
    """Score of there being no answer above which none is given; null always answers."""
    pair_form: PairForm = "apart"
    """How one of xlmkit's own models reads the question with the context."""

    @property
    def shape(self) -> WindowShape:
        """How contexts are cut."""
        return WindowShape(self.max_length, self.max_question, self.stride, self.pair_form)

    def within(self, positions: int) -> "Answering":
        """Return the same for a model that reads no more tokens than these."""
        length = min(self.max_length, positions)
        question = min(self.max_question, length // 2)
        room = length - question - SPECIAL_TOKENS
        stride = self.stride if self.stride < room else max(0, room // 2)
        changes = {"max_length": length, "max_question": question, "stride": stride}
        return self.model_copy(update=changes)

    def save(self, folder: Path) -> None:
        """Write it beside a model."""
        write_json(folder / ANSWERING_FILE, self.model_dump(mode="json"))

    @classmethod
    def load(cls, folder: Path) -> "Answering":
        """Read it; a model from elsewhere is asked in the usual way."""
        path = folder / ANSWERING_FILE
        return cls.model_validate(read_json(path)) if path.is_file() else cls()


@dataclass(frozen=True, slots=True)
class Found:
    """A span that may be the answer.

    Attributes:
        text: as the context has it, case and spaces untouched.
        start: its first character.
        end: the one behind its last.
        score: log p(start) + log p(end) in its window.
    """

    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model says to a question.

    Attributes:
        spans: the best first; none where there is nothing to read.
        no_answer: score of there being no answer, a logit.
    """

    spans: tuple[Found, ...]
    no_answer: float

    def best(self, threshold: float | None) -> str:
        """Return the answer, "" where there is said to be none."""
        refused = threshold is not None and self.no_answer > threshold
        return "" if refused or not self.spans else self.spans[0].text

    def probabilities(self, threshold: float | None) -> NDArray[np.float64]:
        """Return the probability of every span; with a threshold there may also be no answer."""
        scores = np.array([span.score for span in self.spans])
        if not len(scores):
            return scores
        powers = np.exp(scores - scores.max())
        given = 1.0 if threshold is None else 1 / (1 + np.exp(np.clip(self.no_answer, -500, 500)))
        shares: NDArray[np.float64] = powers / powers.sum() * given
        return shares

    def to_json(self, threshold: float | None) -> dict[str, Any]:
        """Return the answer, its place and probability, and the n-best list, as plain values."""
        shares = self.probabilities(threshold)
        listed = [
            {"text": s.text, "start": s.start, "end": s.end, "probability": round(float(p), 6)}
            for s, p in zip(self.spans, shares, strict=True)
        ]
        answer = self.best(threshold)
        none = {"start": None, "end": None, "probability": round(float(1 - shares.sum()), 6)}
        chosen = {key: listed[0][key] for key in none} if answer else none
        return {"answer": answer, **chosen, "no_answer": self.no_answer, "n_best": listed}


def join_windows(
    windows: Sequence[Window],
    rows: NDArray[np.float32],
    questions: Sequence[Question],
    n_best: int,
) -> list[Answers]:
    """Return the answers to questions from what was found in their windows.

    Args:
        windows: in the order of the rows.
        rows: of each the score of there being no answer, (row, 0, 0), and of its best spans score,
            start and end, (row, 1:, :); (windows, 1 + spans, 3). Scores may be infinitely low.
        questions: what was asked.
        n_best: spans that are kept of each.
    """
    found: list[dict[tuple[int, int], float]] = [{} for _ in questions]
    refused = [-_NOWHERE] * len(questions)
    for window, row in zip(windows, rows, strict=True):
        number = window.question
        refused[number] = min(refused[number], float(row[0, 0]))
        for score, start, end in _usable(row):
            place = _trimmed(questions[number].context, window.characters(start, end))
            if place[0] < place[1]:
                found[number][place] = max(score, found[number].get(place, score))
    made = []
    for question, spans, no_answer in zip(questions, found, refused, strict=True):
        best = sorted(spans.items(), key=lambda item: (-item[1], item[0]))[:n_best]
        kept = (
            Found(question.context[start:end], start, end, score) for (start, end), score in best
        )
        made.append(Answers(tuple(kept), no_answer))
    return made


def _usable(row: NDArray[np.float32]) -> Iterator[tuple[float, int, int]]:
    for score, start, end in row[1:].tolist():
        if np.isfinite(score):
            yield score, int(start), int(end)


def _trimmed(context: str, place: tuple[int, int]) -> tuple[int, int]:
    """Leave out white space at both ends."""
    text = context[place[0] : place[1]]
    start = place[0] + len(text) - len(text.lstrip())
    return start, start + len(text.strip())
