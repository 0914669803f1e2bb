import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.evaluate.scoring import Scoring
from xlmkit.explain.explainer import Explainer
from xlmkit.explain.explanation import Explained, Explanation
from xlmkit.explain.plain_subject import PlainSubject, kind_of_task
from xlmkit.inference.predictors import SequencePredictor
from xlmkit.inference.tagging import TaggingPredictor

pytest.importorskip("captum")


def check_complete(one: Explained, words: Explanation) -> None:
    """The scores add up to the change of the output, up to the stated tolerance."""
    change = one.output - one.baseline
    assert abs(change) > 0.1
    assert sum(one.scores) == pytest.approx(change, abs=0.02 * max(1.0, abs(change)))
    assert one.delta == pytest.approx(sum(one.tokens) - change, abs=1e-9)
    assert len(one.scores) == len(words.words)


def test_the_planted_keyword_gets_the_highest_score(keyword_classifier: Path) -> None:
    explainer = Explainer.from_pretrained(keyword_classifier)
    for text in ("a b h c", "h d e f g", "c c c c h"):
        made = explainer.explain(text, "en")
        (one,) = made.explained
        assert one.label == "key"
        check_complete(one, made)
        best = made.words[int(np.argmax(one.scores))]
        assert best.text == "h"
        assert max(one.scores) > 0.8 * sum(map(abs, one.scores))


def test_label_and_probability_are_those_of_predict(keyword_classifier: Path) -> None:
    made = Explainer.from_pretrained(keyword_classifier).explain("a h, b", "ar")
    predicted = SequencePredictor.from_pretrained(keyword_classifier, precision="float32")
    (row,) = predicted.predict(["a h, b"], "ar")
    (one,) = made.explained
    assert one.label == row["label"]
    assert one.probability == pytest.approx(row["probabilities"][one.label], abs=1e-5)
    # The output is the log-odds of that probability.
    assert one.probability is not None
    assert one.output == pytest.approx(math.log(one.probability / (1 - one.probability)), abs=1e-2)


def test_another_label_is_explained_with_the_opposite_scores(keyword_classifier: Path) -> None:
    explainer = Explainer.from_pretrained(keyword_classifier)
    both = explainer.explain("a h b", "en", labels=["key", "none"], steps=50).explained
    assert [one.label for one in both] == ["key", "none"]
    np.testing.assert_allclose(both[0].scores, [-score for score in both[1].scores], atol=1e-3)


def test_sub_words_are_summed_to_words(keyword_classifier: Path) -> None:
    made = Explainer.from_pretrained(keyword_classifier).explain("a bcd h", "en", steps=50)
    (one,) = made.explained
    tokens = [word for _, word in made.tokens]
    assert [word.text for word in made.words] == ["a", "bcd", "h"]
    assert tokens.count(1) > 1  # the vocabulary has no merges
    for number, score in enumerate(one.scores):
        own = [value for value, word in zip(one.tokens, tokens, strict=True) if word == number]
        assert score == pytest.approx(sum(own))


def test_a_pair_is_explained_in_both_texts(keyword_classifier: Path) -> None:
    made = Explainer.from_pretrained(keyword_classifier).explain("a b", "en", second="c h")
    assert [(word.text, word.part) for word in made.words] == [
        ("a", 0), ("b", 0), ("c", 1), ("h", 1),
    ]  # fmt: skip
    check_complete(made.explained[0], made)
    assert int(np.argmax(made.explained[0].scores)) == 3


def test_one_of_several_texts_is_explained_against_the_others(keyword_classifier: Path) -> None:
    bundle = Bundle.load(keyword_classifier)
    weights = {
        name: tensor[1:] if name.startswith("sequence_summary") else tensor
        for name, tensor in bundle.weights.items()
    }
    chooser = replace(bundle, weights=weights, labels=["choice"])
    made = Explainer(PlainSubject(chooser)).explain("a", "en", choices=["b c d", "h", "c d"])
    (one,) = made.explained
    assert (made.kind, one.label) == ("choice", "choice 1: h")
    check_complete(one, made)
    assert made.words[int(np.argmax(one.scores))].text == "h"


