"""Mixing by given shares, without state: which kind the n-th draw is, and how often it came before.

Draws come in cycles of a fixed number of slots; in each cycle every kind has exactly its share, in
an order of its own.
"""

from collections.abc import Sequence

import numpy as np

from xlmkit.data.permutation import Indices, key_of, permute

_SLOTS = 2048


class Mixture:
    """A mixture of kinds by their weights.

    Args:
        weights: of each kind, any positive scale.
        seed: anything that tells this mixture's order from others.
        slots: draws of a cycle; shares are rounded to whole slots, at least one each.
    """

    def __init__(self, weights: Sequence[float], seed: object, slots: int = _SLOTS) -> None:
        exact = np.array(weights, float) / sum(weights) * slots
        counts = np.maximum(np.floor(exact), 1).astype(np.int64)
        missing = max(0, slots - int(counts.sum()))
        largest = np.argsort(counts - exact, kind="stable")  # largest remainders first
        counts[largest[:missing]] += 1
        self.counts, self.seed = counts, seed
        self._ends = np.cumsum(counts)

    @property
    def shares(self) -> list[float]:
        """The share of the draws that each kind really gets."""
        return [float(share) for share in self.counts / self._ends[-1]]

    def draws(self, draw: Indices) -> tuple[Indices, Indices]:
        """Return the kind of each draw, and how often that kind was drawn before."""
        cycle, place = np.divmod(draw, int(self._ends[-1]))
        kind, count = np.empty_like(draw), np.empty_like(draw)
        for number in np.unique(cycle).tolist():
            now = cycle == number
            kinds, ranks = self._cycle(number)
            kind[now] = kinds[place[now]]
            count[now] = number * self.counts[kind[now]] + ranks[place[now]]
        return kind, count

    def draw(self, number: int) -> tuple[int, int]:
        """Return the kind of one draw, and how often that kind was drawn before."""
        kind, count = self.draws(np.array([number]))
        return int(kind[0]), int(count[0])

    def _cycle(self, number: int) -> tuple[Indices, Indices]:
        """Return the kind of each draw of a cycle, and how often it came before in the cycle."""
        places = np.arange(int(self._ends[-1]))
        slots = permute(places, len(places), key_of(self.seed, "slot", number))
        kinds = np.searchsorted(self._ends, slots, side="right")
        order = np.argsort(kinds, kind="stable")
        ranks = np.empty_like(places)
        ranks[order] = places - (self._ends - self.counts)[kinds[order]]
        return kinds, ranks
