r"""Exact match and F1 of answers, by the definitions of SQuAD and of MLQA.

SQuAD (Rajpurkar et al. 2016; its script for version 2.0): answers are lower-cased, lose ASCII
punctuation and the articles a, an and the, and are single-spaced; F1 is over the words, as bags; of
several right answers the best counts. A question without an answer is answered rightly by nothing.

MLQA (Lewis et al. 2020, "MLQA: Evaluating Cross-lingual Extractive Question Answering", and the
script beside its data): punctuation is that of Unicode, articles are those of the language, and in
Chinese every ideograph is a word. What it does for Chinese is done here for Japanese as well, kana
included, which MLQA does not have; other languages it does not have keep their articles. Its script
knows no question without an answer (SQuAD's rule is taken for these), and gives the F1 of nothing
to an answer of which no word is left, even where no word is left of the right one.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from xlmkit.evaluate.score import RESAMPLES, SEED, bootstrap_mean

Normalisation = Literal["squad", "mlqa"]

_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ENGLISH_ARTICLES = re.compile(r"\b(a|an|the)\b")
_ARTICLES = {
    "en": _ENGLISH_ARTICLES,
    "es": re.compile(r"\b(un|una|unos|unas|el|la|los|las)\b"),
    "vi": re.compile(r"\b(của|là|cái|chiếc|những)\b"),
    "de": re.compile(r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b"),
    "ar": re.compile(r"\sال^|ال"),  # as in MLQA's script: the letters go wherever they stand
}
_IDEOGRAPH = "\u4e00-\u9fa5"
_SINGLES = {
    "zh": re.compile(f"[{_IDEOGRAPH}]"),
    "ja": re.compile(f"[{_IDEOGRAPH}\u3040-\u30ff]"),
}


@cache
def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def answer_words(text: str, language: str, normalisation: Normalisation = "squad") -> list[str]:
    """Return the words by which an answer is compared.

    Args:
        text: an answer.
        language: its language; without effect for `squad`.
        normalisation: whose definition, see the head of this file.
    """
    text = text.lower()
    if normalisation == "squad":
        return _ENGLISH_ARTICLES.sub(" ", text.translate(_ASCII_PUNCTUATION)).split()
    text = "".join(character for character in text if not _is_punctuation(character))
    if articles := _ARTICLES.get(language):
        text = articles.sub(" ", text)
    if singles := _SINGLES.get(language):
        text = singles.sub(r" \g<0> ", text)
    return text.split()


def answer_scores(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    language: str,
    normalisation: Normalisation = "squad",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return exact match and F1 of every question, (questions,) each.

    Args:
        predictions: an answer to each question, "" where there is said to be none.
        references: the right answers of each; empty where there is none.
        language: of the answers.
        normalisation: whose definition, see the head of this file.
    """
    exact, f1 = np.zeros(len(predictions)), np.zeros(len(predictions))
    for number, (given, right) in enumerate(zip(predictions, references, strict=True)):
        words = answer_words(given, language, normalisation)
        wanted = [answer_words(one, language, normalisation) for one in right]
        if normalisation == "squad" or not right:
            wanted = [one for one in wanted if one] or [[]]  # of some, nothing is left
        nothing = float(normalisation == "squad" or not right)
        exact[number] = max(float(words == one) for one in wanted)
        f1[number] = max(_f1(words, one, nothing) for one in wanted)
    return exact, f1


def _f1(given: list[str], right: list[str], nothing: float) -> float:
    """Return the F1 of words as bags, and `nothing` where both have none."""
    if not given and not right:
        return nothing
    common = (Counter(given) & Counter(right)).total()
    return 2 * common / (len(given) + len(right))


def judge_answers(
    exact: NDArray[np.float64],
    f1: NDArray[np.float64],
    answerable: NDArray[np.bool_],
    normalisation: Normalisation,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Any]:
    """Return F1 and exact match with intervals over questions, in JSON.

    Where there are questions with and without an answer, `has_answer_f1`,
    `has_answer_exact_match` and `no_answer_accuracy` tell them apart.

    Args:
        exact: of every question, as `answer_scores` gives it.
        f1: likewise.
        answerable: whether each has an answer.
        normalisation: for the signatures.
        resamples: number of bootstrap resamples over questions.
        seed: seed of the bootstrap.

    Raises:
        ValueError: there is no question.
    """

    def mean(name: str, values: NDArray[np.float64]) -> dict[str, Any]:
        score = bootstrap_mean(
            name, values, resamples=resamples, seed=seed, normalisation=normalisation
        )
        return score.to_json()

    judged = {"f1": mean("f1", f1), "exact_match": mean("exact-match", exact)}
    if answerable.any() and not answerable.all():
        judged |= {
            "has_answer_f1": mean("f1", f1[answerable]),
            "has_answer_exact_match": mean("exact-match", exact[answerable]),
            "no_answer_accuracy": mean("no-answer-accuracy", exact[~answerable]),
        }
    return judged


def best_threshold(
    no_answer: NDArray[np.float64], f1: NDArray[np.float64], answerable: NDArray[np.bool_]
) -> float:
    """Return the score of there being no answer above which it is best to give none.

    As SQuAD's script for version 2.0 seeks it, over F1; between two scores, their middle is taken.

    Args:
        no_answer: a score of every question, (questions,); the greater, the likelier there is none.
        f1: of every question, if it is answered.
        answerable: whether each has an answer.

    Raises:
        ValueError: there is no question.
    """
    if not len(no_answer):
        raise ValueError("A threshold needs at least one question.")
    order = np.argsort(no_answer, kind="stable")
    scores = no_answer[order]
    # Those with the n lowest scores are answered, for every n; the others are not.
    answered = np.concatenate([[0.0], np.cumsum(f1[order])])
    refused = np.concatenate([np.cumsum((~answerable[order])[::-1])[::-1], [0]])
    total = answered + refused
    edges = np.concatenate([[scores[0] - 1], (scores[:-1] + scores[1:]) / 2, [scores[-1] + 1]])
    possible = np.concatenate([[True], scores[:-1] < scores[1:], [True]])
    return float(edges[np.where(possible, total, -np.inf).argmax()])
