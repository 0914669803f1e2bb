"""Cipher languages: L2 is L1 with every letter substituted, every word a letter."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from xlmkit.core.process import Processes
from xlmkit.data.encode import encode_corpus
from xlmkit.data.records import Record
from xlmkit.data.shards import Shards
from xlmkit.objectives.base import Objective
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary
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
def cipher(tmp_path_factory: pytest.TempPathFactory) -> Cipher:
    """Shards of translations, their tokenizer, and the records of each held-out split."""
    folder = tmp_path_factory.mktemp("cipher")
    random = np.random.default_rng(0)
    follower = random.permutation(24)
    records: dict[str, list[Record]] = {}
    for split, n_records in (("train", 3000), ("valid", 150), ("test", 150)):
        choices = [sentence(random, follower) for _ in range(n_records)]
        records[split] = [
            Record(
                {code: " ".join(word[i] for i in choice) for code, word in LETTERS.items()},
                "cipher",
                str(number),
            )
            for number, choice in enumerate(choices)
        ]
        lines = "".join(record.to_json() + "\n" for record in records[split])
        (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    symbols = [f"{letter}</w>" for letters in LETTERS.values() for letter in letters]
    tokenizer = Tokenizer(
        Vocabulary([*SPECIAL_TOKENS, *symbols]), Merges(()), {"en": 0, "el": 1}, segmenters={}
    )
    encode_corpus(folder, tokenizer, folder / "shards")
    return Shards(folder / "shards"), tokenizer, records


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
