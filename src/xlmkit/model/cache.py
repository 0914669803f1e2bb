"""Keys and values of earlier positions, so that decoding computes only what is new.

Shapes: B sequences, H heads, L positions, K source positions, D width of a head.
"""

from typing import Protocol

import torch
from torch import Tensor

KeysAndValues = tuple[Tensor, Tensor]


class Past(Protocol):
    """What attention asks of a cache."""

    @property
    def length(self) -> int:
        """How many positions lie before those that come next."""
        ...

    def extend(self, layer: int, key_BHLD: Tensor, value_BHLD: Tensor) -> KeysAndValues:
        """Keep a layer's new keys and values and return all of them, (B, H, length + L, D)."""
        ...

    def source(self, layer: int) -> KeysAndValues | None:
        """Return the keys and values of the source that were kept, (B, H, K, D)."""
        ...

    def keep_source(self, layer: int, key_BHKD: Tensor, value_BHKD: Tensor) -> None:
        """Keep a layer's keys and values of the source, which do not change while decoding."""
        ...


class KeyValueCache:
    """The cache of xlmkit's own search; its rows can be chosen anew after every step."""

    def __init__(self) -> None:
        self._own: dict[int, KeysAndValues] = {}
        self._source: dict[int, KeysAndValues] = {}

    @property
    def length(self) -> int:
        """How many positions are held."""
        return self._own[0][0].shape[2] if self._own else 0

    def extend(self, layer: int, key_BHLD: Tensor, value_BHLD: Tensor) -> KeysAndValues:
        """Add a layer's keys and values, and return all of them."""
        if layer in self._own:
            key, value = self._own[layer]
            key_BHLD = torch.cat([key, key_BHLD], dim=2)
            value_BHLD = torch.cat([value, value_BHLD], dim=2)
        self._own[layer] = key_BHLD, value_BHLD
        return key_BHLD, value_BHLD

    def source(self, layer: int) -> KeysAndValues | None:
        """Return a layer's keys and values of the source, None before the first step."""
        return self._source.get(layer)

    def keep_source(self, layer: int, key_BHKD: Tensor, value_BHKD: Tensor) -> None:
        """Keep a layer's keys and values of the source."""
        self._source[layer] = key_BHKD, value_BHKD

    def select(self, rows: Tensor, *, source_rows: Tensor | None = None) -> None:
        """Go on with these rows: beams that were extended, sentences that are not finished.

        Args:
            rows: numbers of present rows, in their new order, (new B,).
            source_rows: those of the source if they differ, for instance to keep none that moved
                only within its sentence; None where the source is to be chosen like the rest.
        """
        for kept, chosen in (
            (self._own, rows),
            (self._source, rows if source_rows is None else source_rows),
        ):
            for layer, (key, value) in kept.items():
                kept[layer] = key.index_select(0, chosen), value.index_select(0, chosen)
