"""Parameters and gradients in flat buffers, float32 masters, AdamW, and clipping.

All parameters become views of one flat buffer, and their gradients of another: clipping is one
norm, the optimizer a handful of large fused operations, and a reduction over processes one call.
When the model computes in bfloat16 the optimizer keeps float32 masters, and the model's parameters
are their rounded copy (Micikevicius et al. 2018). A running average of the weights (Polyak &
Juditsky 1992) is kept if it is wanted; it forgets faster at first, when weights change most.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from xlmkit.train.config import OptimizerConfig

_SLICE = 1 << 18


class FlatOptimizer:
    """AdamW over a model whose parameters are moved into flat buffers.

    Args:
        model: its parameters are replaced, in place, by views; tied ones stay tied.
        config: rates.
        dtype: what the model computes in.
        factors: what the learning rate of a parameter is multiplied by, by its name; others by 1.
    """

    def __init__(
        self,
        model: nn.Module,
        config: OptimizerConfig,
        dtype: torch.dtype,
        factors: Mapping[str, float] | None = None,
    ) -> None:
        self.config = config
        groups = _groups(model, factors or {})
        parameters = [p for part in groups.values() for p in part]
        self._sizes = [sum(p.numel() for p in part) for part in groups.values()]
        device = parameters[0].device
        flat = torch.cat([p.detach().flatten() for p in parameters]).float()
        # Several leaves over one storage: with and without decay, and one for each rate.
        self.master = flat
        leaves = [nn.Parameter(part) for part in self._parts(flat)]
        self.values = flat if dtype == torch.float32 else flat.to(dtype)
        self.gradients = torch.zeros_like(self.values)
        start = 0
        for parameter in parameters:
            end = start + parameter.numel()
            parameter.data = self.values[start:end].view_as(parameter)
            parameter.grad = self.gradients[start:end].view_as(parameter)
            start = end
        self._frozen = {
            name: parameter.detach().float().clone()
            for name, parameter in model.named_parameters(remove_duplicate=False)
            if not parameter.requires_grad
        }
        model.to(dtype)  # buffers and frozen parameters
        self._average = flat.clone() if config.average else None
        self._total = torch.zeros(start, device=device)  # float32 sum over accumulated batches
        self._leaves = leaves
        for leaf, part in zip(leaves, self._parts(self._total), strict=True):
            leaf.grad = part
        self.adam = torch.optim.AdamW(
            [
                {
                    "params": [leaf],
                    "weight_decay": config.weight_decay if decays else 0.0,
                    "factor": factor,
                }
                for leaf, (decays, factor) in zip(leaves, groups, strict=True)
            ],
            lr=config.lr,
            betas=config.betas,
            eps=config.eps,
            fused=True,
        )

    def _parts(self, flat: Tensor) -> tuple[Tensor, ...]:
        return torch.split(flat, self._sizes)

    def accumulate(self) -> None:
        """Add the gradients of one backward pass to the step's sum, and clear them."""
        if self.values is self.master or self.gradients.device.type != "cpu":
            self._total += self.gradients
        else:  # converted a slice at a time, which stays in the processor's cache
            parts = (torch.split(flat, _SLICE) for flat in (self._total, self.gradients))
            for total, part in zip(*parts, strict=True):
                total.add_(part)
        self.gradients.zero_()

    @property
    def total(self) -> Tensor:
        """The step's gradient, flat, float32; the place for a reduction over processes."""
        return self._total

    def step(self, lr: float) -> float:
        """Clip and apply the step's gradient, unless it is not finite.

        Returns:
            The norm of the gradient before clipping; not finite means that nothing was changed.
        """
        norm = float(torch.linalg.vector_norm(self._total))
        if math.isfinite(norm):
            if norm > self.config.clip:
                self._total *= self.config.clip / norm
            for group in self.adam.param_groups:
                group["lr"] = lr * group["factor"]
            self.adam.step()
            if self.values is not self.master:
                self.values.copy_(self.master)
            if self._average is not None:
                done = float(self.adam.state[self._leaves[0]]["step"])
                self._average.lerp_(self.master, max(1 - self.config.average, 9 / (10 + done)))
        self._total.zero_()
        return norm

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Let the model have the running average inside the block, where one is kept."""
        if self._average is None:
            yield
            return
        learned = self.master.clone()
        self._set(self._average)
        try:
            yield
        finally:
            self._set(learned)

    @torch.no_grad()
    def _set(self, weights: Tensor) -> None:
        self.master.copy_(weights)
        if self.values is not self.master:
            self.values.copy_(self.master)

    def float32_weights(self, model: nn.Module) -> dict[str, Tensor]:
        """Return every parameter of the model by name, as copies and never rounded."""
        weights = {}
        for name, parameter in model.named_parameters(remove_duplicate=False):
            if parameter.requires_grad:
                start = parameter.storage_offset()
                part = self.master[start : start + parameter.numel()]
                weights[name] = part.view_as(parameter).clone()
            else:
                weights[name] = self._frozen[name].clone()
        for name, buffer in model.named_buffers():
            weights[name] = buffer.detach().clone()
        return weights

    def state_tensors(self) -> dict[str, Tensor]:
        """Return what a resume needs: masters, their average and AdamW's moments."""
        tensors = {"master": self.master}
        if self._average is not None:
            tensors["average"] = self._average
        for number, leaf in enumerate(self._leaves):
            for name, value in self.adam.state[leaf].items():
                tensors[f"adam.{number}.{name}"] = value
        return tensors

    def load_state_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `state_tensors` returned."""
        self._set(tensors["master"])
        if self._average is not None:
            self._average.copy_(tensors["average"])
        for number, leaf in enumerate(self._leaves):
            prefix = f"adam.{number}."
            self.adam.state[leaf] = {
                name.removeprefix(prefix): value.to(self.master.device, copy=True)
                for name, value in tensors.items()
                if name.startswith(prefix)
            }
        self.gradients.zero_()
        self._total.zero_()


def _groups(
    model: nn.Module, factors: Mapping[str, float]
) -> dict[tuple[bool, float], list[nn.Parameter]]:
    """Return the parameters that are learned, by whether they decay and their rate's factor."""
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {(True, 1.0): [], (False, 1.0): []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decays = parameter.dim() > 1 and parameter.shape[0] > 1
            groups.setdefault((decays, factors.get(name, 1.0)), []).append(parameter)
    return {key: part for key, part in groups.items() if part}
