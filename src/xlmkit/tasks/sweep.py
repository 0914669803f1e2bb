"""Trials of an adaptation with several learning rates and sizes of batches, of which one is kept.

The choice is made on the validation texts of the source languages, as that of the step is, so that
transfer stays zero-shot.
"""

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from xlmkit.core.config import Config

if TYPE_CHECKING:
    from xlmkit.tasks.base import TaskConfig

_SIDE_BY_SIDE = 4  # trials; each holds a model of its own in memory


@dataclass(frozen=True, slots=True)
class Trial:
    """One combination; None stands for the task's own value."""

    lr: float | None
    tokens_per_batch: int | None

    @property
    def name(self) -> str:
        """What its folder is called."""
        values = {"lr": self.lr, "tokens_per_batch": self.tokens_per_batch}
        return ",".join(f"{key}={value:g}" for key, value in values.items() if value is not None)

    def applied(self, config: "TaskConfig") -> "TaskConfig":
        """Return a task with the values of this trial, and without the sweep."""
        rate = {} if self.lr is None else {"lr": self.lr}
        return config.model_copy(
            update={
                "sweep": None,
                "optimizer": config.optimizer.model_copy(update=rate),
                "tokens_per_batch": self.tokens_per_batch or config.tokens_per_batch,
            }
        )


class SweepConfig(Config):
    """Values that are tried, every one with every other; the best on the source's valid texts."""

    lr: tuple[Annotated[float, Field(gt=0)], ...] = ()
    """Highest learning rates, in place of the task's and of `finetune_lr`."""
    tokens_per_batch: tuple[Annotated[int, Field(ge=16)], ...] = ()
    """Tokens of a batch."""
    processes: int | None = Field(None, ge=1)
    """Trials side by side, which share the threads of a processor, each with one at least; by
    default four, but no more than there are threads. On a GPU they follow one another."""

    @model_validator(mode="after")
    def _something_to_choose(self) -> Self:
        names = [trial.name for trial in self.trials()]
        if len(names) < 2:
            raise ValueError("a sweep needs two values or more of lr or of tokens_per_batch")
        if len(set(names)) < len(names):
            raise ValueError("a sweep tries no value twice")
        return self

    def trials(self) -> tuple[Trial, ...]:
        """Return all combinations."""
        return tuple(
            Trial(lr, tokens)
            for lr, tokens in product(self.lr or (None,), self.tokens_per_batch or (None,))
        )

    def side_by_side(self, threads: int) -> int:
        """Return how many trials are trained at a time.

        Args:
            threads: of the processor, which they share.
        """
        return min(self.processes or min(_SIDE_BY_SIDE, threads), len(self.trials()))
