import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from xlmkit.data.permutation import generator, key_of, permute

_KEYS = st.integers(0, 2**64 - 1)


@settings(max_examples=150, deadline=None)
@given(size=st.integers(1, 3000), key=_KEYS)
def test_every_index_gets_a_place_of_its_own(size: int, key: int) -> None:
    places = permute(np.arange(size), size, key)
    assert places.dtype == np.int64
    assert np.array_equal(np.sort(places), np.arange(size))


@settings(max_examples=50, deadline=None)
@given(size=st.integers(1, 2**40), key=_KEYS, data=st.data())
def test_large_sizes_stay_inside_and_apart(size: int, key: int, data: st.DataObject) -> None:
    asked = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=50, unique=True))
    places = permute(np.array(asked), size, key)
    assert ((places >= 0) & (places < size)).all()
    assert len(set(places.tolist())) == len(asked)


def test_an_index_has_its_place_whatever_else_is_asked() -> None:
    everything = permute(np.arange(1000), 1000, 7)
    assert permute(np.array([999]), 1000, 7)[0] == everything[999]
    square = np.arange(1000)[::-1].reshape(10, 100)
    assert np.array_equal(permute(square, 1000, 7), everything[::-1].reshape(10, 100))


def test_the_argument_is_left_alone() -> None:
    index = np.arange(10)
    permute(index, 10, 3)
    assert index.tolist() == list(range(10))


def test_keys_give_unrelated_orders() -> None:
    orders = np.stack([permute(np.arange(500), 500, key) for key in range(20)])
    correlation = np.asarray(np.corrcoef(orders))
    assert np.abs(correlation[~np.eye(20, dtype=bool)]).max() < 0.25
    against_index = [np.asarray(np.corrcoef(order, np.arange(500)))[0, 1] for order in orders]
    assert np.abs(against_index).max() < 0.25


def test_every_place_is_equally_likely() -> None:
    """Of 600 keys, index 0 of 6 goes to each place about 100 times."""
    places = [int(permute(np.array([0]), 6, key)[0]) for key in range(600)]
    counts = np.bincount(places, minlength=6)
    assert ((counts > 60) & (counts < 140)).all()


def test_keys_tell_parts_apart() -> None:
    assert key_of(1, "en") == key_of(1, "en")
    keys = {key_of(*parts) for parts in [(), (1,), (1, 2), (12,), ("1 2",), (2, 1), ("ру", 1)]}
    assert len(keys) == 7
    assert all(0 <= key < 2**64 for key in keys)


def test_keys_and_generators_are_the_same_in_another_process() -> None:
    program = (
        "from xlmkit.data.permutation import generator, key_of\n"
        "print(key_of(1, 'fr', (2, 'tlm')), generator('中', 3).integers(10**9))"
    )
    command = [sys.executable, "-c", program]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    expected = [key_of(1, "fr", (2, "tlm")), int(generator("中", 3).integers(10**9))]
    assert [int(word) for word in out.split()] == expected


def test_generators_of_other_parts_differ() -> None:
    draws = {float(generator(*parts).random()) for parts in [(0,), (1,), (0, 0), ("0", 1)]}
    assert len(draws) == 4
