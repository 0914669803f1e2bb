import torch

from xlmkit.objectives.base import grouped


def test_losses_are_summed_by_group() -> None:
    loss = torch.tensor([1.0, 2.0, 4.0, 8.0], requires_grad=True)
    correct = torch.tensor([True, False, True, True])
    made = grouped(loss, correct, torch.tensor([2, 0, 2, 2]), 4)
    assert made.tolist() == [[2, 1, 0], [0, 0, 0], [13, 3, 3], [0, 0, 0]]
    assert made.dtype == torch.float64
    assert not made.requires_grad


def test_nothing_sums_to_nought() -> None:
    empty = torch.zeros(0)
    assert not grouped(empty, empty.bool(), empty.long(), 2).any()
