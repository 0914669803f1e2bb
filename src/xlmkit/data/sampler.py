"""Which items stand in which batch: a pure function of seed, step and micro-batch.

Items belong to groups (a language, or a pair of languages) that are mixed by given probabilities.
Consecutive draws are gathered into pools; a pool is sorted by length and cut into batches of nearly
equal numbers of tokens, which are then shuffled. So batches hold sequences of similar length, and
every batch can be named without building those before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.data.mixture import Mixture
from xlmkit.data.permutation import Indices, generator, key_of, permute

_POOL_BATCHES = 32


@dataclass(frozen=True, slots=True)
class Group:
    """Items that are drawn with one probability.

    Attributes:
        name: the language, or the pair such as `en-fr`.
        lengths: tokens of each item with its special tokens, (items,).
        probability: share of the draws.
    """

    name: str
    lengths: NDArray[np.int32]
    probability: float


@dataclass(frozen=True, slots=True)
class Draw:
    """Items of one batch: `group[i]` is the number of the group, `item[i]` the item in it."""

    group: Indices
    item: Indices


class Sampler:
    """Cuts an endless, mixed, shuffled sequence of items into batches of `tokens` tokens.

    Args:
        groups: what is mixed; groups without items are refused.
        tokens: tokens of a batch, padding included, on average.
        seed: anything that tells this sampler's order from others.
    """

    def __init__(self, groups: Sequence[Group], tokens: int, seed: object) -> None:
        if not groups:
            raise UserError("There is nothing to sample: no language has any training text.")
        for group in groups:
            if len(group.lengths) == 0:
                raise UserError(f"There is no training text for {group.name}.")
        self.groups = list(groups)
        self.seed = seed
        self.mixture = Mixture([group.probability for group in groups], seed)
        mean_length = sum(
            share * float(group.lengths.mean())
            for share, group in zip(self.mixture.shares, groups, strict=True)
        )
        self.pool_draws = max(_POOL_BATCHES, round(_POOL_BATCHES * tokens / mean_length))
        self._pool: tuple[int, list[Draw]] | None = None

    @property
    def probabilities(self) -> Mapping[str, float]:
        """The share of the draws that each group really gets."""
        names = [group.name for group in self.groups]
        return dict(zip(names, self.mixture.shares, strict=True))

    def batch(self, number: int) -> Draw:
        """Return the items of batch `number`, counted from 0."""
        pool, place = divmod(number, _POOL_BATCHES)
        if self._pool is None or self._pool[0] != pool:
            self._pool = (pool, self._cut(pool))
        return self._pool[1][place]

    def _cut(self, pool: int) -> list[Draw]:
        """Draw a pool's items and cut them, sorted by length, into equally heavy batches."""
        first = pool * self.pool_draws
        group, item = self._draws(np.arange(first, first + self.pool_draws))
        lengths = np.empty(len(group), np.int64)
        for number, owner in enumerate(self.groups):
            mine = group == number
            lengths[mine] = owner.lengths[item[mine]]
        random = generator(self.seed, "pool", pool)
        order = np.lexsort((random.random(len(lengths)), lengths))
        weight = np.cumsum(lengths[order])
        cuts = np.searchsorted(weight, weight[-1] * np.arange(1, _POOL_BATCHES) / _POOL_BATCHES)
        # A pool has at least as many items as batches: no batch is left empty, at either end.
        place = np.arange(1, _POOL_BATCHES)
        cuts = np.clip(cuts, place, len(lengths) - _POOL_BATCHES + place)
        parts = np.split(order, cuts)
        return [Draw(group[parts[i]], item[parts[i]]) for i in random.permutation(_POOL_BATCHES)]

    def _draws(self, draw: Indices) -> tuple[Indices, Indices]:
        """Return the group and the item of each draw."""
        group, count = self.mixture.draws(draw)
        item = np.empty_like(draw)
        for number, owner in enumerate(self.groups):
            mine = np.flatnonzero(group == number)
            epoch, within = np.divmod(count[mine], len(owner.lengths))
            for turn in np.unique(epoch):
                now = epoch == turn
                key = key_of(self.seed, "item", owner.name, turn)
                item[mine[now]] = permute(within[now], len(owner.lengths), key)
        return group, item


def all_once(groups: Sequence[Group], tokens: int) -> list[Draw]:
    """Return batches in which every item of the groups stands once, for a measurement.

    Args:
        groups: what is measured; their probabilities play no part.
        tokens: about so many tokens of a batch, of items of similar length.
    """
    lengths = np.concatenate([group.lengths for group in groups])
    owner = np.repeat(np.arange(len(groups)), [len(group.lengths) for group in groups])
    item = np.concatenate([np.arange(len(group.lengths)) for group in groups])
    order = np.argsort(lengths, kind="stable")
    weight = np.cumsum(lengths[order], dtype=np.int64)
    cuts = np.flatnonzero(np.diff((weight - 1) // tokens)) + 1
    return [Draw(owner[part], item[part]) for part in np.split(order, cuts)]
