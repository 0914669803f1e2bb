from pathlib import Path

import numpy as np
import pytest

from xlmkit import SequencePredictor
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.evaluate.inference import class_probabilities
from xlmkit.inference.predictors import load_predictor

TEXTS = ["a b c", "c", "b a b c a", ""]


def test_probabilities_are_those_of_the_classifier(classifier: Path) -> None:
    bundle = Bundle.load(classifier)
    expected = class_probabilities(bundle.classifier(), bundle.tokenizer, TEXTS, "fr", 32)
    predictor = SequencePredictor.from_pretrained(classifier, precision="float32")
    made = predictor.predict(TEXTS, "fr")
    assert [list(row["probabilities"]) for row in made] == [["news", "sport", "art"]] * 4
    probabilities = [list(row["probabilities"].values()) for row in made]
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    assert [row["label"] for row in made] == [bundle.labels[i] for i in expected.argmax(1)]


def test_a_prediction_has_cells_for_its_columns(classifier: Path) -> None:
    predictor = load_predictor(classifier, "float32")
    (row,) = predictor.predict(["a"], "en")
    cells = dict(zip(predictor.columns, predictor.cells(row), strict=True))
    assert cells.pop("label") == row["label"]
    assert sum(map(float, cells.values())) == pytest.approx(1, abs=1e-4)


def test_a_model_without_labels_is_refused(language_model: Path) -> None:
    with pytest.raises(UserError, match="XLMWithLMHeadModel, which predicts no labels"):
        load_predictor(language_model, "auto")


def test_one_text_is_no_list(classifier: Path) -> None:
    with pytest.raises(UserError, match="The texts are to be a list"):
        SequencePredictor.from_pretrained(classifier).predict("a b", "en")
