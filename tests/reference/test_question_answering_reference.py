"""Exact match and F1 against a plain restatement of SQuAD's script for version 2.0 and of MLQA's.

Both scripts are steps over strings; what is tested is counted over words. So the restatement goes
step by step, as the scripts do.
"""

import collections
import re
import string
import sys
import unicodedata

import numpy as np
import pytest

from xlmkit.evaluate.question_answering import answer_scores

_PIECES = {
    "en": ["the", "a", "An", "Nile", "nile.", "U.S.", "1920s", "—", "theatre", "'s", ",", "river"],
    "de": ["der", "die", "Fluß", "„", "“", "eines", "Ein-", "1920", "der,", "dem"],
    "es": ["el", "La", "¿qué?", "río", "unas", "uno", "los-", "1.000"],
    "vi": ["của", "Là", "sông", "những", "cái,", "chiếc", "2"],
    "ar": ["النيل", "نهر", "ال", "،", "والبحر", "؟", "12"],
    "hi": ["नदी", "।", "the", "गंगा", "-", "1"],
    "zh": ["北京", "的", "2008年", "NBA", "，", "。", "the", "·", "中国"],
}


def _squad(text: str) -> list[str]:
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split()).split()


_MARKS = {
    chr(i) for i in range(sys.maxunicode) if unicodedata.category(chr(i)).startswith("P")
} | set(string.punctuation)
_ARTICLES = {
    "en": r"\b(a|an|the)\b",
    "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
    "vi": r"\b(của|là|cái|chiếc|những)\b",
    "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    "ar": r"\sال^|ال",
}


def _mlqa(text: str, language: str) -> list[str]:
    text = "".join(c for c in text.lower() if c not in _MARKS)
    if language in _ARTICLES:
        text = re.sub(_ARTICLES[language], " ", text)
    if language != "zh":
        return text.split()
    words: list[str] = []
    other = ""
    for character in text:
        if "\u4e00" <= character <= "\u9fa5" or character in _MARKS:
            words += [*other.split(), character]
            other = ""
        else:
            other += character
    return words + other.split()


def _judge_mlqa(given: list[str], right: list[list[str]]) -> tuple[float, float]:
    exact, f1 = 0.0, 0.0
    for gold in right:
        exact = max(exact, float(" ".join(gold) == " ".join(given)))
        same = sum((collections.Counter(gold) & collections.Counter(given)).values())
        if same:
            precision, recall = same / len(given), same / len(gold)
            f1 = max(f1, 2 * precision * recall / (precision + recall))
    return exact, f1


def _judge(given: list[str], right: list[list[str]]) -> tuple[float, float]:
    right = [one for one in right if one] or [[]]
    exact, f1 = 0.0, 0.0
    for gold in right:
        exact = max(exact, float(" ".join(gold) == " ".join(given)))
        same = sum((collections.Counter(gold) & collections.Counter(given)).values())
        if not gold or not given:
            f1 = max(f1, float(gold == given))
        elif same:
            precision, recall = same / len(given), same / len(gold)
            f1 = max(f1, 2 * precision * recall / (precision + recall))
    return exact, f1


@pytest.mark.parametrize("normalisation", ["squad", "mlqa"])
@pytest.mark.parametrize("language", sorted(_PIECES))
def test_random_answers_score_as_the_scripts_say(language: str, normalisation: str) -> None:
    random = np.random.default_rng(0)

    def draw(most: int) -> str:
        joint = "" if language == "zh" and random.random() < 0.5 else " "
        return joint.join(random.choice(_PIECES[language], random.integers(0, most)))

    given = [draw(4) for _ in range(400)]
    right = [[draw(4) for _ in range(random.integers(0, 4))] for _ in given]
    exact, f1 = answer_scores(given, right, language, normalisation)  # type: ignore[arg-type]

    def words(text: str) -> list[str]:
        return _squad(text) if normalisation == "squad" else _mlqa(text, language)

    def judge(one: list[str], several: list[list[str]]) -> tuple[float, float]:
        # MLQA asks nothing that has no answer; there SQuAD's rule counts.
        by_mlqa = normalisation == "mlqa" and several
        return _judge_mlqa(one, several) if by_mlqa else _judge(one, several)

    wanted = [judge(words(a), list(map(words, b))) for a, b in zip(given, right, strict=True)]
    assert exact.tolist() == [one[0] for one in wanted]
    np.testing.assert_allclose(f1, [one[1] for one in wanted], rtol=1e-12)
    assert 0 < exact.mean() < 1
    assert 0 < f1.mean() < 1
