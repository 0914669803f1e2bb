import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from xlmkit.model import cross_entropy
from xlmkit.model.cross_entropy import linear_cross_entropy

N, E, V = 23, 8, 50
Leaves = tuple[Tensor, Tensor, Tensor]


def learning(leaves: Leaves, dtype: torch.dtype) -> Leaves:
    hidden, weight, bias = (leaf.detach().to(dtype).requires_grad_() for leaf in leaves)
    return hidden, weight, bias


def inputs(dtype: torch.dtype = torch.float32, n: int = N) -> tuple[Leaves, Tensor, Tensor]:
    """Leaves (states, weight, bias), targets, and a weight for each loss."""
    generator = torch.Generator().manual_seed(1)
    hidden, weight, bias = (
        torch.randn(shape, generator=generator).to(dtype) for shape in ((n, E), (V, E), (V,))
    )
    targets = torch.randint(V, (n,), generator=generator)
    return (hidden, weight, bias), targets, torch.rand(n, generator=generator)


def gradients(leaves: Leaves, losses: Tensor, weights: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad((losses * weights).sum(), leaves))


def both(
    dtype: torch.dtype, reference: torch.dtype
) -> tuple[tuple[Tensor, list[Tensor]], tuple[Tensor, list[Tensor]]]:
    """Losses and gradients of ours in one type and of torch's in another."""
    leaves, targets, weights = inputs(dtype)
    ours = learning(leaves, dtype)
    losses, _ = linear_cross_entropy(*ours, targets)
    theirs = learning(leaves, reference)
    expected = functional.cross_entropy(functional.linear(*theirs), targets, reduction="none")
    return (
        (losses, gradients(ours, losses, weights)),
        (expected, gradients(theirs, expected, weights.to(reference))),
    )


@pytest.mark.parametrize("slice_size", [1, V, 5 * V, N * V, 10**9])
def test_losses_and_gradients_equal_torchs_at_every_size_of_slice(
    monkeypatch: pytest.MonkeyPatch, slice_size: int
) -> None:
    monkeypatch.setattr(cross_entropy, "_SLICE", slice_size)
    (losses, ours), (expected, theirs) = both(torch.float32, torch.float32)
    torch.testing.assert_close(losses, expected, rtol=1e-5, atol=1e-6)
    for mine, reference in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_parts_of_the_scores_give_what_all_give(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    (expected, gradients), _ = both(torch.float32, torch.float32)
    monkeypatch.setattr(cross_entropy, "_WHOLE", rows * V)
    (losses, ours), _ = both(torch.float32, torch.float32)
    torch.testing.assert_close(losses, expected)
    for mine, reference in zip(ours, gradients, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-5, atol=1e-6)
    (_, rounded), _ = both(torch.bfloat16, torch.float32)
    assert {one.dtype for one in rounded} == {torch.bfloat16}


def test_scores_that_are_many_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    leaves, targets, _ = inputs()
    kept: list[int] = []
    for whole in (cross_entropy._WHOLE, 3 * V):
        monkeypatch.setattr(cross_entropy, "_WHOLE", whole)
        losses, _ = linear_cross_entropy(*learning(leaves, torch.float32), targets)
        assert losses.grad_fn is not None
        kept.append(max(one.numel() for one in losses.grad_fn.saved_tensors))  # type: ignore[attr-defined]
    assert kept[0] == len(targets) * V > kept[1]


def test_gradients_agree_with_differences_in_float64() -> None:
    """The loss is float32, so finite differences are of torch's own in float64."""
    (losses, ours), (expected, theirs) = both(torch.float64, torch.float64)
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses.double(), expected, rtol=1e-6, atol=1e-6)
    for mine, reference in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-5, atol=1e-6)


def test_bfloat16_stays_near_float32() -> None:
    (losses, ours), (expected, theirs) = both(torch.bfloat16, torch.float32)
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses, expected, rtol=0.02, atol=0.05)
    for mine, reference in zip(ours, theirs, strict=True):
        assert mine.dtype == torch.bfloat16
        error = (mine.float() - reference).norm() / reference.norm()
        assert error < 0.03


def test_correct_means_the_target_scored_best() -> None:
    leaves, targets, _ = inputs()
    _, correct = linear_cross_entropy(*leaves, targets)
    best = functional.linear(*leaves).argmax(dim=1)
    assert correct.dtype == torch.bool
    assert torch.equal(correct, best == targets)
    _, all_correct = linear_cross_entropy(*leaves, best)
    assert all_correct.all()


def test_large_scores_do_not_overflow() -> None:
    hidden = torch.tensor([[1000.0], [-1000.0]], requires_grad=True)
    weight, bias = torch.tensor([[1.0], [0.0]]), torch.zeros(2)
    losses, _ = linear_cross_entropy(hidden, weight, bias, torch.tensor([0, 0]))
    assert losses.tolist() == [0.0, 1000.0]
    losses.sum().backward()  # type: ignore[no-untyped-call]
    assert hidden.grad is not None
    assert hidden.grad.tolist() == [[0.0], [-1.0]]


def test_equal_scores_cost_the_logarithm_of_the_vocabulary() -> None:
    losses, _ = linear_cross_entropy(
        torch.ones(3, E), torch.zeros(V, E), torch.zeros(V), torch.tensor([0, 7, 49])
    )
    assert losses.tolist() == pytest.approx([math.log(V)] * 3)


def test_no_position_is_no_loss_and_no_gradient() -> None:
    leaves, targets, _ = inputs(n=0)
    leaves = learning(leaves, torch.float32)
    losses, correct = linear_cross_entropy(*leaves, targets)
    assert losses.shape == correct.shape == (0,)
    losses.sum().backward()  # type: ignore[no-untyped-call]
    for leaf in leaves:
        assert leaf.grad is not None
        assert not leaf.grad.any()


def test_arguments_are_left_alone() -> None:
    leaves, targets, _ = inputs()
    before = [leaf.clone() for leaf in leaves]
    linear_cross_entropy(*leaves, targets)
    assert all(torch.equal(a, b) for a, b in zip(leaves, before, strict=True))


@pytest.mark.parametrize("slice_size", [5 * V, 10**9])
@pytest.mark.parametrize("smoothing", [0.1, 0.7])
def test_smoothed_labels_equal_torchs(
    monkeypatch: pytest.MonkeyPatch, slice_size: int, smoothing: float
) -> None:
    monkeypatch.setattr(cross_entropy, "_SLICE", slice_size)
    leaves, targets, weights = inputs()
    ours, theirs = learning(leaves, torch.float32), learning(leaves, torch.float32)
    losses, correct = linear_cross_entropy(*ours, targets, smoothing)
    scores = functional.linear(*theirs)
    expected = functional.cross_entropy(
        scores, targets, reduction="none", label_smoothing=smoothing
    )
    torch.testing.assert_close(losses, expected, rtol=1e-5, atol=1e-6)
    assert torch.equal(correct, scores.argmax(dim=1) == targets)
    for mine, reference in zip(
        gradients(ours, losses, weights), gradients(theirs, expected, weights), strict=True
    ):
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_of_words_with_equal_scores_only_the_first_is_the_answer(dtype: torch.dtype) -> None:
    hidden, weight = torch.zeros(3, E, dtype=dtype), torch.zeros(V, E, dtype=dtype)
    bias = torch.zeros(V, dtype=dtype).index_fill(0, torch.tensor([4, 7]), 1.0)
    _, correct = linear_cross_entropy(hidden, weight, bias, torch.tensor([4, 7, 0]))
    assert correct.tolist() == [True, False, False]
