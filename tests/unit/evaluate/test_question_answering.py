import numpy as np
import pytest

from xlmkit.evaluate.question_answering import (
    answer_scores,
    answer_words,
    best_threshold,
    judge_answers,
)


@pytest.mark.parametrize(
    ("text", "language", "squad", "mlqa"),
    [
        ("The  Nile, of an era!", "en", "nile of era", "nile of era"),
        ("„Die“ Donau", "de", "„die“ donau", "donau"),
        ("las ¿casas?", "es", "las ¿casas", "casas"),
        ("những con sông", "vi", "những con sông", "con sông"),
        ("النيل", "ar", "النيل", "نيل"),
        ("北京,中國 2008年。", "zh", "北京中國 2008年。", "北 京 中 國 2008 年"),
        ("東京タワー", "ja", "東京タワー", "東 京 タ ワ ー"),
        ("the नदी।", "hi", "नदी।", "the नदी"),
    ],
)
def test_both_normalisations(text: str, language: str, squad: str, mlqa: str) -> None:
    assert " ".join(answer_words(text, language)) == squad
    assert " ".join(answer_words(text, language, "mlqa")) == mlqa


def test_the_best_of_several_answers_counts() -> None:
    exact, f1 = answer_scores(
        ["the river Nile", "a b c", "", "", "x"],
        [["Amazon", "Nile"], ["c b"], [], ["Nile"], []],
        "en",
    )
    assert exact.tolist() == [0, 0, 1, 0, 0]
    assert f1 == pytest.approx([2 / 3, 1, 1, 0, 0])  # "a" is an article


def test_answerable_and_unanswerable_questions_are_told_apart() -> None:
    exact, f1 = np.array([1.0, 0, 1, 0]), np.array([1.0, 0.5, 1, 0])
    answerable = np.array([True, True, False, False])
    judged = judge_answers(exact, f1, answerable, "mlqa")
    assert judged["f1"]["value"] == 0.625
    assert judged["f1"]["low"] < 0.625 < judged["f1"]["high"]
    assert judged["has_answer_f1"]["value"] == 0.75
    assert judged["has_answer_exact_match"]["value"] == 0.5
    assert judged["no_answer_accuracy"]["value"] == 0.5
    assert "normalisation:mlqa" in judged["f1"]["signature"]
    assert set(judge_answers(exact, f1, answerable | True, "squad")) == {"f1", "exact_match"}


def test_the_threshold_is_the_best_there_is() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        n = int(random.integers(1, 9))
        no_answer = random.integers(-2, 3, n).astype(np.float64)
        answerable = random.random(n) < 0.5
        f1 = np.where(answerable, random.random(n), 0.0)
        found = best_threshold(no_answer, f1, answerable)
        thresholds = np.array([found, *(np.arange(-4, 5) + 0.5)])
        totals = np.where(no_answer > thresholds[:, None], ~answerable, f1).sum(axis=1)
        assert totals[0] == pytest.approx(totals[1:].max())
    with pytest.raises(ValueError, match="at least one"):
        best_threshold(np.empty(0), np.empty(0), np.empty(0, bool))
