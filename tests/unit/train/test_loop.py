import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from xlmkit.core.errors import UserError
from xlmkit.core.process import Processes
from xlmkit.objectives.base import LossOutput
from xlmkit.train.config import OptimizerConfig, learning_rate
from xlmkit.train.loop import Hook, Plan, StepReport, train
from xlmkit.train.optim import FlatOptimizer
from xlmkit.train.state import TrainingState

CONFIG = OptimizerConfig(lr=0.05, warmup=2, weight_decay=0.0)


class Regression:
    """Learns y = x @ w; batch n has 1 + n % 3 items."""

    groups = ("a", "b")

    def __init__(self, name: str = "regression", seed: int = 0) -> None:
        self.name, self.seed = name, seed
        self.made: list[int] = []
        self.spoil: Callable[[int], float] = lambda _: 0.0

    def batch(self, number: int) -> tuple[int, Tensor]:
        self.made.append(number)
        generator = torch.Generator().manual_seed(1000 * self.seed + number)
        return number, torch.randn(1 + number % 3, 4, generator=generator)

    def tokens(self, batch: tuple[int, Tensor]) -> int:
        return 10 * len(batch[1])

    def loss(self, model: nn.Module, batch: tuple[int, Tensor]) -> LossOutput:
        number, x = batch
        errors = (model(x)[:, 0] - x.sum(dim=1)).square() + self.spoil(number)
        parts = torch.zeros(2, 3, dtype=torch.float64)
        parts[number % 2] = torch.tensor([float(errors.detach().sum()), len(x), 0])
        return LossOutput((errors * (1 + self.spoil(number))).sum(), len(x), parts)


class Shifted(Regression):
    """Its odd batches are the other's."""

    def batch(self, number: int) -> tuple[int, Tensor]:
        return super().batch(number - 1)


@dataclass
class Run:
    """A small training run that keeps what its hooks saw."""

    plan: Plan
    hooks: list[Hook] = field(default_factory=list)
    restore: Callable[[], TrainingState | None] = lambda: None
    processes: Processes = field(default_factory=Processes)
    dropout: float = 0.0
    reports: list[StepReport] = field(default_factory=list)

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(self.dropout), nn.Linear(8, 1))
        self.optimizer = FlatOptimizer(self.model, CONFIG, torch.float32)

    def go(self, state: TrainingState | None = None) -> TrainingState:
        def keep(_: TrainingState, report: StepReport) -> bool:
            self.reports.append(report)
            return False

        return train(
            self.model,
            self.optimizer,
            self.plan,
            state or TrainingState(),
            [keep, *self.hooks],
            self.processes,
            self.restore,
        )


def plan(*objectives: Any, steps: int = 30, **more: Any) -> Plan:
    chosen = list(objectives) or [Regression()]
    settings: dict[str, Any] = {"weights": [1.0] * len(chosen), **more}
    return Plan(objectives=chosen, steps=steps, **settings)


def test_a_run_learns_and_counts() -> None:
    run = Run(plan(steps=300))
    state = run.go()
    assert state.step == len(run.reports) == 300
    assert state.tokens == sum(report.tokens for report in run.reports)
    assert state.skipped == state.rollbacks == 0
    assert state.seconds > 0
    losses = [float(r.parts[:, 0].sum() / r.parts[:, 1].sum()) for r in run.reports]
    assert sum(losses[-20:]) < 0.05 * sum(losses[:20])


def test_every_batch_of_an_objective_comes_once_and_in_order() -> None:
    one, two = Regression("one"), Regression("two")
    Run(plan(one, two, steps=100, weights=[3.0, 1.0], accumulate=2)).go()
    assert one.made == list(range(150))
    assert two.made == list(range(50))


def test_learning_rates_are_the_schedules() -> None:
    run = Run(plan(steps=10))
    run.go()
    assert [r.lr for r in run.reports] == [learning_rate(CONFIG, step, 10) for step in range(10)]


def test_a_step_divides_by_the_items_of_all_its_batches() -> None:
    objective = Regression()
    run, expected = Run(plan(objective, steps=1, accumulate=3)), Run(plan())
    run.go()
    total = sum(objective.loss(expected.model, objective.batch(n)).sum for n in range(3))
    assert isinstance(total, Tensor)
    (total / 6).backward()  # type: ignore[no-untyped-call]
    norm = torch.linalg.vector_norm(expected.optimizer.gradients)
    assert run.reports[0].norm == pytest.approx(float(norm), rel=1e-5)
    assert run.reports[0].parts[:, 1].tolist() == [1 + 3, 2]
    assert run.reports[0].tokens == 60


