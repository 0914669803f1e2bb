"""The loss of scored classes, with what `Balance` does about rare ones."""

import torch
from torch import Tensor
from torch.nn import functional

from xlmkit.objectives.balance import Balance


def class_loss(scores_BC: Tensor, labels_B: Tensor, balance: Balance) -> Tensor:
    """Return the loss of each example that is of one class, (B,).

    Args:
        scores_BC: before the softmax.
        labels_B: number of the right class.
        balance: what is done about rare classes.
    """
    loss_B = functional.cross_entropy(
        scores_BC, labels_B, reduction="none", label_smoothing=balance.label_smoothing
    )
    if balance.focal_gamma:
        loss_B = loss_B * _wrong(loss_B) ** balance.focal_gamma
    if balance.class_weights is not None:
        loss_B = loss_B * torch.from_numpy(balance.class_weights).to(loss_B.device)[labels_B]
    return loss_B


def several_loss(scores_BC: Tensor, labels_BC: Tensor, balance: Balance) -> Tensor:
    """Return the loss of each example that is of any number of classes, (B,).

    Args:
        scores_BC: before the sigmoid.
        labels_BC: 1 for each class that the example is of, else 0.
        balance: its weights count where an example is of the class, and not where it is not.
    """
    weights = balance.class_weights
    smoothed_BC = labels_BC + balance.label_smoothing * (0.5 - labels_BC)
    loss_BC = functional.binary_cross_entropy_with_logits(
        scores_BC, smoothed_BC if balance.label_smoothing else labels_BC, reduction="none"
    )
    if balance.focal_gamma:
        loss_BC = loss_BC * _wrong(loss_BC) ** balance.focal_gamma
    if weights is not None:
        weights_C = torch.from_numpy(weights).to(loss_BC.device)
        loss_BC = torch.where(labels_BC > 0.5, loss_BC * weights_C, loss_BC)
    return loss_BC.mean(dim=1)


def _wrong(loss: Tensor) -> Tensor:
    """Return 1 - p of the right answer, given - log p; shapes are kept."""
    # Without cancellation where p is nearly 1, and with a gradient where it is 1.
    return (-torch.expm1(-loss)).clamp_min(torch.finfo(loss.dtype).tiny)
