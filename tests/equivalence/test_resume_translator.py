"""A translator's training that was stopped, or killed, ends as one that ran through."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from xlmkit.build.back_translation import BackTranslator
from xlmkit.core.process import Processes
from xlmkit.data.noise import NoiseConfig
from xlmkit.data.shards import Shards
from xlmkit.data.translations import DirectedPairs, LanguageSentences, directions_of
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.objectives.backtranslate import BackTranslation
from xlmkit.objectives.base import Objective
from xlmkit.objectives.denoise import Denoising
from xlmkit.objectives.translate import Translation
from xlmkit.train.config import OptimizerConfig
from xlmkit.train.loop import Plan
from xlmkit.train.session import Session
from xlmkit.train.state import TrainingState

STEPS = 18
SCHEDULES = [((0, 1.0),), ((0, 1.0), (9, 0.0)), ((0, 0.0), (5, 1.0))]  # of MT, AE and BT


def objectives(shards: Shards) -> list[Objective]:
    build: dict[str, Any] = {"tokens": 160, "seed": 5}
    names = shards.languages
    one, two = ({"en": "en", "el": "el"}, {"el-en": "en", "en-el": "el"})
    return [
        Translation(
            DirectedPairs(directions_of(shards, "train"), 16, 0.7), names, smoothing=0.1, **build
        ),
        Denoising(
            LanguageSentences(shards, "train", one, 16, 0.7),
            NoiseConfig(), np.ones(38, bool), names, max_length=16, **build,
        ),
        BackTranslation(
            LanguageSentences(shards, "train", two, 16, 0.7),
            [1, 0], BackTranslator(16, temperature=0.7), names, max_length=16, **build,
        ),
    ]  # fmt: skip


class Trial:
    """Starts the same run again and again, each time with a new model and optimizer."""

    def __init__(self, shards: Shards, folder: Path) -> None:
        self.shards, self.folder = shards, folder

    def start(
        self, enough: Callable[[TrainingState], bool] = lambda _: False, seconds: float = 1e9
    ) -> tuple[TrainingState, dict[str, Tensor]]:
        torch.manual_seed(0)
        model = EncoderDecoder(
            Architecture(
                n_words=38, n_langs=2, n_layers=1, emb_dim=16, n_heads=2, dropout=0.2,
                max_position_embeddings=16,
            ),
            share_embeddings=True,
        )  # fmt: skip
        session = Session(
            title="trial",
            plan=Plan(objectives(self.shards), [1.0] * 3, STEPS, 2, 3, SCHEDULES),
            optimizer=OptimizerConfig(lr=1e-2, warmup=5),
            dtype=torch.float32,
            folder=self.folder,
            key="key",
            checkpoint_seconds=seconds,
            points=6,
            estimated_tokens=1000,
        )
        torch.rand(int(torch.randint(1, 50, ())))  # the generator's place plays no part
        return session.run(model, Processes(), None, enough)


def at(step: int, act: Callable[[], object]) -> Callable[[TrainingState], bool]:
    """Return what does something after a step and is never enough."""

    def enough(state: TrainingState) -> bool:
        if state.step == step:
            act()
        return False

    return enough


@pytest.fixture(scope="module")
def whole(
    shards: Shards, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TrainingState, dict[str, Tensor]]:
    return Trial(shards, tmp_path_factory.mktemp("whole")).start()


def assert_same(
    found: tuple[TrainingState, dict[str, Tensor]],
    expected: tuple[TrainingState, dict[str, Tensor]],
) -> None:
    curves = [
        [{k: v for k, v in p.items() if k != "seconds"} for p in state.curve]
        for state in (found[0], expected[0])
    ]
    assert curves[0] == curves[1]
    assert found[0].tokens == expected[0].tokens
    assert set(found[1]) == set(expected[1])
    for name, value in expected[1].items():
        assert torch.equal(found[1][name], value), name


def test_all_objectives_took_part(whole: tuple[TrainingState, dict[str, Tensor]]) -> None:
    assert whole[0].step == STEPS
    assert {p["objective"] for p in whole[0].curve} == {"mt", "ae", "bt"}


def test_a_stopped_run_goes_on_exactly(
    shards: Shards, tmp_path: Path, whole: tuple[TrainingState, dict[str, Tensor]]
) -> None:
    trial = Trial(shards, tmp_path)
    for step in (4, 11):
        with pytest.raises(KeyboardInterrupt):
            trial.start(at(step, lambda: signal.raise_signal(signal.SIGTERM)))
    assert_same(trial.start(), whole)


def test_a_killed_run_goes_on_from_its_last_checkpoint(
    shards: Shards, tmp_path: Path, whole: tuple[TrainingState, dict[str, Tensor]]
) -> None:
    class KilledError(Exception):
        pass

    def kill() -> None:
        raise KilledError

    trial = Trial(shards, tmp_path)
    with pytest.raises(KilledError):
        trial.start(at(12, kill), seconds=1e-9)  # a checkpoint after every step
    assert_same(trial.start(), whole)


def test_a_run_that_has_enough_is_finished_and_stays_so(shards: Shards, tmp_path: Path) -> None:
    trial = Trial(shards, tmp_path)
    state, weights = trial.start(lambda state: state.step >= 7)
    assert state.step == 7
    again = trial.start(lambda state: state.step >= 7)
    assert_same(again, (state, weights))
