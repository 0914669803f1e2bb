from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlmkit.data.mixture import Mixture

_WEIGHTS = st.lists(st.floats(0.001, 1000.0), min_size=1, max_size=12)


def test_a_cycle_holds_every_kind_in_its_share() -> None:
    mixture = Mixture([5.0, 3.0, 2.0], "seed", slots=100)
    for cycle in range(3):
        kinds, _ = mixture.draws(np.arange(100 * cycle, 100 * (cycle + 1)))
        assert np.bincount(kinds).tolist() == [50, 30, 20]
    assert mixture.shares == [0.5, 0.3, 0.2]


@settings(max_examples=40, deadline=None)
@given(weights=_WEIGHTS, slots=st.integers(20, 500))
def test_shares_are_the_weights_but_for_whole_slots(weights: list[float], slots: int) -> None:
    mixture = Mixture(weights, 0, slots=slots)
    exact = [float(Fraction(w) / sum(map(Fraction, weights)) * slots) for w in weights]
    assert (mixture.counts >= 1).all()
    assert sum(mixture.shares) == pytest.approx(1.0)
    for count, share in zip(mixture.counts.tolist(), exact, strict=True):
        assert count == 1 if share < 1 else abs(count - share) < 1 + 1e-9


def test_a_rare_kind_gets_one_slot_and_the_rest_goes_to_the_largest_remainders() -> None:
    assert Mixture([9, 55, 36], 0, slots=10).counts.tolist() == [1, 5, 4]


@settings(max_examples=40, deadline=None)
@given(weights=_WEIGHTS, seed=st.integers(0, 99))
def test_counts_number_each_kinds_draws_without_gaps(weights: list[float], seed: int) -> None:
    mixture = Mixture(weights, seed, slots=64)
    n_slots = int(mixture.counts.sum())
    kinds, counts = mixture.draws(np.arange(3 * n_slots))
    for kind, slots in enumerate(mixture.counts.tolist()):
        for cycle in range(3):
            inside = slice(cycle * n_slots, (cycle + 1) * n_slots)
            seen = np.sort(counts[inside][kinds[inside] == kind])
            assert seen.tolist() == list(range(cycle * slots, (cycle + 1) * slots))


def test_draws_may_be_asked_alone_and_in_any_order() -> None:
    mixture = Mixture([1, 2, 3], "x", slots=60)
    kinds, counts = mixture.draws(np.arange(200))
    for number in (199, 0, 60, 59, 7):
        again = Mixture([1, 2, 3], "x", slots=60).draw(number)
        assert again == (int(kinds[number]), int(counts[number]))


def test_seeds_and_cycles_have_orders_of_their_own() -> None:
    def order(seed: int, cycle: int) -> tuple[int, ...]:
        mixture = Mixture([1, 1], seed, slots=50)
        kinds, _ = mixture.draws(np.arange(50 * cycle, 50 * (cycle + 1)))
        return tuple(kinds.tolist())

    assert len({order(seed, cycle) for seed in (0, 1) for cycle in (0, 1)}) == 4


def test_kinds_are_mixed_within_a_cycle() -> None:
    kinds, _ = Mixture([1, 1], 0, slots=1000).draws(np.arange(1000))
    changes = np.count_nonzero(np.diff(kinds))
    assert 400 < changes < 600
