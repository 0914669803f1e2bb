"""Metrics of tasks on random predictions, beside scikit-learn and scipy."""

import warnings
from functools import partial

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as theirs

from xlmkit.evaluate.correlation import pearson, spearman
from xlmkit.evaluate.mining import Pairs
from xlmkit.evaluate.mining_scores import measure_pairs
from xlmkit.evaluate.multilabel import label_sets_accuracy, multilabel_class_scores, multilabel_f1
from xlmkit.tasks.classification import ClassificationData
from xlmkit.tasks.multilabel import MultilabelData
from xlmkit.tasks.multiple_choice import MultipleChoiceData
from xlmkit.tasks.regression import RegressionData
from xlmkit.tasks.sequences import LabelledTexts

exactly = partial(pytest.approx, rel=1e-12, abs=1e-12)
"""Up to the last digits, in which sums of other orders differ."""


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rare", [0.02, 0.4])
def test_metrics_of_several_classes_are_those_of_scikit_learn(seed: int, rare: float) -> None:
    random = np.random.default_rng(seed)
    right, given = (random.random((60, 7)) < rare for _ in range(2))
    for average in ("macro", "micro"):
        expected = theirs.f1_score(right, given, average=average, zero_division=0)
        assert multilabel_f1(right, given, average, resamples=0).value == exactly(expected)
    each = multilabel_class_scores(right, given)
    expected = theirs.precision_recall_fscore_support(right, given, zero_division=0)
    for made, value in zip(
        (each.precision, each.recall, each.f1, each.support), expected, strict=True
    ):
        np.testing.assert_array_equal(made, value)
    assert label_sets_accuracy(right, given, resamples=0).value == exactly(
        theirs.accuracy_score(right, given)
    )


@pytest.mark.parametrize("seed", range(5))
def test_correlations_are_those_of_scipy_with_ties(seed: int) -> None:
    random = np.random.default_rng(seed)
    right = random.integers(0, 6, 80) / 2
    given = (right + random.normal(size=80)).round(1)
    assert pearson(right, given).value == exactly(stats.pearsonr(right, given).statistic)
    score = spearman(right, given)
    assert score.value == exactly(stats.spearmanr(right, given).statistic)
    assert score.low < score.value < score.high


def test_a_constant_side_has_no_correlation() -> None:
    constant, values = np.full(10, 0.1), np.arange(10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isnan(stats.pearsonr(values, constant).statistic)
    assert np.isnan(pearson(values, constant).value)
    assert np.isnan(spearman(constant, values).value)


@pytest.mark.parametrize("seed", range(5))
def test_mining_is_scored_as_a_decision_about_every_pair(seed: int) -> None:
    random = np.random.default_rng(seed)
    gold = random.random((20, 15)) < 0.05
    found = np.unique(np.stack([random.permutation(20)[:12], random.permutation(15)[:12]]), axis=1)
    lucky = np.argwhere(gold)[::2].T  # half of what is right is proposed, too
    first, second = np.unique(np.concatenate([found, lucky], axis=1), axis=1)
    scores = random.random(len(first)).astype(np.float32)
    partners = {i: set(np.flatnonzero(row).tolist()) for i, row in enumerate(gold)}
    made = measure_pairs(Pairs(first, second, scores), partners, np.ones(20, bool), 0.3, {})
    proposed = np.zeros_like(gold)
    proposed[first[scores >= 0.3], second[scores >= 0.3]] = True
    expected = theirs.precision_recall_fscore_support(
        gold.ravel(), proposed.ravel(), average="binary", zero_division=0
    )
    found = made.found
    assert (found.precision, found.recall, found.f1) == exactly(expected[:3])
    for value, score in zip(expected, (made.precision, made.recall, made.f1), strict=False):
        assert score.value == exactly(value)
        assert score.low < score.value < score.high


@pytest.mark.parametrize("seed", range(5))
def test_tasks_report_what_scikit_learn_would(seed: int) -> None:
    """The whole way from the scores of a model to the numbers of a language."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(50, 4)).astype(np.float32)
    texts = [str(i) for i in range(50)]
    labels = random.integers(0, 3, 50)  # one class never occurs
    made = ClassificationData(list("abcd"), {}, {}).judge(LabelledTexts(texts, labels), scores)
    given = scores.argmax(1)
    assert made["accuracy"]["value"] == exactly(theirs.accuracy_score(labels, given))
    expected = theirs.f1_score(labels, given, average="macro", zero_division=0)
    assert made["macro_f1"]["value"] == exactly(expected)
    several = (random.random((50, 4)) < 0.3).astype(np.float32)
    made = MultilabelData(list("abcd"), {}, {}).judge(LabelledTexts(texts, several), scores)
    for average in ("macro", "micro"):
        expected = theirs.f1_score(several, scores >= 0, average=average, zero_division=0)
        assert made[f"{average}_f1"]["value"] == exactly(expected)
    exact = theirs.accuracy_score(several, scores >= 0)
    assert made["exact_match"]["value"] == exactly(exact)
    numbers = random.normal(size=50)
    data = RegressionData(["value"], {}, {}, 3.0, 2.0)
    made = data.judge(LabelledTexts(texts, numbers), scores[:, :1])
    assert made["spearman"]["value"] == exactly(stats.spearmanr(numbers, scores[:, 0]).statistic)
    assert made["pearson"]["value"] == exactly(stats.pearsonr(numbers, scores[:, 0])[0])
    choices = random.integers(0, 2, 25)
    data = MultipleChoiceData(["choice"], {}, {}, 2)
    made = data.judge(LabelledTexts(texts, choices), scores[:, :1])
    given = scores[:, 0].reshape(-1, 2).argmax(1)
    assert made["accuracy"]["value"] == exactly(theirs.accuracy_score(choices, given))
