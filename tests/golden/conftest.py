"""Shards of two cipher languages: the same bytes on every machine."""

import random
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(scope="session")
def shards(make_shards: Callable[..., Any]) -> Any:
    rng = random.Random(0)
    train = [
        [min(rng.randrange(12), rng.randrange(12)) for _ in range(rng.randrange(2, 9))]
        for _ in range(200)
    ]
    letters = {"en": "abcdefghijkl", "el": "αβγδεζηθικλμ"}
    return make_shards(letters, {"train": train, "valid": [], "test": []})[0]
