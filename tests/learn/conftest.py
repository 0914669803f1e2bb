"""Cipher languages: L2 is L1 with every letter substituted, every word a letter."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from xlmkit.core.process import Processes
from xlmkit.data.records import Record
from xlmkit.data.shards import Shards
from xlmkit.objectives.base import Objective
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.train.config import OptimizerConfig
from xlmkit.train.loop import Plan, train
from xlmkit.train.optim import FlatOptimizer
from xlmkit.train.state import TrainingState

LETTERS = {"en": "abcdefghijklmnopqrstuvwx", "el": "αβγδεζηθικλμνξοπρστυφχψω"}
Cipher = tuple[Shards, Tokenizer, dict[str, list[Record]]]


def sentence(random: np.random.Generator, follower: NDArray[np.int64]) -> list[int]:
    """Draw words; every second one follows from the one before."""
    words: list[int] = []
    while len(words) < random.integers(4, 9):
        words.append(int(follower[words[-1]] if len(words) % 2 else random.integers(24)))
    return words


@pytest.fixture(scope="session")
def cipher(make_shards: Callable[..., Cipher]) -> Cipher:
    """Shards of translations, their tokenizer, and the records of each held-out split."""
    random = np.random.default_rng(0)
    follower = random.permutation(24)
    sizes = {"train": 3000, "valid": 150, "test": 150}
    splits = {split: [sentence(random, follower) for _ in range(n)] for split, n in sizes.items()}
    return make_shards(LETTERS, splits)


Learn = Callable[..., TrainingState]


@pytest.fixture
def learn() -> Learn:
    """Trains a model with objectives for some steps."""

    def run(
        model: nn.Module, objectives: Sequence[Objective], steps: int, lr: float
    ) -> TrainingState:
        config = OptimizerConfig(lr=lr, warmup=steps // 10)
        optimizer = FlatOptimizer(model, config, torch.float32)
        plan = Plan(objectives, [1.0] * len(objectives), steps, seed=1)
        return train(model, optimizer, plan, TrainingState(), [], Processes(), lambda: None)

    return run