def test_kinds_of_scores_are_read_as_they_are_meant(keyword_classifier: Path) -> None:
    bundle = Bundle.load(keyword_classifier)
    several = Explainer(PlainSubject(bundle, Scoring(decides="several"))).explain("a h", "en")
    score = torch.tensor([several.explained[0].output])
    assert several.explained[0].probability == pytest.approx(float(score.sigmoid()), abs=1e-5)
    number = Explainer(PlainSubject(bundle, Scoring(decides="number"))).explain("a h", "en")
    assert number.explained[0].probability is None
    assert float(number.explained[0].label) == pytest.approx(number.explained[0].output, abs=1e-3)
    tasks = {"a": {"kind": "multilabel"}, "b": {"kind": "tagging"}, "c": {"kind": "regression"}}
    assert kind_of_task({"recipe": {"finetune": tasks}}, "c") == "number"
    assert kind_of_task({"recipe": {"finetune": tasks}}, "moved") is None
    assert kind_of_task({}, "a") is None


def test_each_tag_has_an_explanation_of_its_own(keyword_tagger: Path) -> None:
    made = Explainer.from_pretrained(keyword_tagger).explain("a h, b h", "en")
    (row,) = TaggingPredictor.from_pretrained(keyword_tagger, precision="float32").predict(
        ["a h, b h"], "en"
    )
    assert [word.text for word in made.words] == row["words"]
    assert [(one.label, one.word) for one in made.explained] == [("KEY", 1), ("KEY", 4)]
    for one in made.explained:
        check_complete(one, made)
        assert int(np.argmax(one.scores)) == one.word
    asked = Explainer.from_pretrained(keyword_tagger).explain("a h", "en", words=["a"])
    assert [(one.label, one.word) for one in asked.explained] == [("O", 0)]


def test_an_answer_is_explained_by_question_and_context(answerer: Path) -> None:
    made = Explainer.from_pretrained(answerer).explain("a b c d", "en", question="e f")
    (one,) = made.explained
    assert one.label in "a b c d"
    assert one.probability == pytest.approx(math.exp(one.output), rel=1e-3)
    assert [word.part for word in made.words] == [0, 0, 1, 1, 1, 1]
    check_complete(one, made)


def test_attention_is_that_of_the_model_by_words(keyword_classifier: Path) -> None:
    explainer = Explainer.from_pretrained(keyword_classifier)
    made = explainer.explain("a bc", "en", steps=10, attention="1,2").attention
    assert made is not None
    assert made.units == ["</s>", "a", "bc", "</s>"]
    assert made.weights.shape == (2, 2, 4, 4)
    np.testing.assert_allclose(made.weights.sum(axis=-1), 1, atol=1e-5)
    (last,) = explainer.explain("a bc", "en", steps=10, attention="2").attention.weights
    np.testing.assert_allclose(last, made.weights[1], atol=1e-6)


def test_a_cut_text_and_a_rough_integral_are_told(keyword_classifier: Path) -> None:
    explainer = Explainer.from_pretrained(keyword_classifier)
    made = explainer.explain("h " + "a " * 40, "en", steps=2)
    assert len(made.notes) == 2
    assert "longer than the model reads" in made.notes[0]
    assert "more --steps" in made.notes[1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"text": "a", "lang": "xx"}, "does not know the language 'xx'"),
        ({"text": " ", "lang": "en"}, "no words"),
        ({"text": "a", "lang": "en", "labels": ["other"]}, "no label 'other', only none, key"),
        ({"text": "a", "lang": "en", "attention": "3"}, "layers 1 to 2, but not '3'"),
        ({"text": "a", "lang": "en", "question": "b"}, "leave out --question"),
        ({"text": "a", "lang": "en", "choices": ["b", "c"]}, "leave out --choice"),
        ({"text": "a", "lang": "en", "words": ["a"]}, "leave out --word"),
    ],
)
def test_mistakes_are_told(keyword_classifier: Path, given: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Explainer.from_pretrained(keyword_classifier).explain(**given)


def test_mistakes_about_words_and_answers_are_told(keyword_tagger: Path, answerer: Path) -> None:
    with pytest.raises(UserError, match="no word 'z'; its words are a b"):
        Explainer.from_pretrained(keyword_tagger).explain("a b", "en", words=["z"])
    with pytest.raises(UserError, match="needs --question"):
        Explainer.from_pretrained(answerer).explain("a b", "en")
    with pytest.raises(UserError, match="longer than the model reads"):
        Explainer.from_pretrained(answerer).explain("a b " * 30, "en", question="a")
