"""Cross-entropy of a linear layer over a large vocabulary, with few passes over the scores.

The loss and the gradient of the scores are made together, a slice of rows at a time while it stays
in the processor's cache. The idea is that of Wijmans et al. 2024, "Cut your losses in
large-vocabulary language models"; here the scores are still written once, in the layer's own
precision, which costs little. Where they would take a gigabyte or more, they are made a part at a
time, and again on the way back, as in that paper.

Shapes: N predicted positions, E width, V words.
"""

from typing import Any

import torch
from torch import Tensor

_SLICE = 1 << 19  # scores of a slice in float32: two MiB, a core's cache
_GPU_SLICE = 1 << 26  # where few and large operations are fast
_WHOLE = 1 << 29  # scores that are kept; of more, a part is made at a time, and again going back


class _LinearCrossEntropy(torch.autograd.Function):
    """Returns the loss of every position and whether the best word was right."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's own type is not public
        hidden_NE: Tensor,
        weight_VE: Tensor,
        bias_V: Tensor,
        targets_N: Tensor,
        smoothing: float,
    ) -> tuple[Tensor, Tensor]:
        rows, ctx.smoothing = max(1, _WHOLE // len(weight_VE)), smoothing
        parts = [slice(start, start + rows) for start in range(0, len(targets_N), rows)]
        if len(parts) <= 1:
            gradient_NV = torch.addmm(bias_V, hidden_NE, weight_VE.t())
            loss_N, correct_N = _loss_and_gradient(gradient_NV, targets_N, smoothing)
            ctx.save_for_backward(hidden_NE, weight_VE, gradient_NV)
        else:
            made = [
                _loss_and_gradient(
                    torch.addmm(bias_V, hidden_NE[part], weight_VE.t()), targets_N[part], smoothing
                )
                for part in parts
            ]
            loss_N, correct_N = (torch.cat(several) for several in zip(*made, strict=True))
            ctx.save_for_backward(hidden_NE, weight_VE, bias_V, targets_N)
        ctx.parts = parts
        ctx.mark_non_differentiable(correct_N)
        return loss_N, correct_N

    @staticmethod
    def backward(
        ctx: Any,  # noqa: ANN401
        grad_loss_N: Tensor,
        _grad_correct_N: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, None, None]:
        hidden_NE, weight_VE, *kept = ctx.saved_tensors
        scale_N1 = grad_loss_N[:, None].to(hidden_NE.dtype)
        if len(kept) == 1:
            return *_gradients(kept[0], hidden_NE, weight_VE, scale_N1), None, None
        bias_V, targets_N = kept
        grad_hidden = torch.empty_like(hidden_NE)
        # Sums of many parts need more digits than bfloat16 has.
        exact = torch.promote_types(weight_VE.dtype, torch.float32)
        grad_weight = torch.zeros_like(weight_VE, dtype=exact)
        grad_bias = torch.zeros_like(bias_V, dtype=exact)
        for part in ctx.parts:
            gradient_NV = torch.addmm(bias_V, hidden_NE[part], weight_VE.t())
            _loss_and_gradient(gradient_NV, targets_N[part], ctx.smoothing)
            grad_hidden[part], of_weight, of_bias = _gradients(
                gradient_NV, hidden_NE[part], weight_VE, scale_N1[part]
            )
            grad_weight += of_weight
            grad_bias += of_bias
        return grad_hidden, grad_weight.to(weight_VE.dtype), grad_bias.to(bias_V.dtype), None, None


def _loss_and_gradient(
    scores_NV: Tensor, targets_N: Tensor, smoothing: float
) -> tuple[Tensor, Tensor]:
    """Return losses and which best words are right, (N,), and make of the scores their gradient."""
    loss_N = torch.empty(len(targets_N), dtype=torch.float32, device=scores_NV.device)
    correct_N = torch.empty(len(targets_N), dtype=torch.bool, device=scores_NV.device)
    size = _SLICE if scores_NV.device.type == "cpu" else _GPU_SLICE
    rows = max(1, size // scores_NV.shape[1])
    for start in range(0, len(targets_N), rows):
        part = slice(start, start + rows)
        scores = scores_NV[part].float()  # (rows, V)
        target = targets_N[part, None]
        best, answer = scores.max(dim=1, keepdim=True)  # of equal ones the first
        aim = scores.gather(1, target)
        correct_N[part] = (answer == target)[:, 0]
        if smoothing:  # the same as cross-entropy to a mixture with even shares of all words
            aim = torch.lerp(aim, scores.mean(dim=1, keepdim=True), smoothing)
        exponent = scores.sub_(best).exp_()
        total = exponent.sum(dim=1, keepdim=True)
        loss_N[part] = (total.log() + best - aim)[:, 0]
        gradient = exponent.div_(total)  # the softmax
        aims = gradient.new_full((len(target), 1), smoothing - 1.0)
        gradient.scatter_add_(1, target, aims)
        if smoothing:
            gradient -= smoothing / gradient.shape[1]
        scores_NV[part] = gradient
    return loss_N, correct_N


def _gradients(
    gradient_NV: Tensor, hidden_NE: Tensor, weight_VE: Tensor, scale_N1: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of states, weight and bias from that of the scores."""
    return (
        (gradient_NV @ weight_VE) * scale_N1,
        gradient_NV.t() @ (hidden_NE * scale_N1),
        (scale_N1.t() @ gradient_NV)[0],
    )


def linear_cross_entropy(
    hidden_NE: Tensor,
    weight_VE: Tensor,
    bias_V: Tensor,
    targets_N: Tensor,
    smoothing: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Return -log softmax(hidden @ weight.T + bias) at the targets, and which were the best word.

    Args:
        hidden_NE: states, (N, E).
        weight_VE: (V, E).
        bias_V: (V,).
        targets_N: word ids, (N,), int64.
        smoothing: share of the target's probability that is spread evenly over all words (label
            smoothing, Szegedy et al. 2016).

    Returns:
        Losses in nats, (N,), float32, differentiable; correct, (N,), bool.
    """
    loss_N, correct_N = _LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
        hidden_NE, weight_VE, bias_V, targets_N, smoothing
    )
    return loss_N, correct_N
