"""Keys and values of earlier positions, so that decoding computes only what is new.

Shapes: B sequences, H heads, L positions, S source positions, K beams of a sequence, C cells of a
search's cache, D width of a head.
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
        """Return the keys and values of the source that were kept, (B, H, S, D)."""
        ...

    def keep_source(self, layer: int, key_BHSD: Tensor, value_BHSD: Tensor) -> None:
        """Keep a layer's keys and values of the source, which do not change while decoding."""
        ...


class BeamCache:
    """The cache of xlmkit's own search, in which the beams of a sentence stand side by side.

    Every step adds a cell for each beam, and a cell never moves: which of them a beam may see, its
    own and those of the beams that it continues, is a mask. So continuing other beams copies
    nothing but that mask, and the source is held once for all beams of a sentence.
    """

    def __init__(self) -> None:
        self._own: dict[int, KeysAndValues] = {}  # with room for more cells than are used
        self._source: dict[int, KeysAndValues] = {}
        self._seen_BKC: Tensor | None = None
        self._start = self._end = 0
        self._always_one_beam = True
        self.length = 0

    def begin(self, words_BK: Tensor) -> Tensor | None:
        """Make the cells of a step, one for each word of the beams, before its layers are computed.

        Returns:
            Which cells every beam may see, (B, 1, K, C); None if it may see all.
        """
        n_sentences, n_beams = words_BK.shape
        own_KK = torch.eye(n_beams, dtype=torch.bool, device=words_BK.device)
        new_BKK = own_KK.expand(n_sentences, n_beams, n_beams)
        seen = self._seen_BKC
        self._seen_BKC = new_BKK if seen is None else torch.cat([seen, new_BKK], dim=2)
        self._start, self._end = self._end, self._end + n_beams
        self._always_one_beam = self._always_one_beam and n_beams == 1
        return None if self._always_one_beam else self._seen_BKC[:, None]

    def extend(self, layer: int, key_BHKD: Tensor, value_BHKD: Tensor) -> KeysAndValues:
        """Fill a layer's new cells, and return all that are used, (B, H, C, D)."""
        key, value = self._own.get(layer, (None, None))
        key, value = self._filled(key, key_BHKD), self._filled(value, value_BHKD)
        self._own[layer] = key, value
        return key[:, :, : self._end], value[:, :, : self._end]

    def _filled(self, cells_BHCD: Tensor | None, new_BHKD: Tensor) -> Tensor:
        """Put what is new behind what is held, with twice the room if there is none left."""
        if cells_BHCD is None or cells_BHCD.shape[2] < self._end:
            B, H, K, D = new_BHKD.shape
            room_BHCD = new_BHKD.new_empty(B, H, max(2 * self._end, 16 * K), D)
            if cells_BHCD is not None:
                room_BHCD[:, :, : self._start] = cells_BHCD[:, :, : self._start]
            cells_BHCD = room_BHCD
        cells_BHCD[:, :, self._start : self._end] = new_BHKD
        return cells_BHCD

    def end(self) -> None:
        """Close a step, after its layers are computed."""
        self.length += 1

    def source(self, layer: int) -> KeysAndValues | None:
        """Return a layer's keys and values of the source, None before the first step."""
        return self._source.get(layer)

    def keep_source(self, layer: int, key_BHSD: Tensor, value_BHSD: Tensor) -> None:
        """Keep a layer's keys and values of the source."""
        self._source[layer] = key_BHSD, value_BHSD

    def follow(self, parents_BK: Tensor) -> None:
        """Let new beams continue these beams of their sentences, (B, K)."""
        if self._seen_BKC is not None:
            cells = self._seen_BKC.shape[2]
            self._seen_BKC = self._seen_BKC.gather(1, parents_BK[..., None].expand(-1, -1, cells))

    def keep(self, sentences: Tensor) -> None:
        """Go on with these sentences, numbers of present ones, (new B,)."""
        if self._seen_BKC is not None:
            self._seen_BKC = self._seen_BKC.index_select(0, sentences)
        for kept in (self._own, self._source):
            for layer, (key, value) in kept.items():
                kept[layer] = key.index_select(0, sentences), value.index_select(0, sentences)
