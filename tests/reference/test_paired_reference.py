"""Calibration and paired tests against scipy and plain restatements of their papers."""

import numpy as np
import pytest
from scipy.stats import binomtest

from xlmkit.evaluate.calibration import Calibration
from xlmkit.evaluate.paired import mcnemar

pytestmark = pytest.mark.reference


@pytest.mark.parametrize(("classes", "sharpness"), [(2, 1.0), (5, 0.3), (5, 0.02), (40, 0.1)])
@pytest.mark.parametrize("bins", [1, 10, 15])
def test_calibration_error_is_that_of_guo_et_al(classes, sharpness, bins):
    draw = np.random.default_rng(classes)
    given = draw.dirichlet([sharpness] * classes, size=700)
    labels = draw.integers(classes, size=700)
    total = 0.0
    for m in range(bins):  # equations 2, 3 and 5: B_m holds confidences in (m/M, (m+1)/M]
        inside = [i for i in range(700) if m / bins < max(given[i]) <= (m + 1) / bins]
        if inside:
            right = sum(np.argmax(given[i]) == labels[i] for i in inside) / len(inside)
            sure = sum(max(given[i]) for i in inside) / len(inside)
            total += len(inside) / 700 * abs(right - sure)
    assert Calibration.of(given, labels, bins).error.value == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize(("n", "better"), [(5, 0.5), (50, 0.5), (50, 0.8), (3000, 0.52)])
def test_mcnemar_is_the_binomial_test_of_the_examples_they_disagree_on(n, better):
    draw = np.random.default_rng(n)
    first, second = draw.random(n) < better, draw.random(n) < 0.5
    only_first, both = int((first & ~second).sum()), int((first != second).sum())
    expected = binomtest(only_first, both).pvalue if both else 1.0
    assert mcnemar(first, second) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(second, first) == mcnemar(first, second)
