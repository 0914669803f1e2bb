from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from xlmkit.core.errors import UserError
from xlmkit.evaluate.calibration import softmax
from xlmkit.explain.explainer import Explainer
from xlmkit.huggingface.encoders import HuggingFaceBackbone, HuggingFaceClassifier

pytest.importorskip("captum")
transformers = pytest.importorskip("transformers")


def finetuned(folder: Path, head: str, **changes: Any) -> Path:
    """Give a pretrained model a fresh head that says something."""
    torch.manual_seed(0)
    model = getattr(transformers, head).from_pretrained(folder, **changes)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.data.mul_(3)  # else nothing that it reads matters
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "deberta-v2", "modernbert"])
def test_classes_of_a_pair_are_explained(
    family: str, make_encoder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_encoder(family, tmp_path / "model")
    finetuned(folder, "AutoModelForSequenceClassification", num_labels=3)
    text, second = "The old dog sees the cat.", "The red bird"
    made = Explainer.from_pretrained(folder).explain(text, "en", second=second, attention="all")
    (one,) = made.explained
    backbone = HuggingFaceBackbone.open(folder, family, ["en"])
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    measured = HuggingFaceClassifier(model, backbone.encoder, ["en"], 64)
    expected = softmax(measured.scores([text], "en", [second]))
    assert one.probability == pytest.approx(expected.max(), abs=1e-4)
    assert one.label == model.config.id2label[int(expected.argmax())]
    words = [(word.text, word.part) for word in made.words]
    assert words[:3] == [("The", 0), ("old", 0), ("dog", 0)]
    assert words[-3:] == [("The", 1), ("red", 1), ("bird", 1)]
    assert one.converged
    assert abs(one.output - one.baseline) > 1e-3
    assert made.attention is not None
    np.testing.assert_allclose(made.attention.weights.sum(axis=-1), 1, atol=1e-4)


def test_tags_answers_and_texts_without_spaces_are_explained(
    make_encoder: Callable[..., Path], tmp_path: Path
) -> None:
    classifier = make_encoder("bert", tmp_path / "classifier")
    finetuned(classifier, "AutoModelForSequenceClassification", num_labels=2)
    made = Explainer.from_pretrained(classifier).explain("老狗看见", "zh")
    assert [word.text for word in made.words] == ["老", "狗", "看", "见"]

    tagger = make_encoder("bert", tmp_path / "tagger")
    finetuned(tagger, "AutoModelForTokenClassification", num_labels=2)
    made = Explainer.from_pretrained(tagger).explain("The dog sees.", "en")
    assert [word.text for word in made.words] == ["The", "dog", "sees", "."]
    assert [one.word for one in made.explained] == [0, 1, 2, 3]
    assert all(one.converged for one in made.explained)

    answerer = make_encoder("bert", tmp_path / "answerer")
    finetuned(answerer, "AutoModelForQuestionAnswering")
    made = Explainer.from_pretrained(answerer).explain(
        "The old dog sees the cat.", "en", question="The red bird"
    )
    assert made.explained[0].label in "The old dog sees the cat."
    assert made.explained[0].converged


def test_what_cannot_be_explained_is_told(
    make_encoder: Callable[..., Path], tmp_path: Path
) -> None:
    pretrained = make_encoder("bert", tmp_path / "pretrained")
    with pytest.raises(UserError, match="is a BertForMaskedLM, which says nothing about a text"):
        Explainer.from_pretrained(pretrained)
    both = make_encoder("mbart", tmp_path / "both")
    with pytest.raises(UserError, match="only encoders are explained"):
        Explainer.from_pretrained(both)
    with pytest.raises(UserError, match=r"is no model but holds some"):
        Explainer.from_pretrained(tmp_path)


def test_words_are_shown_as_they_are_written(
    make_encoder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_encoder("bert", tmp_path / "model")
    finetuned(folder, "AutoModelForSequenceClassification", num_labels=3)
    explainer = Explainer.from_pretrained(folder)
    text = "The\told do\u200bg\u00a0sees "
    written, normal = (explainer.explain(t, "en", steps=5) for t in (text, "The old dog sees"))
    assert written.tokens == normal.tokens
    assert [word.text for word in written.words] == ["The", "old", "do\u200bg", "sees"]
    assert all(text[word.start : word.end] == word.text for word in written.words)
    assert written.explained[0].probability == normal.explained[0].probability
