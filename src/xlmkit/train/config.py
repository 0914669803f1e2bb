"""The recipe section of an optimizer, its learning rate, and schedules of coefficients."""

import math
from bisect import bisect_right
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from xlmkit.core.config import Config


def _of_points(value: object) -> object:
    """Return a schedule's points as tuples; what is none is told as it is to be written."""
    if not isinstance(value, list | tuple) or not all(isinstance(p, list | tuple) for p in value):
        raise ValueError("write it as [[0, 1], [1000, 0.1]], steps with what it is there")
    return tuple(tuple(point) for point in value)  # as strict validation wants them


def _in_order(points: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
    steps = [step for step, _ in points]
    if steps != sorted(set(steps)) or steps[0] < 0:
        raise ValueError("the steps of a schedule must rise, from 0 or more")
    if min(value for _, value in points) < 0:
        raise ValueError("a coefficient cannot be negative")
    return points


Schedule = Annotated[
    tuple[tuple[int, float], ...],
    Field(min_length=1),
    BeforeValidator(_of_points),
    AfterValidator(_in_order),
]
"""A coefficient by step: its values at some steps, straight lines between them, and level before
the first and after the last. The original writes 0:1,1000:0.1 for [[0, 1], [1000, 0.1]]."""


def coefficient(schedule: tuple[tuple[int, float], ...], step: int) -> float:
    """Return a schedule's value at a step, counted from 0."""
    after = bisect_right([place for place, _ in schedule], step)
    if after in (0, len(schedule)):
        return schedule[max(0, after - 1)][1]
    (left, low), (right, high) = schedule[after - 1 : after + 1]
    return low + (high - low) * (step - left) / (right - left)


class OptimizerConfig(Config):
    """The recipe section of an optimizer."""

    lr: float = Field(1e-4, gt=0)
    """Highest learning rate."""
    warmup: int = Field(500, ge=0)
    """Steps in which the learning rate rises from nought, at most a quarter of all."""
    schedule: Literal["linear", "cosine", "inverse_sqrt", "constant"] = "linear"
    """How it falls afterwards: to nought at the last step, or with 1 / sqrt(step)."""
    betas: tuple[float, float] = (0.9, 0.98)
    """Decay rates of AdamW's first and second moments."""
    eps: float = Field(1e-6, gt=0)
    """AdamW's term for numerical stability."""
    weight_decay: float = Field(0.01, ge=0)
    """Decay of matrices, embeddings among them; biases and norms are spared."""
    clip: float = Field(1.0, gt=0)
    """Largest norm of the whole gradient."""
    average: float = Field(0.0, ge=0, lt=1)
    """What a running average of the weights keeps of itself at each step, such as 0.999; it is what
    is validated and saved. With 0 there is none, and the weights of the step are."""

    @model_serializer(mode="wrap")
    def _as_before(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave the average out where there is none: what was made before it came still holds."""
        values: dict[str, Any] = plain(self)
        if not self.average:
            values.pop("average", None)
        return values


def learning_rate(config: OptimizerConfig, step: int, n_steps: int) -> float:
    """Return the learning rate of step `step`, counted from 0, of `n_steps`."""
    warmup = min(config.warmup, n_steps // 4)
    if step < warmup:
        return config.lr * (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, n_steps - warmup)
    match config.schedule:
        case "linear":
            return config.lr * (1 - done)
        case "cosine":
            return config.lr * (1 + math.cos(math.pi * done)) / 2
        case "inverse_sqrt":
            return config.lr * math.sqrt((warmup + 1) / (step + 1))
        case "constant":
            return config.lr
