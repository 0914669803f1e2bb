"""A run that was stopped, or killed, gives bit for bit what it would have given."""

import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from xlmkit.core.errors import UserError
from xlmkit.core.process import Processes
from xlmkit.data.shards import Shards
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.config import MlmConfig, TlmConfig
from xlmkit.objectives.mlm import MaskedLanguageModeling
from xlmkit.train.config import OptimizerConfig
from xlmkit.train.loop import Plan
from xlmkit.train.session import Session
from xlmkit.train.state import STATE_FILE, TrainingState
from xlmkit.train.validation import Validation

STEPS = 24


class Watched:
    """An objective that calls something before each of its losses."""

    def __init__(self, inner: MaskedLanguageModeling, before: Callable[[], None]) -> None:
        self.inner, self.before = inner, before
        self.name, self.groups = inner.name, inner.groups
        self.batch, self.tokens = inner.batch, inner.tokens

    def loss(self, model: LanguageModel, batch: Any) -> Any:
        self.before()
        return self.inner.loss(model, batch)


def objectives(
    shards: Shards, split: str, before: Callable[[], None] = lambda: None
) -> list[Watched]:
    build: dict[str, Any] = {"shards": shards, "split": split, "tokens": 128, "seed": (5, split)}
    return [
        Watched(
            MaskedLanguageModeling.mlm(
                MlmConfig.model_validate({"length": 16, "masking": {"sample_alpha": 0.5}}), **build
            ),
            before,
        ),
        Watched(
            MaskedLanguageModeling.tlm(
                TlmConfig.model_validate({"length": 24, "one_side": 0.5}), **build
            ),
            before,
        ),
    ]


class Trial:
    """Starts the same run again and again, each time with a new model and optimizer."""

    def __init__(
        self,
        shards: Shards,
        folder: Path,
        dtype: torch.dtype = torch.float32,
        average: float = 0.0,
    ) -> None:
        self.shards, self.folder, self.dtype, self.average = shards, folder, dtype, average
        self.losses = 0  # of the last start

    def start(
        self, before: Callable[[], object] = lambda: None, checkpoint_seconds: float = 1e9
    ) -> tuple[TrainingState, dict[str, Tensor]]:
        def count() -> None:
            self.losses += 1
            before()

        self.losses = 0
        torch.manual_seed(0)
        model = LanguageModel(
            Architecture(n_words=38, n_langs=2, n_layers=2, emb_dim=16, n_heads=2, dropout=0.2)
        )
        session = Session(
            title="trial",
            plan=Plan(objectives(self.shards, "train", count), [2.0, 1.0], STEPS, 2, seed=3),
            optimizer=OptimizerConfig(lr=1e-2, warmup=5, average=self.average),
            dtype=self.dtype,
            folder=self.folder,
            key="key",
            checkpoint_seconds=checkpoint_seconds,
            points=8,
            estimated_tokens=1000,
        )
        torch.rand(int(torch.randint(1, 50, ())))  # the generator's place plays no part
        return session.run(model, Processes(), Validation(objectives(self.shards, "valid"), 2))

    def interrupted(self, at: int, act: Callable[[], object], every: float = 1e9) -> None:
        """Run until loss number `at` since the start, then do something."""
        self.start(lambda: act() if self.losses == at else None, every)


@pytest.fixture(scope="module")
def whole(
    shards: Shards, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TrainingState, dict[str, Tensor]]:
    return Trial(shards, tmp_path_factory.mktemp("whole")).start()


def without_time(state: TrainingState) -> dict[str, Any]:
    curve = [{k: v for k, v in point.items() if k != "seconds"} for point in state.curve]
    return {"curve": curve, "step": state.step, "tokens": state.tokens, "sums": state.sums}


def assert_same(
    found: tuple[TrainingState, dict[str, Tensor]],
    expected: tuple[TrainingState, dict[str, Tensor]],
) -> None:
    assert without_time(found[0]) == without_time(expected[0])
    assert set(found[1]) == set(expected[1])
    for name, value in expected[1].items():
        assert torch.equal(found[1][name], value), name


