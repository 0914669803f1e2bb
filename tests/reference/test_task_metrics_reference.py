"""Metrics of tasks on random predictions, beside scikit-learn and scipy."""

import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as theirs

from xlmkit.evaluate.correlation import pearson, spearman
from xlmkit.evaluate.multilabel import label_sets_accuracy, multilabel_f1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rare", [0.02, 0.4])
def test_metrics_of_several_classes_are_those_of_scikit_learn(seed: int, rare: float) -> None:
    random = np.random.default_rng(seed)
    right, given = (random.random((60, 7)) < rare for _ in range(2))
    for average in ("macro", "micro"):
        expected = theirs.f1_score(right, given, average=average, zero_division=0)
        assert multilabel_f1(right, given, average, resamples=0).value == pytest.approx(expected)
    assert label_sets_accuracy(right, given, resamples=0).value == pytest.approx(
        theirs.accuracy_score(right, given)
    )


@pytest.mark.parametrize("seed", range(5))
def test_correlations_are_those_of_scipy_with_ties(seed: int) -> None:
    random = np.random.default_rng(seed)
    right = random.integers(0, 6, 80) / 2
    given = (right + random.normal(size=80)).round(1)
    assert pearson(right, given).value == pytest.approx(stats.pearsonr(right, given).statistic)
    score = spearman(right, given)
    assert score.value == pytest.approx(stats.spearmanr(right, given).statistic)
    assert score.low < score.value < score.high


def test_a_constant_side_has_no_correlation() -> None:
    constant, values = np.full(10, 0.1), np.arange(10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isnan(stats.pearsonr(values, constant).statistic)
    assert np.isnan(pearson(values, constant).value)
    assert np.isnan(spearman(constant, values).value)
