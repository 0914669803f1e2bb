import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from xlmkit.core.config import load_config
from xlmkit.core.errors import MissingPackageError, UserError
from xlmkit.core.process import Processes
from xlmkit.plan import RunPlan
from xlmkit.recipe import Recipe
from xlmkit.run import prepare, pretrain
from xlmkit.train.hooks import Track, point
from xlmkit.train.loop import StepReport
from xlmkit.train.state import TrainingState
from xlmkit.train.trackers import check_installed
from xlmkit.train.tracking import Tracking, figures_of

REPORT = StepReport(0, torch.zeros(1, 3), 100, 0.5, 1e-3)


def test_figures_are_named_by_split_objective_and_language() -> None:
    state = TrainingState(step=3)
    points = [
        point(state, "mlm", None, "train", {"loss": 2.0, "accuracy": 0.25}),
        point(state, "mlm", "en", "valid", {"loss": 1.0}),
    ]
    assert figures_of(points) == {
        "train/mlm/loss": 2.0,
        "train/mlm/accuracy": 0.25,
        "valid/mlm/en/loss": 1.0,
    }


def walk(track: Track, state: TrainingState, step: int, loss: float | None) -> None:
    state.step, state.tokens, state.seconds = step, 100 * step, 2.0 * step
    if loss is not None:
        state.curve.append(point(state, "mlm", None, "train", {"loss": loss}))
    assert track(state, REPORT) is False


def test_each_point_is_tracked_once_with_rate_and_speed() -> None:
    seen: list[tuple[int, Mapping[str, float]]] = []
    state = TrainingState()
    track = Track([lambda step, figures: seen.append((step, figures))], state)
    for step in range(1, 5):
        walk(track, state, step, 1 / step if step % 2 == 0 else None)
    assert [step for step, _ in seen] == [2, 4]
    assert [figures["train/mlm/loss"] for _, figures in seen] == [0.5, 0.25]
    assert seen[0][1]["train/learning_rate"] == 1e-3
    assert seen[0][1]["train/gradient_norm"] == 0.5
    assert seen[1][1]["train/tokens_per_second"] == 50.0


def test_a_resumed_or_rolled_back_training_goes_on_where_it_is() -> None:
    seen: list[int] = []
    old = TrainingState(step=4, curve=[{"step": 2}, {"step": 4}])
    track = Track([lambda step, _: seen.append(step)], old)
    walk(track, old, 5, None)
    walk(track, old, 6, 1.0)
    assert seen == [6]
    back = TrainingState(step=4, curve=old.curve[:2])  # what a checkpoint brings back
    walk(track, back, 5, None)
    walk(track, back, 6, 2.0)
    assert seen == [6, 6]


def test_a_name_or_a_list_and_no_others(project: Path) -> None:
    path = project / "recipe.yaml"
    assert load_config(path, Recipe).trackers == ()
    assert load_config(path, Recipe, ["tracking=wandb"]).trackers == ("wandb",)
    both = load_config(path, Recipe, ["tracking=[tensorboard, trackio]"])
    assert both.trackers == ("tensorboard", "trackio")
    with pytest.raises(UserError, match="tracking"):
        load_config(path, Recipe, ["tracking=mlflow"])


def test_a_tracker_that_cannot_begin_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", Recorder(refuses=True))
    monkeypatch.setattr("xlmkit.train.trackers.find_spec", lambda name: name)
    refused = r"wandb cannot begin \(RuntimeError: log in first\)"
    with (
        pytest.raises(UserError, match=refused),
        Tracking(["wandb"], "mine", tmp_path).open("pretrain/model", 0, "0" * 64),
    ):
        pass


def test_no_stage_depends_on_it(project: Path) -> None:
    keys = []
    for overrides in ([], ["tracking=tensorboard"]):
        recipe = load_config(project / "recipe.yaml", Recipe, overrides)
        plan = RunPlan(recipe, project, project / "out", Processes())
        keys.append([plan.pretrained("both").key, plan.finetuned("both", "kind").key])
    assert keys[0] == keys[1]


