"""A training that goes back to its last saved state still has the models that it may choose."""

import signal
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from xlmkit.build.selecting import Selection
from xlmkit.build.translation_measure import TranslationValidation
from xlmkit.core.files import read_json
from xlmkit.core.process import Processes
from xlmkit.objectives.base import LossOutput
from xlmkit.run import prepare, train_translator
from xlmkit.train.config import OptimizerConfig
from xlmkit.train.hooks import point
from xlmkit.train.loop import Plan
from xlmkit.train.session import Session
from xlmkit.train.state import TrainingState


class KilledError(Exception):
    pass


class Line:
    """Learns y = 0 of two numbers; the loss is not finite at the tries of steps in `spoiled`."""

    name, groups = "line", ("a",)

    def __init__(self) -> None:
        self.spoiled: set[int] = set()
        self.tries = 0

    def batch(self, number: int) -> Tensor:
        return torch.full((1, 2), 1.0 + number % 3)

    def tokens(self, batch: Tensor) -> int:
        return batch.numel()

    def loss(self, model: nn.Module, batch: Tensor) -> LossOutput:
        self.tries += 1
        bad = float("nan") if self.tries in self.spoiled else 1.0
        parts = torch.tensor([[1.0, 1.0, 0.0]], dtype=torch.float64)
        scores = model(batch.to(next(model.parameters()).dtype))
        return LossOutput(scores.square().sum() * bad, 1, parts)


class Trial:
    """A training of ten steps, of which every second is validated and gives the next of values."""

    patience = None
    test: ClassVar = {"en": ["an example"]}

    def __init__(self, folder: Path, values: list[float]) -> None:
        self.folder, self.values, self.value = folder, iter(values), 0.0
        self.line = Line()

    def save(self, folder: Path, weights: object, provenance: object) -> None:
        folder.mkdir(parents=True)
        (folder / "value").write_text(f"{self.value}", encoding="utf-8")

    def measure(self, *_: object) -> dict[str, Any]:
        return {"metrics": ["f1"], "languages": {"en": {"f1": {"value": self.value}}}}

    def start(self, *, enough_at: int = -1, killed_at: int = -1) -> Any:
        made: Any = self
        selection = Selection(made, made, made, made, ["en"], self.folder, {})

        def validate(model: nn.Module, state: TrainingState, weights: Any) -> None:
            self.value = next(self.values)
            selection.validate(model, state, weights)
            if state.step == killed_at:
                raise KilledError

        session = Session(
            title="trial",
            plan=Plan([self.line], [1.0], 10),
            optimizer=OptimizerConfig(lr=1e-3),
            dtype=torch.float32,
            folder=self.folder,
            key="key",
            checkpoint_seconds=1e9,
            points=5,
            estimated_tokens=10,
            validate_every=2,
        )
        state, _ = session.run(
            nn.Linear(2, 1), Processes(), validate,
            lambda state: state.step == enough_at, selection.kept.on_saved,
        )  # fmt: skip
        return selection.take_best(state)


def steps(folder: Path) -> set[str]:
    return {path.name for path in (folder / "steps").iterdir()}


def test_a_rollback_finds_the_model_that_was_the_best_before(tmp_path: Path) -> None:
    trial = Trial(tmp_path, [0.5, 0.6, 0.3, 0.45, 0.4, 0.3, 0.2])
    trial.start(enough_at=2)
    trial.line.spoiled = {5, 6, 7}  # back to step 2, though step 4 was better
    assert trial.start()["source_selected"] == 2
    assert (tmp_path / "value").read_text("utf-8") == "0.5"
    assert steps(tmp_path) == {"2"}


def test_a_killed_training_that_learns_otherwise_has_its_best_model(tmp_path: Path) -> None:
    trial = Trial(tmp_path, [0.5, 0.6, 0.45, 0.55, 0.3, 0.2])
    trial.start(enough_at=2)
    with pytest.raises(KilledError):
        trial.start(killed_at=4)
    assert steps(tmp_path) == {"2", "4"}
    assert trial.start()["source_selected"] == 6
    assert (tmp_path / "value").read_text("utf-8") == "0.55"
    assert steps(tmp_path) == {"6"}


def test_only_the_best_models_stay(tmp_path: Path) -> None:
    trial = Trial(tmp_path, [0.1, 0.2, 0.3])
    with pytest.raises(KilledError):
        trial.start(killed_at=6)
    assert steps(tmp_path) == {"6"}  # no state is saved, so that none is needed for one


SECTION = """\
translation:
  steps: 6
  tokens_per_batch: 256
  optimizer: {lr: 5.0e-3, warmup: 3}
  validate_every: 2
  models: {fresh: {mt: {directions: [en-zh], length: 32}}}
"""
SETTINGS = ["data.split.valid=0.05", "data.split.test=0.05", "pretrain.models=null"]


def test_a_translator_that_goes_back_has_the_weights_of_its_best_step(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, out = project / "recipe.yaml", project / "out"
    text = recipe.read_text("utf-8").partition("finetune:")[0]
    recipe.write_text(f"{text}{SECTION}", encoding="utf-8")
    # Stopped and saved at step 2; killed after step 4; then it goes on from step 2.
    values, seen = iter([0.5, 0.6, None, 0.45, 0.4]), []

    def measured(_: object, model: nn.Module, state: TrainingState) -> None:
        if (value := next(values)) is None:
            raise KilledError
        seen.append(next(model.parameters()).detach().clone())
        state.curve.append(point(state, "bleu", "average", "valid", {"bleu": value}))
        if len(seen) == 1:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(TranslationValidation, "__call__", measured)
    prepare(recipe, SETTINGS, out, False)
    for how in (KeyboardInterrupt, KilledError):
        with pytest.raises(how):
            train_translator(recipe, SETTINGS, out, False)
    train_translator(recipe, SETTINGS, out, False)
    folder = out / "translation" / "fresh"
    assert read_json(folder / "figures.json")["best_step"] == 2
    weights = load_file(folder / "model.safetensors").values()
    assert any(torch.equal(one.float(), seen[0]) for one in weights if one.shape == seen[0].shape)
    assert not (folder / "best").exists()


def test_the_kept_weights_are_never_rounded(tmp_path: Path) -> None:
    kept: list[dict[str, torch.Tensor]] = []

    def validate(model: nn.Module, state: TrainingState, weights: Any) -> None:
        del state
        assert next(model.parameters()).dtype == torch.bfloat16
        kept.append(weights())

    session = Session(
        title="trial", plan=Plan([Line()], [1.0], 4), optimizer=OptimizerConfig(lr=1e-3),
        dtype=torch.bfloat16, folder=tmp_path, key="key", checkpoint_seconds=1e9, points=1,
        estimated_tokens=4, validate_every=4,
    )  # fmt: skip
    _, weights = session.run(nn.Linear(2, 1), Processes(), validate)
    assert len(kept) == 1
    for name, value in weights.items():
        assert torch.equal(kept[0][name], value)
    assert any(not torch.equal(value, value.bfloat16().float()) for value in weights.values())
