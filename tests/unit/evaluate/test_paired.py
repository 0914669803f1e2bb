import numpy as np
import pytest

from xlmkit.evaluate.paired import bootstrap_p, difference, holm, mcnemar, resampled_differences

pytestmark = pytest.mark.unit


def _means(first, second):
    return lambda i: first[i].mean(axis=1), lambda i: second[i].mean(axis=1)


def test_equal_models_do_not_differ():
    right = np.array([1.0, 0.0, 1.0, 1.0])
    one, other = _means(right, right)
    samples = resampled_differences(one, other, 4, resamples=200)
    found = difference(one, other, 4, samples, (right, right))
    assert (found.value, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_a_clear_difference_is_found_in_both_ways():
    draw = np.random.default_rng(2)
    good, bad = draw.random(300) < 0.8, draw.random(300) < 0.5
    one, other = _means(good.astype(float), bad.astype(float))
    samples = resampled_differences(one, other, 300, resamples=2000)
    exact = difference(one, other, 300, samples, (good, bad))
    resampled = difference(one, other, 300, samples)
    assert (exact.test, resampled.test) == ("mcnemar-exact", "bootstrap")
    assert exact.value == pytest.approx(good.mean() - bad.mean())
    assert exact.low < exact.value < exact.high
    assert exact.low > 0
    assert exact.p < 1e-6
    assert resampled.p == pytest.approx(2 / 2001)
    back = difference(other, one, 300, -samples)
    assert back.p == resampled.p


def test_the_same_examples_are_drawn_for_both():
    values = np.random.default_rng(1).random(50)
    one, other = _means(values, values - 0.25)
    assert resampled_differences(one, other, 50, resamples=30) == pytest.approx(0.25)


def _false_positives(shared, seed_of):
    """Return how often the average of two equally good models over languages differs "surely"."""
    languages, n, times = 5, 100, 300
    draw, wrong = np.random.default_rng(3), 0
    for _ in range(times):
        common, own = draw.normal(size=n), draw.normal(size=(languages, n))
        latent = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
        differences = (latent > 0.84).astype(float) - (latent < -0.84)
        samples = [
            resampled_differences(*_means(one, 0 * one), n, resamples=300, seed=seed_of(number))
            for number, one in enumerate(differences)
        ]
        wrong += bootstrap_p(np.mean(samples, axis=0)) < 0.05
    return wrong / times


def test_averages_over_translations_differ_by_chance_as_often_as_they_say():
    assert 0.02 < _false_positives(0.0, lambda _: 1) < 0.09
    assert 0.02 < _false_positives(0.4, lambda _: 1) < 0.09
    assert _false_positives(0.4, lambda number: number) > 0.1  # each language by itself


def test_undefined_resamples_are_left_out():
    assert bootstrap_p(np.array([np.nan, 1.0, 1.0, 1.0])) == pytest.approx(0.5)


def test_holm_against_the_example_worked_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_mcnemar_of_unequal_lengths_is_refused():
    with pytest.raises(ValueError, match="answers"):
        mcnemar([1], [1, 0])
