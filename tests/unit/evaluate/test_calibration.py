import math

import numpy as np
import pytest

from xlmkit.evaluate.calibration import (
    BINS,
    Calibration,
    decision_probability,
    softmax,
    top_probability,
)

pytestmark = pytest.mark.unit


def test_a_sure_model_that_is_half_right_is_off_by_half():
    found = Calibration.of([[1.0, 0.0]] * 4, [0, 0, 1, 1])
    assert found.error.value == pytest.approx(0.5)
    assert found.curve() == [(1.0, 0.5, 4)]


def test_a_probability_on_an_edge_belongs_to_the_bin_below():
    edge = 10 / BINS
    found = Calibration.of([[edge, 1 - edge], [edge + 1e-9, 1 - edge - 1e-9]], [0, 0])
    assert np.flatnonzero(found.counts).tolist() == [9, 10]


def test_empty_bins_do_not_count():
    found = Calibration.of([[0.9, 0.1]] * 9 + [[0.1, 0.9]], [0] * 10)
    assert found.error.value == pytest.approx(0.0)
    assert sum(found.counts) == 10


def test_the_error_is_the_same_after_json():
    draw = np.random.default_rng(3)
    given = draw.dirichlet([1, 1, 1], size=200)
    found = Calibration.of(given, draw.integers(3, size=200))
    again = Calibration.from_json(found.to_json())
    assert again.error.value == pytest.approx(found.error.value, abs=1e-5)
    assert found.error.signature.startswith("ece|bins:15|n:200|bootstrap:none")
    assert found.to_json()["ece"]["low"] is None


def test_no_answers_have_no_error():
    assert math.isnan(Calibration.of(np.zeros((0, 2)), np.zeros(0)).error.value)


@pytest.mark.parametrize(
    ("given", "labels"), [([[0.5, 0.5]], [0, 1]), ([0.5], [0]), ([[1.5, 0.0]], [0])]
)
def test_what_does_not_fit_is_refused(given, labels):
    with pytest.raises(ValueError, match="probabilit"):
        Calibration.of(given, labels)


def test_answers_alone_give_what_all_probabilities_do():
    draw = np.random.default_rng(4)
    scores = draw.normal(size=(200, 5)).astype(np.float32) * 30
    labels = draw.integers(5, size=200)
    expected = Calibration.of(softmax(scores), labels)
    found = Calibration.of_answers(top_probability(scores), scores.argmax(axis=1) == labels)
    assert found.counts.tolist() == expected.counts.tolist()
    assert found.error.value == pytest.approx(expected.error.value, abs=1e-6)


def test_a_decision_is_as_sure_as_what_was_decided():
    scores = np.array([[0.0, 2.0], [-2.0, -1e4]], np.float32)
    two = 1 / (1 + math.exp(-2))
    np.testing.assert_allclose(decision_probability(scores), [[0.5, two], [two, 1.0]])


@pytest.mark.parametrize(("given", "right"), [([0.5], [True, False]), ([[0.5]], [[True]])])
def test_answers_that_do_not_fit_are_refused(given, right):
    with pytest.raises(ValueError, match="probabilities but"):
        Calibration.of_answers(given, right)
