"""Random order without state: hashes and permutations that are pure functions of a key.

A sampler that can name the i-th item of any epoch without having drawn those before it needs no
saved state: a few integers resume it exactly, on any number of processes.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)  # the finaliser of SplitMix64 (Steele et al. 2014)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_ROUNDS = 4

Indices = NDArray[np.int64]


def key_of(*parts: object) -> int:
    """Return a 64-bit key for a tuple of values, the same on every machine and in every process."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def generator(*parts: object) -> np.random.Generator:
    """Return a random generator that depends on nothing but `parts`."""
    return np.random.Generator(np.random.PCG64(key_of(*parts)))


def permute(index: Indices, size: int, key: int) -> Indices:
    """Map indices below `size` to their places in a random permutation of range(size).

    A Feistel network over the next even power of two, walked until the value falls below `size`
    (Black & Rogaway 2002), so that neither memory nor time depends on the size.

    Args:
        index: values in [0, size), any shape.
        size: how many items are permuted.
        key: 64-bit key that chooses the permutation.
    """
    half_bits = max(1, (max(size - 1, 1).bit_length() + 1) // 2)
    value = _feistel(index.astype(np.uint64), half_bits, key)
    while (outside := value >= size).any():
        value[outside] = _feistel(value[outside], half_bits, key)
    return value.astype(np.int64)


def _feistel(value: NDArray[np.uint64], half_bits: int, key: int) -> NDArray[np.uint64]:
    bits, mask = np.uint64(half_bits), np.uint64((1 << half_bits) - 1)
    left, right = value >> bits, value & mask
    for round_number in range(_ROUNDS):
        salt = np.uint64(key_of(key, round_number))
        left, right = right, left ^ (_mix(right ^ salt) & mask)
    return (left << bits) | right


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        value = (value ^ (value >> np.uint64(30))) * _MIX_1
        value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))
