"""Classification metrics agree with scikit-learn."""

from functools import partial

import numpy as np
import pytest

from xlmkit.evaluate.metrics import accuracy, class_scores, confusion_matrix, macro_f1

exactly = partial(pytest.approx, rel=1e-12, abs=1e-12)
"""Up to the last digits, in which sums of other orders differ."""

reference = pytest.importorskip("sklearn.metrics")
pytestmark = pytest.mark.reference

CLASSES = 6


def _labels(seed):
    """Return references and predictions in which some classes may be missing on either side."""
    generator = np.random.default_rng(seed)
    n = int(generator.integers(1, 120))
    some = generator.permutation(CLASSES)[: generator.integers(1, CLASSES + 1)]
    others = generator.permutation(CLASSES)[: generator.integers(1, CLASSES + 1)]
    references = generator.choice(some, size=n)
    right = generator.random(n) < generator.random()
    return references, np.where(right, references, generator.choice(others, size=n))


@pytest.mark.parametrize("seed", range(25))
def test_classification(seed):
    references, predictions = _labels(seed)
    confusion = confusion_matrix(references, predictions, CLASSES)
    every = list(range(CLASSES))
    expected = reference.confusion_matrix(references, predictions, labels=every)
    assert confusion.tolist() == expected.tolist()
    made = accuracy(references, predictions, resamples=0).value
    assert made == exactly(reference.accuracy_score(references, predictions))
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        references, predictions, labels=every, zero_division=0
    )
    scores = class_scores(confusion)
    assert scores.precision == exactly(precision)
    assert scores.recall == exactly(recall)
    assert scores.f1 == exactly(f1)
    assert scores.support.tolist() == support.tolist()


@pytest.mark.parametrize("seed", range(25))
def test_macro_f1_is_over_the_labels_that_occur(seed):
    references, predictions = _labels(seed)
    made = macro_f1(confusion_matrix(references, predictions, CLASSES), resamples=0).value
    options = {"average": "macro", "zero_division": 0}
    occurring = sorted(set(references) | set(predictions))
    expected = reference.f1_score(references, predictions, labels=occurring, **options)
    assert made == exactly(expected)
    assert made == exactly(reference.f1_score(references, predictions, **options))
