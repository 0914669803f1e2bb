"""Losses and weights for classes of unequal size, beside scikit-learn, torch and the formula."""

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional

from xlmkit.objectives.balance import Balance, balanced_weights
from xlmkit.objectives.classify import _classes

SCORES = torch.tensor(np.random.default_rng(0).normal(0, 3, (50, 4)), dtype=torch.float32)
LABELS = torch.tensor(np.random.default_rng(1).integers(0, 4, 50))


def loss(balance: Balance) -> torch.Tensor:
    return _classes(SCORES, LABELS, balance)[0]


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    labels = np.random.default_rng(2).choice(4, 300, p=[0.7, 0.2, 0.07, 0.03])
    theirs = compute_class_weight("balanced", classes=np.arange(4), y=labels)
    found = balanced_weights(labels, 4)
    np.testing.assert_allclose(found, theirs, rtol=1e-6)
    assert found[labels].mean() == pytest.approx(1.0)


def test_without_anything_it_is_cross_entropy() -> None:
    assert torch.equal(loss(Balance()), functional.cross_entropy(SCORES, LABELS, reduction="none"))
    assert torch.equal(loss(Balance(focal_gamma=0.0)), loss(Balance()))


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_loss_is_its_formula(gamma: float) -> None:
    p = torch.softmax(SCORES.double(), dim=1)[torch.arange(50), LABELS]
    expected = -((1 - p) ** gamma) * p.log()
    torch.testing.assert_close(
        loss(Balance(focal_gamma=gamma)).double(), expected, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_loss_of_a_certain_answer_has_a_gradient(gamma: float) -> None:
    scores = torch.tensor([[200.0, 0.0]], requires_grad=True)
    made, _ = _classes(scores, torch.tensor([0]), Balance(focal_gamma=gamma))
    made.sum().backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()


def test_smoothing_and_weights_are_torchs() -> None:
    theirs = functional.cross_entropy(SCORES, LABELS, reduction="none", label_smoothing=0.1)
    torch.testing.assert_close(loss(Balance(label_smoothing=0.1)), theirs)
    weights = np.array([1.0, 5.0, 0.0, 2.0], np.float32)
    theirs = functional.cross_entropy(SCORES, LABELS, torch.from_numpy(weights), reduction="none")
    torch.testing.assert_close(loss(Balance(weights)), theirs)
