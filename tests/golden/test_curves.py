"""Losses and gradient norms of twenty steps, which a change without effect may not move.

They are equal to the last bit on one machine and agree closely between machines, whose matrix
products round differently. After a change that is meant to move them, write them anew with
XLMKIT_GOLDEN_UPDATE=1 and say so in the change.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from xlmkit.core.process import Processes
from xlmkit.data.batch import Segment, SegmentRows
from xlmkit.data.shards import Shards
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel, SequenceClassifier
from xlmkit.objectives.base import Objective
from xlmkit.objectives.classify import SequenceClassification
from xlmkit.objectives.clm import CausalLanguageModeling
from xlmkit.objectives.config import ClmConfig, MlmConfig, TlmConfig
from xlmkit.objectives.mlm import MaskedLanguageModeling
from xlmkit.train.config import OptimizerConfig
from xlmkit.train.loop import Plan, StepReport, train
from xlmkit.train.optim import FlatOptimizer
from xlmkit.train.state import TrainingState

STEPS = 20
TOLERANCE = 1e-6
HERE = Path(__file__).parent
Case = Callable[[Shards], tuple[nn.Module, Objective]]


def architecture(**choices: Any) -> Architecture:
    return Architecture(
        n_words=38,
        n_langs=2,
        n_layers=2,
        emb_dim=16,
        n_heads=2,
        max_position_embeddings=32,
        embed_init_std=0.25,
        **choices,
    )


def mlm(shards: Shards) -> tuple[nn.Module, Objective]:
    section = MlmConfig.model_validate({"length": 16, "masking": {"sample_alpha": 0.5}})
    objective = MaskedLanguageModeling.mlm(section, shards, split="train", tokens=128, seed=1)
    return LanguageModel(architecture()), objective


def tlm(shards: Shards) -> tuple[nn.Module, Objective]:
    section = TlmConfig.model_validate({"length": 24, "one_side": 0.5})
    objective = MaskedLanguageModeling.tlm(section, shards, split="train", tokens=128, seed=1)
    return LanguageModel(architecture()), objective


def clm(shards: Shards) -> tuple[nn.Module, Objective]:
    objective = CausalLanguageModeling(
        ClmConfig(length=16), shards, split="train", tokens=128, seed=1
    )
    return LanguageModel(architecture(causal=True)), objective


def classify(shards: Shards) -> tuple[nn.Module, Objective]:
    greek = shards.sentences("train", "el")
    rows: list[tuple[Segment, ...]] = [((greek[number], 1),) for number in range(len(greek))]
    labels = np.array([number % 3 for number in range(len(greek))])
    objective = SequenceClassification(SegmentRows(rows, 16), labels, tokens=128, seed=1)
    return SequenceClassifier(architecture(), 3), objective


def curve(case: Case, shards: Shards) -> list[list[float]]:
    """Return the loss, summed over a step's items, and the norm of each step's gradient."""
    torch.manual_seed(7)
    model, objective = case(shards)
    config = OptimizerConfig(lr=3e-3, warmup=4)
    optimizer = FlatOptimizer(model, config, torch.float32)
    points: list[list[float]] = []

    def keep(_: TrainingState, report: StepReport) -> bool:
        points.append([float(report.parts[:, 0].sum()), report.norm])
        return False

    plan = Plan([objective], [1.0], STEPS, accumulate=2, seed=3)
    train(model, optimizer, plan, TrainingState(), [keep], Processes(), lambda: None)
    return points


@pytest.mark.parametrize("case", [mlm, tlm, clm, classify])
def test_twenty_steps(case: Case, shards: Shards) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = curve(case, shards)
    finally:
        torch.set_num_threads(threads)
    path = HERE / f"{case.__name__}.json"
    if os.environ.get("XLMKIT_GOLDEN_UPDATE") == "1":
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    expected = json.loads(path.read_text(encoding="utf-8"))
    assert len(found) == len(expected) == STEPS
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE)