def test_a_missing_package_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xlmkit.train.trackers.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"wandb needs .* pip install 'xlmkit\[wandb\]'"):
        check_installed(["wandb"])
    check_installed([])


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Read what TensorBoard would show."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return {
        tag: [(one.step, one.value) for one in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_shows_the_curve_of_a_run(project: Path) -> None:
    pytest.importorskip("tensorboard")
    overrides = ["tracking=tensorboard", "pretrain.points=4"]
    out = project / "out"
    prepare(project / "recipe.yaml", overrides, out, False)
    pretrain(project / "recipe.yaml", overrides, out, False)
    shown = scalars(out / "tracking" / "tensorboard" / "pretrain" / "both")
    curve = json.loads((out / "pretrain" / "both" / "figures.json").read_text("utf-8"))["curve"]
    for objective in ("mlm", "tlm"):
        expected = [
            (one["step"], pytest.approx(one["loss"], rel=1e-4))
            for one in curve
            if (one["objective"], one["split"]) == (objective, "train")
        ]
        assert len(expected) == 4
        assert shown[f"train/{objective}/loss"] == expected
    assert len(shown["train/learning_rate"]) == 4
    assert any(tag.startswith("valid/mlm/") for tag in shown)
    assert min(value for _, value in shown["train/tokens_per_second"]) > 0


class Recorder:
    """Stands for wandb or trackio, and for the run that they give."""

    Settings = dict

    def __init__(self, *, refuses: bool = False, fails: tuple[str, ...] = ()) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.refuses, self.fails = refuses, fails

    def init(self, **options: Any) -> "Recorder":
        if self.refuses:
            raise RuntimeError("log in first")
        self.calls.append(("init", options))
        return self

    def log(self, figures: dict[str, float], step: int) -> None:
        self.calls.append(("log", (step, figures)))
        self._may_fail("log")

    def finish(self) -> None:
        self.calls.append(("finish", None))
        self._may_fail("finish")

    def _may_fail(self, call: str) -> None:
        if call in self.fails:
            raise ConnectionError("no\nanswer")

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()


@pytest.mark.parametrize("tracker", ["wandb", "trackio"])
def test_others_are_given_the_same_and_stay_on_this_machine(
    tracker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package: Any = Recorder()
    monkeypatch.setitem(sys.modules, tracker, package)
    monkeypatch.setattr("xlmkit.train.trackers.find_spec", lambda name: name)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("TRACKIO_DIR", raising=False)
    tracking = Tracking([tracker], "mine", tmp_path, {"seed": 1})  # type: ignore[list-item]
    with tracking.open("pretrain/model", 0, "0123456789abcdef0") as (log,):
        log(5, {"loss": 1.0})
    (_, options), logged, ended = package.calls
    assert (options["project"], options["config"]) == ("mine", {"seed": 1})
    assert (logged, ended[0]) == (("log", (5, {"loss": 1.0})), "finish")
    if tracker == "wandb":
        assert options["mode"] == "offline"
    assert (tmp_path / "tracking" / tracker).is_dir()


@pytest.mark.parametrize("fails", [("log",), ("finish",), ("log", "finish")])
@pytest.mark.parametrize("tracker", ["wandb", "trackio"])
def test_a_tracker_that_fails_later_is_told_once_and_left_out(
    tracker: str,
    fails: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    package: Any = Recorder(fails=fails)
    monkeypatch.setitem(sys.modules, tracker, package)
    monkeypatch.setattr("xlmkit.train.trackers.find_spec", lambda name: name)
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))
    tracking = Tracking([tracker], "mine", tmp_path)  # type: ignore[list-item]
    seen: list[int] = []
    state = TrainingState()
    with tracking.open("pretrain/model", 0, "0" * 64) as logs:
        track = Track([*logs, lambda step, _: seen.append(step)], state)
        for step in (1, 2, 3):
            walk(track, state, step, 1.0)
    assert seen == [1, 2, 3]
    told = capsys.readouterr().err.splitlines()
    assert told == [
        f"tracking: {tracker} failed (ConnectionError: no answer); all goes on without it."
    ]
    calls = [name for name, _ in package.calls]
    assert calls == ["init", *["log"] * (1 if "log" in fails else 3), "finish"]


def test_a_training_that_fails_is_no_failure_of_its_tracker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package: Any = Recorder()
    monkeypatch.setitem(sys.modules, "wandb", package)
    monkeypatch.setattr("xlmkit.train.trackers.find_spec", lambda name: name)
    with (
        pytest.raises(UserError, match="the disk is full"),
        Tracking(["wandb"], "mine", tmp_path).open("pretrain/model", 0, "0" * 64),
    ):
        raise UserError("the disk is full")
    assert package.calls[-1] == ("finish", None)
    assert capsys.readouterr().err == ""
