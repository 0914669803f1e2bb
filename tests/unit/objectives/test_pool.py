"""How often examples come by their language and class."""

import numpy as np
import pytest

from xlmkit.data.batch import SegmentRows
from xlmkit.data.questions import Question
from xlmkit.data.sampler import Group, Sampler
from xlmkit.data.windows import make_window
from xlmkit.data.words import WordSequences
from xlmkit.objectives.pool import Parts, Pool
from xlmkit.objectives.tag import TokenClassification
from xlmkit.tasks.answer_places import question_languages

LENGTHS = np.full(1000, 10, np.int32)
LANGUAGES = np.repeat([0, 1], [900, 100])
CLASSES = np.concatenate([np.repeat([0, 1], [810, 90]), np.repeat([0, 1], [50, 50])])


def drawn(*parts: Parts, batches: int = 640) -> np.ndarray:
    pool = Pool(LENGTHS, parts, tokens=200, seed=3)
    return np.concatenate([pool.batch(number) for number in range(batches)])


def share(items: np.ndarray, of: np.ndarray, number: int) -> float:
    return float((of[items] == number).mean())


def test_without_other_shares_examples_come_as_they_always_did() -> None:
    sampler = Sampler([Group("all", LENGTHS, 1.0)], 200, 3)
    expected = np.concatenate([sampler.batch(number).item for number in range(64)])
    for parts in ([], [Parts(LANGUAGES, 1.0)], [Parts(np.zeros(1000, np.int64), 0.5)]):
        assert np.array_equal(drawn(*parts, batches=64), expected)


@pytest.mark.parametrize(("alpha", "expected"), [(0.0, 0.5), (0.5, 0.25), (1.0, 0.1)])
def test_the_smaller_language_comes_more_often_the_smaller_alpha(
    alpha: float, expected: float
) -> None:
    assert share(drawn(Parts(LANGUAGES, alpha)), LANGUAGES, 1) == pytest.approx(expected, abs=0.01)


def test_classes_are_evened_out_within_each_language() -> None:
    items = drawn(Parts(LANGUAGES, 0.5), Parts(CLASSES, 0.0))
    assert share(items, LANGUAGES, 1) == pytest.approx(0.25, abs=0.01)
    for language in (0, 1):
        mine = items[LANGUAGES[items] == language]
        assert share(mine, CLASSES, 1) == pytest.approx(0.5, abs=0.01)


def test_sentences_are_of_the_language_of_their_words() -> None:
    words = WordSequences(
        SegmentRows([((np.arange(3, dtype=np.int32), 0),)] * 10, 8),
        words=[np.array([2 * number, 2 * number + 1]) for number in range(10)],
        places=[np.array([1, 2])] * 10,
    )
    of = np.repeat([0, 1], [18, 2])  # nine sentences of two words, and one
    objective = TokenClassification(
        words, np.zeros(20, np.int64), tokens=64, seed=1, languages=Parts(of, 0.0)
    )
    found = np.concatenate([objective.pool.batch(number) for number in range(320)])
    assert float((found == 9).mean()) == pytest.approx(0.5, abs=0.02)


def test_windows_are_of_the_language_of_their_questions() -> None:
    questions = [Question(code, code, "q", "c") for code in ("en", "sw", "en")]
    spans = np.zeros((1, 2), np.int32)
    windows = [make_window(number, 3, spans, (True, True)) for number in (0, 1, 1, 2)]
    assert question_languages(windows, questions).tolist() == [0, 1, 1, 0]


def test_every_example_still_comes() -> None:
    assert set(drawn(Parts(LANGUAGES, 0.3), Parts(CLASSES, 0.3)).tolist()) == set(range(1000))
