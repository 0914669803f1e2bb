"""Models of `transformers` as training sees them: a batch in, scores out."""

from collections.abc import Callable
from typing import Self

from torch import Tensor, nn


class Scores(nn.Module):
    """A model of `transformers` that returns scores alone."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Move and convert parameters, but never round buffers.

        They hold frequencies of rotary positions, which in bfloat16 would be other positions.
        """
        exact = [
            (module, name, buffer)
            for module in self.modules()
            for name, buffer in module._buffers.items()
            if buffer is not None and buffer.is_floating_point()
        ]
        super()._apply(fn, recurse)
        for module, name, buffer in exact:
            device = module._buffers[name].device  # type: ignore[union-attr]
            module._buffers[name] = buffer.to(device)
        return self
