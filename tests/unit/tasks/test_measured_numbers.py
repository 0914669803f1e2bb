"""What regression and classification with several classes tell of what they measured."""

import numpy as np
import pytest

from xlmkit.tasks.multilabel import MultilabelData
from xlmkit.tasks.regression import RegressionData
from xlmkit.tasks.sequences import LabelledTexts


@pytest.mark.parametrize(
    ("scale", "shown"),
    [
        (1.0, [("0.0", "0.1"), ("2.5", "2.5")]),
        (0.001, [("0.0000", "0.0001"), ("0.0025", "0.0025")]),
        (40.0, [("0", "4"), ("100", "100")]),
    ],
)
def test_examples_of_numbers_are_told_apart_on_any_scale(
    scale: float, shown: list[tuple[str, str]]
) -> None:
    labels = np.array([0.0, 2.5]) * scale
    part = LabelledTexts(["a", "b"], labels)
    data = RegressionData(["value"], {}, {}, mean=scale, deviation=1.5 * scale)
    scores = ((labels + np.array([0.1, 0.01]) * scale) / scale - 1) / 1.5
    answers = data.answers(part, scores[:, None].astype(np.float32))
    assert [(one["label"], one["predicted"]) for one in answers] == shown


def test_texts_that_get_a_class_are_counted() -> None:
    labels = np.array([[1, 0], [0, 1], [1, 1]], np.float32)
    data = MultilabelData(["x", "y"], {}, {})
    scores = np.array([[-1, -1], [2, 1], [-1, 3]], np.float32)
    judged = data.judge(LabelledTexts(["a", "b", "c"], labels), scores)
    assert judged["answered"] == 2
