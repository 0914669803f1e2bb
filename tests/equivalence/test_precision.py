"""Training in bfloat16 with float32 masters learns as training in float32 does."""

from typing import Any

import numpy as np
import pytest
import torch

from xlmkit.data.batch import Inputs, PredictionBatch
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.prediction import prediction_loss
from xlmkit.train.config import OptimizerConfig, learning_rate
from xlmkit.train.optim import FlatOptimizer

STEPS, WINDOW = 500, 50
WORDS = 40


def batch(number: int) -> PredictionBatch:
    """Sequences in which each word follows from the one before it; a seventh is hidden."""
    random = np.random.default_rng(number)
    tokens = np.empty((16, 14), np.int64)
    tokens[:, 0] = random.integers(14, WORDS, 16)
    for place in range(1, 14):
        tokens[:, place] = 14 + (tokens[:, place - 1] * 5 + 3) % (WORDS - 14)
    predict = np.sort(random.choice(tokens.size, tokens.size // 7, replace=False))
    targets = tokens.ravel()[predict]
    tokens.ravel()[predict] = 5
    places = torch.arange(14).expand(16, 14)
    inputs = Inputs(
        torch.from_numpy(tokens), torch.full((16,), 14), places, torch.zeros_like(places)
    )
    chosen = torch.from_numpy(predict)
    return PredictionBatch(
        inputs, chosen, torch.from_numpy(targets.copy()), torch.zeros_like(chosen)
    )


def curve(dtype: torch.dtype, dropout_seed: int) -> Any:
    """Train, and return the mean loss of every window of steps."""
    torch.manual_seed(0)
    shape = Architecture(
        n_words=WORDS, n_langs=1, n_layers=2, emb_dim=32, n_heads=4, embed_init_std=32**-0.5
    )
    model = LanguageModel(shape).train()
    config = OptimizerConfig(lr=3e-3, warmup=50)
    optimizer = FlatOptimizer(model, config, dtype)
    torch.manual_seed(dropout_seed)
    losses = []
    for step in range(STEPS):
        output = prediction_loss(model, batch(step), 1)
        output.sum.backward()
        optimizer.accumulate()
        optimizer.total.mul_(1.0 / output.count)
        optimizer.step(learning_rate(config, step, STEPS))
        losses.append(float(output.sum.detach()) / output.count)
    return np.array(losses).reshape(-1, WINDOW).mean(axis=1)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_bfloat16_curve_stays_within_the_noise_of_float32() -> None:
    """The noise is what other random numbers in dropout change."""
    runs = np.array([curve(torch.float32, seed) for seed in range(4)])
    made = curve(torch.bfloat16, 4)
    assert runs[:, -1].max() < 0.5 * runs[:, 0].min()  # there is something to keep up with
    spread = runs.std(axis=0, ddof=1)
    assert (np.abs(made - runs.mean(axis=0)) < 4 * spread + 0.02).all()
