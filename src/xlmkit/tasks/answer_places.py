"""Where in their windows the answers to questions stand, and in which language."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.questions import Question
from xlmkit.data.windows import Window


def answer_places(windows: Sequence[Window], questions: Sequence[Question]) -> NDArray[np.int64]:
    """Return the first and the last token of the answer in each window, (windows, 2).

    The first token of all, 0, stands for an answer that is not, or not wholly, in the window.
    """
    answers = [question.place() for question in questions]
    places = np.zeros((len(windows), 2), np.int64)
    for number, window in enumerate(windows):
        answer = answers[window.question]
        if answer and (found := window.places(answer)):
            places[number] = found
    return places


def question_languages(
    windows: Sequence[Window], questions: Sequence[Question]
) -> NDArray[np.int64]:
    """Return the number of the language of each window, (windows,)."""
    codes = list(dict.fromkeys(question.language for question in questions))
    numbers = [codes.index(question.language) for question in questions]
    return np.array([numbers[window.question] for window in windows], np.int64)
