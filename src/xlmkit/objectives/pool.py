"""Examples of an adaptation, drawn as they are or with other shares of their languages or classes.

A part of n examples is drawn with probability n^alpha / sum, as languages are in pretraining: with
alpha 1 as often as it is, with 0 as often as every other part. Parts may lie within parts: classes
within each language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.permutation import Indices
from xlmkit.data.sampler import Draw, Group, Sampler


@dataclass(frozen=True, slots=True)
class Parts:
    """How examples fall into parts.

    Attributes:
        of: number of the part that each example is of, (examples,).
        alpha: exponent of the parts' shares.
    """

    of: NDArray[Any]
    alpha: float


class Pool:
    """What a sampler draws from.

    Args:
        lengths: tokens of each example, (examples,).
        parts: the outer ones first; those whose alpha is 1 change nothing.
        tokens: tokens of a batch.
        seed: fixes the order.
    """

    def __init__(
        self, lengths: NDArray[np.int32], parts: Sequence[Parts], *, tokens: int, seed: object
    ) -> None:
        found = [("all", np.arange(len(lengths)), 1.0)]
        for depth, part in enumerate(one for one in parts if one.alpha != 1):
            found = [inner for outer in found for inner in _parted(*outer, part, nested=depth > 0)]
        self._members = [members for _, members, _ in found]
        groups = [Group(name, lengths[members], share) for name, members, share in found]
        self.sampler = Sampler(groups, tokens, seed)

    def batch(self, number: int) -> Indices:
        """Return the examples of batch `number`, counted from 0."""
        return self._examples(self.sampler.batch(number))

    def _examples(self, drawn: Draw) -> Indices:
        examples = np.empty_like(drawn.item)
        for group, members in enumerate(self._members):
            mine = drawn.group == group
            examples[mine] = members[drawn.item[mine]]
        return examples


def _parted(
    name: str, members: Indices, share: float, parts: Parts, *, nested: bool
) -> list[tuple[str, Indices, float]]:
    """Return name, examples and share of each part of a group."""
    of = parts.of[members]
    inner = [members[of == number] for number in np.unique(of)]
    if len(inner) == 1:
        return [(name, members, share)]
    weights = [len(one) ** parts.alpha for one in inner]
    total = sum(weights) if nested else 1  # shares of the outermost need not add up to 1
    before = f"{name}/" if nested else ""
    return [
        (f"{before}{number}", one, share * weight / total)
        for number, (one, weight) in enumerate(zip(inner, weights, strict=True))
    ]
