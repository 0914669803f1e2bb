"""What a section says of rare classes, or tags: keys that several kinds of tasks have."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from xlmkit.core.config import Config
from xlmkit.core.errors import UserError
from xlmkit.objectives.balance import Balance


class RareClasses(Config):
    """What is done about classes of unequal size."""

    class_weights: Literal["balanced"] | dict[str, Annotated[float, Field(ge=0)]] | None = None
    """What an example counts by its class: `balanced`, or a weight by name; others count 1."""
    focal_gamma: float = Field(0.0, ge=0)
    """Focal loss: how much less the examples count that the model is sure of; 2 is usual."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of the target that is spread over all classes; 0.1 is usual."""
    class_alpha: float = Field(1.0, ge=0, le=1)
    """How often examples come by their class, of several the rarest: 1 as they are, 0 from all
    classes alike."""

    @model_validator(mode="after")
    def _focal_or_smoothed(self) -> Self:
        if self.focal_gamma and self.label_smoothing:
            raise ValueError("take focal_gamma or label_smoothing; together they undo each other")
        return self

    def check_weights(self, names: Sequence[str]) -> None:
        """See that weights are of classes that there are.

        Raises:
            UserError: one is not.
        """
        weights = self.class_weights if isinstance(self.class_weights, dict) else {}
        if unknown := [name for name in weights if name not in names]:
            raise UserError(
                f"class_weights names the class {unknown[0]}, but those that are learned are "
                f"{', '.join(names)}."
            )

    def balance(self, names: Sequence[str], balanced: Callable[[], NDArray[np.float32]]) -> Balance:
        """Return what is done.

        Args:
            names: of the classes, C.
            balanced: returns the weights by which all would count alike, (C,), where every class
                has an example.
        """
        given, weights = self.class_weights, None
        if given == "balanced":
            weights = balanced()
        elif given is not None:
            weights = np.array([given.get(name, 1.0) for name in names], np.float32)
        return Balance(weights, self.focal_gamma, self.label_smoothing, self.class_alpha)


RARE_CLASSES = frozenset(RareClasses.model_fields)
"""The keys; they came to tags and several classes later than those kinds."""