@dataclass(frozen=True)
class Alone(Processes):
    """One of several processes, whose others learn nothing."""

    def sum(self, tensor: Tensor) -> None:
        pass


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_batches_of_a_step_do_not_depend_on_the_number_of_processes(size: int) -> None:
    made = []
    for rank in range(size):
        objective = Regression()
        Run(plan(objective, steps=5, accumulate=4), processes=Alone(rank, size)).go()
        made.append(objective.made)
    assert sorted(number for part in made for number in part) == list(range(20))
    for step in range(5):
        parts = [[n for n in part if n // 4 == step] for part in made]
        assert sorted(len(part) for part in parts)[-1] == -(-4 // size)


def test_dropout_is_a_function_of_seed_and_step() -> None:
    runs = [Run(plan(seed=seed), dropout=0.5) for seed in (0, 0, 1)]
    runs[0].go()
    torch.rand(17)  # whatever was drawn before
    runs[1].go()
    runs[2].go()
    norms = [[report.norm for report in run.reports] for run in runs]
    assert norms[0] == norms[1]
    assert norms[0][0] != norms[2][0]
    ranks = [Run(plan(steps=1, accumulate=1), dropout=0.5) for _ in range(2)]
    ranks[1].processes = Alone(1, 2)  # the same batch, another rank
    ranks[1].plan = plan(Shifted(), steps=1, accumulate=2)
    for run in ranks:
        run.go()
    assert ranks[0].reports[0].norm != ranks[1].reports[0].norm


def test_evaluation_in_a_hook_does_not_turn_dropout_off() -> None:
    def evaluate(*_: object) -> bool:
        run.model.eval()
        torch.rand(100)
        return False

    run, calm = Run(plan(), dropout=0.5, hooks=[evaluate]), Run(plan(), dropout=0.5)
    run.go()
    calm.go()
    assert torch.equal(run.optimizer.master, calm.optimizer.master)


def test_a_hook_stops_the_run_after_all_hooks_were_called() -> None:
    seen: list[int] = []

    def stop(state: TrainingState, _: StepReport) -> bool:
        return state.step == 7

    def see(state: TrainingState, _: StepReport) -> bool:
        seen.append(state.step)
        return False

    state = Run(plan(), hooks=[stop, see]).go()
    assert state.step == 7
    assert seen == list(range(1, 8))


def test_a_stopped_run_goes_on_as_if_it_had_not_been() -> None:
    whole, parted = Run(plan(), dropout=0.3), Run(plan(), dropout=0.3)
    whole.go()
    parted.hooks = [lambda state, _: state.step % 11 == 0]
    state = parted.go()
    while state.step < 30:
        state = parted.go(state)
    assert torch.equal(whole.optimizer.master, parted.optimizer.master)
    assert [r.norm for r in whole.reports] == [r.norm for r in parted.reports]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_step_that_is_not_finite_is_skipped_and_counted(bad: float) -> None:
    objective = Regression()
    objective.spoil = lambda number: bad if number in (4, 5, 9) else 0.0
    run = Run(plan(objective, steps=12))
    masters: list[Tensor] = []

    def keep(*_: object) -> bool:
        masters.append(run.optimizer.master.clone())
        return False

    run.hooks = [keep]
    state = run.go()
    assert state.step == 12
    assert (state.skipped, state.rollbacks) == (3, 0)
    same = [torch.equal(a, b) for a, b in pairwise(masters)]
    assert [step for step, equal in enumerate(same, start=1) if equal] == [4, 5, 9]


def checkpointing(run: Run, at: int) -> None:
    """Make a run keep a checkpoint at a step and restore it."""
    kept: list[tuple[TrainingState, dict[str, Tensor]]] = []

    def save(state: TrainingState, _: StepReport) -> bool:
        if state.step == at and not kept:
            tensors = {n: t.clone() for n, t in run.optimizer.state_tensors().items()}
            kept.append((TrainingState(step=state.step, tokens=state.tokens), tensors))
        return False

    def restore() -> TrainingState | None:
        if not kept:
            return None
        state, tensors = kept[0]
        run.optimizer.load_state_tensors(tensors)
        return TrainingState(step=state.step, tokens=state.tokens)

    run.hooks, run.restore = [save], restore


def test_three_bad_steps_in_a_row_go_back_with_half_the_rate() -> None:
    objective = Regression()
    left = [3]

    def spoil(number: int) -> float:
        if number in (6, 7, 8) and left[0] > 0:
            return math.nan
        return 0.0

    objective.spoil = spoil
    run = Run(plan(objective, steps=15))
    checkpointing(run, at=4)
    restore = run.restore

    def restore_once() -> TrainingState | None:
        left[0] = 0
        return restore()

    run.restore = restore_once
    state = run.go()
    assert (state.step, state.skipped, state.rollbacks) == (15, 3, 1)
    # Hooks saw steps 1 to 8, the ninth led back to step 4.
    assert len(run.reports) == 8 + 11
    rates = [learning_rate(CONFIG, step, 15) for step in range(15)]
    assert [r.lr for r in run.reports[8:]] == pytest.approx([rate / 2 for rate in rates[4:]])
    assert objective.made[-11:] == list(range(4, 15))
    assert state.tokens == sum(10 * (1 + n % 3) for n in range(15))


def test_two_bad_steps_and_a_good_one_start_the_count_again() -> None:
    objective = Regression()
    objective.spoil = lambda number: math.nan if number % 3 else 0.0
    state = Run(plan(objective, steps=12)).go()
    assert (state.step, state.skipped) == (12, 8)


def test_without_a_checkpoint_bad_steps_end_the_run_with_the_mend() -> None:
    objective = Regression()
    objective.spoil = lambda number: math.nan if number >= 2 else 0.0
    with pytest.raises(
        UserError, match=r"not finite at step 5, before the first checkpoint.*lower"
    ):
        Run(plan(objective)).go()


def test_a_run_that_stays_bad_ends_after_three_rollbacks() -> None:
    objective = Regression()
    objective.spoil = lambda number: math.nan if number >= 5 else 0.0
    run = Run(plan(objective))
    checkpointing(run, at=3)
    with pytest.raises(UserError, match=r"not finite at step 8.*did not help; lower lr"):
        run.go()
    assert [r.lr for r in run.reports if r.lr < 0.02]


def test_an_error_in_a_batch_ends_the_run() -> None:
    class Broken(Regression):
        def batch(self, number: int) -> tuple[int, Tensor]:
            if number == 3:
                raise UserError("The shard is gone.")
            return super().batch(number)

    run = Run(plan(Broken()))
    with pytest.raises(UserError, match="The shard is gone"):
        run.go()
    assert len(run.reports) == 3


def test_a_coefficient_of_nought_passes_steps_without_any_work() -> None:
    first, second = Regression("first"), Regression("second", seed=1)
    schedules = [[(0, 1.0)], [(0, 0.0), (20, 0.0), (21, 1.0)]]
    run = Run(plan(first, second, steps=40, coefficients=schedules))
    before = [run.optimizer.master.clone()]
    run.hooks.append(lambda *_: before.append(run.optimizer.master.clone()) or False)
    state = run.go()
    assert state.step == 40
    assert state.skipped == 0
    for step, report in enumerate(run.reports):
        idle = report.objective == 1 and step <= 20
        assert (report.tokens == 0) == idle
        assert torch.equal(before[step], before[step + 1]) == idle
    assert 0 not in second.made  # its first batches were never made
    assert any(report.objective == 1 and report.tokens for report in run.reports)


def test_a_coefficient_multiplies_the_gradient() -> None:
    norms = []
    for factor in (1.0, 0.25):
        run = Run(plan(steps=1, coefficients=[[(0, factor)]]))
        run.go()
        norms.append(run.reports[0].norm)
    assert norms[1] == pytest.approx(0.25 * norms[0])
    without = Run(plan(steps=1))
    without.go()
    assert without.reports[0].norm == norms[0]


def test_waiting_for_batches_counts_as_time_and_hooks_do_not() -> None:
    class Slow(Regression):
        def batch(self, number: int) -> Any:
            time.sleep(0.1)
            return super().batch(number)

    def hook(_: TrainingState, __: StepReport) -> bool:
        time.sleep(1.0)
        return False

    waited = Run(plan(Slow(), steps=8)).go()
    assert waited.seconds > 0.6
    assert Run(plan(steps=2), hooks=[hook]).go().seconds < 1.0
