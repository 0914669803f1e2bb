import math

import numpy as np
import pytest

from xlmkit.evaluate import metrics
from xlmkit.evaluate.metrics import (
    accuracy,
    class_scores,
    confusion_matrix,
    macro_f1,
    macro_f1_values,
    perplexity,
    retrieval_hits,
    token_accuracy,
)

pytestmark = pytest.mark.unit


def test_confusion_has_references_in_rows():
    made = confusion_matrix([0, 0, 1, 2], [0, 2, 1, 2], classes=3)
    assert made.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]


def test_accuracy_counts_equal_classes():
    made = accuracy([0, 1, 2, 1], [0, 1, 1, 1])
    assert made.value == 0.75
    assert made.n == 4
    assert made.signature.startswith("accuracy|n:4|bootstrap:1000|seed:1|")


def test_scores_of_each_class():
    scores = class_scores(np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]]))
    assert scores.precision == pytest.approx([3 / 5, 4 / 5, 0])
    assert scores.recall == pytest.approx([3 / 4, 4 / 6, 0])
    assert scores.f1 == pytest.approx([6 / 9, 8 / 11, 0])
    assert scores.support.tolist() == [4, 6, 0]
    assert scores.occurs.tolist() == [True, True, False]


def test_macro_f1_leaves_out_classes_that_do_not_occur():
    assert macro_f1_values(np.diag([5, 5, 0])) == pytest.approx(1.0)


def test_macro_f1_counts_a_class_that_was_only_predicted():
    confusion = np.array([[4, 0, 1], [0, 5, 0], [0, 0, 0]])
    assert macro_f1_values(confusion) == pytest.approx((8 / 9 + 1 + 0) / 3)


def test_macro_f1_of_many_matrices_at_once():
    matrices = np.array([np.diag([1, 1]), [[0, 1], [1, 0]], np.zeros((2, 2), int)])
    values = macro_f1_values(matrices)
    assert values[:2].tolist() == [1.0, 0.0]
    assert math.isnan(values[2])


def test_macro_f1_interval_is_that_of_resampled_items():
    generator = np.random.default_rng(5)
    references = generator.integers(4, size=400)
    wrong = generator.random(400) < 0.35
    predictions = np.where(wrong, generator.integers(4, size=400), references)
    made = macro_f1(confusion_matrix(references, predictions, 4))
    values = []
    for _ in range(1000):
        drawn = generator.integers(400, size=400)
        values.append(macro_f1_values(confusion_matrix(references[drawn], predictions[drawn], 4)))
    low, high = np.quantile(values, [0.025, 0.975])
    assert made.low == pytest.approx(low, abs=0.008)
    assert made.high == pytest.approx(high, abs=0.008)
    assert made.low < made.value < made.high


def test_macro_f1_does_not_depend_on_how_many_matrices_fit_in_memory(monkeypatch):
    confusion = np.array([[30, 5], [9, 20]])
    whole = macro_f1(confusion)
    monkeypatch.setattr(metrics, "_CELLS_AT_ONCE", 4 * 13)
    assert macro_f1(confusion) == whole


def test_retrieval_finds_the_greatest_similarity():
    similarity = np.array([[0.9, 0.1], [0.8, 0.2]])
    assert retrieval_hits(similarity).tolist() == [1.0, 0.0]
    assert retrieval_hits(similarity, gold=[0, 0]).tolist() == [1.0, 1.0]


def test_a_model_that_gives_every_text_one_vector_scores_chance():
    assert retrieval_hits(np.ones((50, 50))).mean() == pytest.approx(1 / 50)


def test_a_tie_is_shared_only_among_the_nearest():
    similarity = np.array([[0.7, 0.7, 0.1], [0.9, 0.9, 0.2], [0.5, 0.6, 0.6]])
    assert retrieval_hits(similarity).tolist() == [0.5, 0.5, 0.5]
    assert retrieval_hits(similarity, gold=[2, 2, 0]).tolist() == [0.0, 0.0, 0.0]


def test_rounding_does_not_break_a_tie():
    similarity = np.array([[0.3, np.nextafter(np.float32(0.3), np.float32(1))]], dtype=np.float32)
    assert retrieval_hits(similarity, gold=[0]).tolist() == [0.5]
    assert retrieval_hits(similarity, gold=[0], tolerance=0.0).tolist() == [0.0]


def test_more_candidates_than_queries():
    assert retrieval_hits(np.array([[0.1, 0.9, 0.3]]), gold=[1]).tolist() == [1.0]


def test_perplexity_of_a_uniform_model_is_the_size_of_its_vocabulary():
    made = perplexity([5 * math.log(8000), 3 * math.log(8000)], [5, 3])
    assert made.value == pytest.approx(8000)
    assert made.n == 2


def test_perplexity_weighs_texts_by_their_tokens():
    assert perplexity([1.0, 9.0], [1, 4]).value == pytest.approx(math.exp(2.0))


def test_perplexity_of_totals_has_no_interval():
    made = perplexity(20.0, 10)
    assert made.value == pytest.approx(math.exp(2.0))
    assert made.low is None
    assert "|bootstrap:none|" in made.signature


def test_a_diverged_model_has_infinite_perplexity_without_a_warning():
    assert math.isinf(perplexity([1e5, 2e5], [1, 1]).value)


def test_token_accuracy_is_over_tokens():
    assert token_accuracy([1, 8], [2, 18]).value == pytest.approx(0.45)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: accuracy([0, 1], [0]), "references but"),
        (lambda: accuracy([], []), "at least one item"),
        (lambda: confusion_matrix([0, 3], [0, 0], 3), "reference lies outside the 3 classes"),
        (lambda: confusion_matrix([0, 0], [0, -1], 3), "prediction lies outside"),
        (lambda: macro_f1(np.zeros((2, 2), int)), "at least one item"),
        (lambda: retrieval_hits(np.zeros(3)), "queries, candidates"),
        (lambda: retrieval_hits(np.zeros((2, 0))), "queries, candidates"),
        (lambda: retrieval_hits(np.zeros((3, 2))), "outside the 2 candidates"),
        (lambda: retrieval_hits(np.zeros((2, 2)), gold=[0]), "2 queries"),
        (lambda: retrieval_hits(np.array([[np.nan, 1.0]])), "not a number"),
        (lambda: perplexity([1.0, 2.0], [1]), "numerators"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
