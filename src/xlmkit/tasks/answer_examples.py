"""Answers that a report shows, and how well questions in each language were answered."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.permutation import key_of
from xlmkit.data.questions import Question
from xlmkit.evaluate.answers import Answers

_EXAMPLES = 3  # of each kind and language
_AROUND = 60  # characters of the context shown on either side of an answer


def by_question_language(
    questions: Sequence[Question], exact: NDArray[np.float64], f1: NDArray[np.float64]
) -> dict[str, dict[str, float]]:
    """Return F1, exact match and number of the questions that were asked in each language.

    Args:
        questions: any.
        exact: of every question, (questions,).
        f1: likewise.
    """
    codes = np.array([question.asked_in for question in questions])
    rows = {code: codes == code for code in dict.fromkeys(codes.tolist())}
    return {
        code: {
            "f1": float(f1[own].mean()),
            "exact_match": float(exact[own].mean()),
            "n": int(own.sum()),
        }
        for code, own in rows.items()
    }


def answer_examples(
    questions: Sequence[Question],
    found: Sequence[Answers],
    exact: Sequence[float],
    threshold: float | None,
) -> list[dict[str, Any]]:
    """Choose a few right and wrong answers by the hash of their question, so not by beauty.

    Args:
        questions: what was asked.
        found: what a model says.
        exact: whether that is right, of every question.
        threshold: above which no answer is given.
    """
    order = sorted(range(len(questions)), key=lambda i: key_of(questions[i].text))
    right = [i for i in order if exact[i]][:_EXAMPLES]
    wrong = [i for i in order if not exact[i]][:_EXAMPLES]
    made = []
    for i in right + wrong:
        answer = found[i].to_json(threshold)
        label = questions[i].answers[0].text if questions[i].answers else "no answer"
        predicted = label if exact[i] else answer["answer"] or "no answer"
        probability = round(answer["probability"], 4)
        text = f"{questions[i].text} | {_excerpt(questions[i])}"
        made.append(
            {"text": text, "label": label, "predicted": predicted, "probability": probability}
        )
    return made


def _excerpt(question: Question) -> str:
    """Return what stands around the answer in the context."""
    start, end = question.place() or (0, 0)
    first, last = max(0, start - _AROUND), end + _AROUND
    excerpt = question.context[first:last].strip()
    return f"{'…' * (first > 0)}{excerpt}{'…' * (last < len(question.context))}"
