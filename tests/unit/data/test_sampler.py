from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from xlmkit.core.errors import UserError
from xlmkit.data.sampler import Draw, Group, Sampler, all_once

TOKENS = 200


def groups() -> list[Group]:
    random = np.random.default_rng(0)
    return [
        Group("en", random.integers(4, 40, 900).astype(np.int32), 0.5),
        Group("fr", random.integers(4, 20, 300).astype(np.int32), 0.3),
        Group("zh", random.integers(10, 60, 50).astype(np.int32), 0.2),
    ]


def sampler(seed: object = "seed", tokens: int = TOKENS) -> Sampler:
    return Sampler(groups(), tokens, seed)


def items(draw: Draw) -> list[tuple[int, int]]:
    return list(zip(draw.group.tolist(), draw.item.tolist(), strict=True))


def drawn(owner: Sampler, numbers: range) -> list[tuple[int, int]]:
    return [item for number in numbers for item in items(owner.batch(number))]


def test_a_batch_is_a_function_of_seed_and_number() -> None:
    first = sampler()
    expected = {number: items(first.batch(number)) for number in range(100)}
    order = np.random.default_rng(1).permutation(100).tolist()
    again = sampler()
    for number in order:
        assert items(again.batch(number)) == expected[number]
    assert items(sampler().batch(77)) == expected[77]


def test_seeds_give_other_batches() -> None:
    chosen = {tuple(items(sampler(seed).batch(5))) for seed in ("a", "b", 1, (1, "mlm"))}
    assert len(chosen) == 4


def test_every_item_comes_once_in_an_epoch_of_its_group() -> None:
    owner = sampler()
    counts: Counter[tuple[int, int]] = Counter()
    for number in range(32 * 4):  # whole pools
        counts.update(items(owner.batch(number)))
    for number, group in enumerate(owner.groups):
        seen = [counts[number, item] for item in range(len(group.lengths))]
        assert max(seen) - min(seen) <= 1, group.name
        assert max(seen) >= 1
    assert min(counts[2, item] for item in range(50)) > 3  # several epochs of the small group


def test_epochs_have_orders_of_their_own() -> None:
    """A pool is 128 items, an epoch three pools: the first third is another one each time."""
    owner = Sampler([Group("tr", np.full(3 * 128, 4, np.int32), 1.0)], 16, 0)
    pools = [frozenset(drawn(owner, range(32 * n, 32 * (n + 1)))) for n in range(12)]
    for epoch in range(4):
        assert frozenset().union(*pools[3 * epoch : 3 * epoch + 3]) == {(0, i) for i in range(384)}
    for one in range(0, 12, 3):
        for other in range(one):
            assert len(pools[one] & pools[other]) < 90


def test_shares_of_draws_are_those_asked_for() -> None:
    owner = sampler(tokens=2000)
    drawn_groups = [group for group, _ in drawn(owner, range(128))]
    shares = np.bincount(drawn_groups) / len(drawn_groups)
    assert shares == pytest.approx([0.5, 0.3, 0.2], abs=0.01)
    assert list(owner.probabilities) == ["en", "fr", "zh"]
    assert list(owner.probabilities.values()) == pytest.approx([0.5, 0.3, 0.2], abs=1 / 2048)


def test_batches_have_nearly_the_tokens_asked_for() -> None:
    owner = sampler()
    lengths = [group.lengths for group in owner.groups]
    for pool in range(4):
        tokens = [
            sum(int(lengths[group][item]) for group, item in items(owner.batch(32 * pool + i)))
            for i in range(32)
        ]
        assert np.mean(tokens) == pytest.approx(TOKENS, rel=0.05)
        assert max(abs(total - np.mean(tokens)) for total in tokens) < 60  # one longest item


def test_a_batch_holds_items_of_similar_length() -> None:
    owner = sampler()
    lengths = [group.lengths for group in owner.groups]
    real = padded = 0
    for number in range(64):
        sizes = [int(lengths[group][item]) for group, item in items(owner.batch(number))]
        real, padded = real + sum(sizes), padded + max(sizes) * len(sizes)
    assert padded < 1.1 * real


def test_lengths_do_not_tell_when_a_batch_comes() -> None:
    owner = sampler()
    lengths = [group.lengths for group in owner.groups]
    means = [
        np.mean([int(lengths[group][item]) for group, item in items(owner.batch(number))])
        for number in range(32)
    ]
    assert abs(np.asarray(np.corrcoef(means, np.arange(32)))[0, 1]) < 0.6


@pytest.mark.parametrize("longest", [30, 3000])
def test_no_batch_is_empty_or_lost_when_items_are_longer_than_a_batch(longest: int) -> None:
    lengths = np.array([3] * 60 + [longest] * 5, np.int32)
    owner = Sampler([Group("de", lengths, 1.0)], 12, 0)
    pools = [[items(owner.batch(32 * pool + i)) for i in range(32)] for pool in range(5)]
    for pool in pools:
        assert all(pool)
        assert sum(map(len, pool)) == owner.pool_draws
    counts = Counter(item for pool in pools for batch in pool for item in batch)
    seen = [counts[0, item] for item in range(len(lengths))]
    assert max(seen) - min(seen) <= 1


def test_a_single_item_is_enough() -> None:
    owner = Sampler([Group("sw", np.array([5], np.int32), 1.0)], 20, 0)
    assert set(drawn(owner, range(40))) == {(0, 0)}
    assert all(len(items(owner.batch(number))) >= 1 for number in range(40))


def test_nothing_to_sample_is_said() -> None:
    with pytest.raises(UserError, match="no language has any training text"):
        Sampler([], 10, 0)
    with pytest.raises(UserError, match="no training text for fr-en"):
        Sampler([Group("fr-en", np.zeros(0, np.int32), 1.0)], 10, 0)


@pytest.mark.parametrize("tokens", [1, TOKENS, 10**6])
def test_for_a_measurement_every_item_comes_once_among_others_of_its_length(tokens: int) -> None:
    every = groups()
    batches = all_once(every, tokens)
    expected = {(n, i) for n, group in enumerate(every) for i in range(len(group.lengths))}
    assert Counter(item for draw in batches for item in items(draw)) == Counter(expected)
    lengths = [[int(every[n].lengths[i]) for n, i in items(draw)] for draw in batches]
    assert all(max(one) <= min(other) for one, other in pairwise(lengths))
    assert max(map(sum, lengths)) <= max(tokens + 60, 1)
    assert len(batches) >= sum(map(sum, lengths)) // (tokens + 60)
    if tokens == TOKENS:
        assert min(map(sum, lengths[:-1])) > tokens - 60
