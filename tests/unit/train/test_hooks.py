import math
import os
import signal
import threading
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from xlmkit.core.process import Processes
from xlmkit.train import hooks
from xlmkit.train.hooks import (
    Curve,
    FirstStep,
    at_steps,
    every_seconds,
    point,
    stop_on_signal,
    stop_when,
)
from xlmkit.train.loop import StepReport
from xlmkit.train.state import TrainingState


class Bar:
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.tokens, self.total, self.fields = 0, 999, dict[str, Any]()

    def advance(self, tokens: int, **fields: Any) -> None:
        self.tokens, self.fields = self.tokens + tokens, fields


def report(objective: int = 0, norm: float = 1.0, loss: float = 2.0) -> StepReport:
    parts = torch.tensor([[loss, 2.0, 1.0], [2 * loss, 2.0, 1.0]], dtype=torch.float64)
    return StepReport(objective, parts, 10, norm, 0.1)


def walk(curve: Any, state: TrainingState, *reports: StepReport) -> None:
    for each in reports:
        state.step += 1
        state.tokens += each.tokens
        assert curve(state, each) is False


def test_losses_are_averaged_between_points() -> None:
    bar: Any = Bar()
    state, curve = TrainingState(), Curve(["mlm", "tlm"], 3, bar, 6)
    walk(curve, state, report(0, loss=2.0), report(1, loss=8.0), report(0, loss=4.0))
    walk(curve, state, report(1, loss=1.0), report(1, loss=3.0))
    mlm, tlm = state.curve
    assert (mlm["objective"], mlm["step"], mlm["tokens"], mlm["split"]) == ("mlm", 3, 30, "train")
    assert (mlm["loss"], mlm["accuracy"], mlm["language"]) == (18 / 8, 0.5, None)
    assert tlm["loss"] == 24 / 4
    assert bar.tokens == 50
    assert bar.fields == {"tlm": round(12 / 8, 3)}
    walk(curve, state, report(1, loss=2.0))
    assert len(state.curve) == 3  # no point for an objective that was not learned from
    assert state.curve[2]["loss"] == 18 / 12


def test_the_tokens_of_a_training_are_those_of_its_steps_so_far() -> None:
    bar: Any = Bar()
    walk(Curve(["mlm"], 3, bar, 20), TrainingState(step=7, tokens=45), report())
    assert (bar.tokens, bar.total) == (10, 55 * 20 // 8)


def test_steps_that_were_skipped_do_not_count() -> None:
    bar: Any = Bar()
    state, curve = TrainingState(skipped=1), Curve(["mlm"], 2, bar, 8)
    walk(curve, state, report(norm=math.nan, loss=math.nan), report(loss=4.0))
    assert [p["loss"] for p in state.curve] == [3.0]
    assert bar.fields["skipped"] == 1


def test_only_skipped_steps_make_no_point() -> None:
    bar: Any = Bar()
    state = TrainingState(skipped=1)
    walk(Curve(["mlm"], 1, bar, 8), state, report(norm=math.inf, loss=math.inf))
    assert state.curve == []


def test_a_new_hook_goes_on_from_the_states_sums() -> None:
    bar: Any = Bar()
    whole, parted = TrainingState(), TrainingState()
    walk(Curve(["mlm"], 4, bar, 8), whole, *(report(loss=n / 7) for n in range(4)))
    for n in range(4):
        walk(Curve(["mlm"], 4, bar, 8), parted, report(loss=n / 7))
    assert whole == parted


def test_points_are_rounded_and_tell_where_they_are() -> None:
    state = TrainingState(step=3, tokens=9, seconds=1.23456)
    assert point(state, "tlm", "中文", "valid", {"loss": 1 / 3}) == {
        "step": 3,
        "seconds": 1.23,
        "tokens": 9,
        "objective": "tlm",
        "language": "中文",
        "split": "valid",
        "loss": 0.33333,
    }


def test_actions_run_every_so_many_steps_and_at_the_last() -> None:
    steps: list[int] = []
    walk(at_steps(3, 8, lambda s: steps.append(s.step)), TrainingState(), *[report()] * 8)
    assert steps == [3, 6, 8]


def test_actions_run_when_time_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(hooks, "time", SimpleNamespace(monotonic=lambda: now))
    steps: list[int] = []
    hook = every_seconds(10, lambda s: steps.append(s.step), Processes())
    state = TrainingState()
    for step, now in enumerate([3, 9.9, 10, 19, 20.5, 25, 30.4, 30.6], start=1):  # noqa: B007
        state.step = step
        hook(state, report())
    assert steps == [3, 5, 8]


class Others(Processes):
    """This process among three, of which another wants something at the given step."""

    wanted: float

    def sum(self, tensor: torch.Tensor) -> None:
        tensor += self.wanted


@pytest.mark.parametrize("wanted", [0.0, 1.0, 2.0])
def test_what_one_process_wants_all_do(wanted: float) -> None:
    others = Others(rank=1, size=3)
    object.__setattr__(others, "wanted", wanted)
    saved: list[int] = []
    every_seconds(1e9, lambda s: saved.append(s.step), others)(TrainingState(), report())
    assert saved == ([0] if wanted else [])
    assert stop_when(threading.Event(), others)(TrainingState(), report()) is bool(wanted)


def test_the_first_signal_asks_and_the_second_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_TOGETHER", 0.0)
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    def interrupted() -> None:
        with stop_on_signal() as asked:
            hook = stop_when(asked, Processes())
            assert not hook(TrainingState(), report())
            os.kill(os.getpid(), signal.SIGTERM)
            assert asked.wait(1)
            assert hook(TrainingState(), report())
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_signals_that_come_together_are_one() -> None:
    with stop_on_signal() as asked:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGTERM):
            signal.raise_signal(number)
    assert asked.is_set()


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    before, inside = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with stop_on_signal() as asked:
            inside.append((signal.getsignal(signal.SIGTERM), asked.is_set()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert inside == [(before, False)]


def test_the_first_step_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    state = TrainingState(step=4, seconds=100.0)
    hook = FirstStep("pretraining MLM", state)
    for seconds in (142.5, 143.0):
        state.seconds = seconds
        assert hook(state, report()) is False
    told = capsys.readouterr()
    line = "pretraining MLM: the first step, with its compilation, took 42.5 seconds.\n"
    assert (told.out + told.err).count(line) == 1
    assert "43" not in (told.out + told.err)