def test_the_run_itself_is_whole(whole: tuple[TrainingState, dict[str, Tensor]]) -> None:
    state = whole[0]
    assert state.step == STEPS
    kinds = {(p["objective"], p["split"], p["language"]) for p in state.curve}
    assert {("mlm", "train", None), ("tlm", "train", None)} <= kinds
    assert {("mlm", "valid", "en"), ("tlm", "valid", "el")} <= kinds


def test_a_run_gives_the_same_twice(
    shards: Shards, tmp_path: Path, whole: tuple[TrainingState, dict[str, Tensor]]
) -> None:
    assert_same(Trial(shards, tmp_path).start(), whole)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_run_stopped_by_signals_goes_on_exactly(
    shards: Shards,
    tmp_path: Path,
    whole: tuple[TrainingState, dict[str, Tensor]],
    dtype: torch.dtype,
) -> None:
    expected = whole
    if dtype == torch.bfloat16:
        expected = Trial(shards, tmp_path / "whole", dtype).start()
    trial = Trial(shards, tmp_path, dtype)
    for at, number in ((1, signal.SIGTERM), (12, signal.SIGINT), (17, signal.SIGTERM)):
        with pytest.raises(KeyboardInterrupt):
            trial.interrupted(at, partial(signal.raise_signal, number))
        assert (tmp_path / STATE_FILE).is_file()
    assert_same(trial.start(), expected)
    assert trial.losses == 2 * (STEPS - 1 - 6 - 9)


def test_the_average_goes_on_exactly_and_is_what_is_measured_and_returned(
    shards: Shards, tmp_path: Path, whole: tuple[TrainingState, dict[str, Tensor]]
) -> None:
    expected = Trial(shards, tmp_path / "whole", average=0.9).start()
    trial = Trial(shards, tmp_path, average=0.9)
    with pytest.raises(KeyboardInterrupt):
        trial.interrupted(25, partial(signal.raise_signal, signal.SIGTERM))
    assert_same(trial.start(), expected)

    def losses(run: tuple[TrainingState, dict[str, Tensor]], split: str) -> list[float]:
        return [point["loss"] for point in run[0].curve if point["split"] == split]

    assert losses(expected, "train") == losses(whole, "train")  # it does not touch what is learned
    assert losses(expected, "valid") != losses(whole, "valid")
    assert any(not torch.equal(value, whole[1][name]) for name, value in expected[1].items())


def test_a_killed_run_goes_on_from_its_last_checkpoint(
    shards: Shards, tmp_path: Path, whole: tuple[TrainingState, dict[str, Tensor]]
) -> None:
    class KilledError(Exception):
        pass

    def kill() -> None:
        raise KilledError

    trial = Trial(shards, tmp_path)
    with pytest.raises(KilledError):
        trial.interrupted(20, kill, every=1e-9)  # a checkpoint after every step
    assert_same(trial.start(), whole)
    assert trial.losses == 2 * (STEPS - 9)


def test_a_checkpoint_of_another_recipe_is_not_used(
    shards: Shards, tmp_path: Path, whole: tuple[TrainingState, dict[str, Tensor]]
) -> None:
    trial = Trial(shards, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        trial.interrupted(8, partial(signal.raise_signal, signal.SIGTERM))
    path = tmp_path / STATE_FILE
    content = path.read_bytes()
    assert content.count(b'"key":"key"') == 1
    path.write_bytes(content.replace(b'"key":"key"', b'"key":"yek"'))
    assert_same(trial.start(), whole)
    assert trial.losses == 2 * STEPS


def test_a_damaged_checkpoint_stops_the_run(shards: Shards, tmp_path: Path) -> None:
    trial = Trial(shards, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        trial.interrupted(8, partial(signal.raise_signal, signal.SIGTERM))
    path = tmp_path / STATE_FILE
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match="damaged"):
        trial.start()
