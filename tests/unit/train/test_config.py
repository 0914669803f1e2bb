import math
from itertools import pairwise

import pytest
from pydantic import TypeAdapter, ValidationError

from xlmkit.train.config import OptimizerConfig, Schedule, coefficient, learning_rate


def rates(schedule: str, warmup: int = 4, steps: int = 20) -> list[float]:
    config = OptimizerConfig.model_validate({"lr": 1.0, "warmup": warmup, "schedule": schedule})
    return [learning_rate(config, step, steps) for step in range(steps)]


@pytest.mark.parametrize("schedule", ["linear", "cosine", "inverse_sqrt", "constant"])
def test_rates_rise_evenly_to_the_highest_and_never_vanish(schedule: str) -> None:
    found = rates(schedule)
    assert found[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert all(a >= b > 0 for a, b in pairwise(found[4:]))
    assert rates(schedule, warmup=0)[0] == 1.0


def test_rates_fall_as_named() -> None:
    assert rates("linear")[12] == pytest.approx(0.5)
    assert rates("linear")[-1] == pytest.approx(1 / 16)
    assert rates("cosine")[12] == pytest.approx(0.5)
    assert rates("cosine")[8] == pytest.approx((1 + math.cos(math.pi / 4)) / 2)
    assert rates("inverse_sqrt")[19] == pytest.approx(0.5)
    assert set(rates("constant")[4:]) == {1.0}


def test_a_warmup_takes_at_most_a_quarter_of_a_short_run() -> None:
    assert rates("linear", warmup=100, steps=8)[:3] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert rates("constant", warmup=100, steps=3) == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("bad", [{"lr": 0}, {"clip": 0}, {"schedule": "step"}, {"warmup": -1}])
def test_impossible_rates_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OptimizerConfig.model_validate(bad)


def test_a_coefficient_follows_straight_lines_between_its_points() -> None:
    schedule = ((10, 1.0), (20, 0.0), (40, 0.5))
    found = [coefficient(schedule, step) for step in (0, 10, 15, 19, 20, 30, 40, 1000)]
    assert found == pytest.approx([1.0, 1.0, 0.5, 0.1, 0.0, 0.25, 0.5, 0.5])
    assert coefficient(((0, 0.3),), 7) == 0.3


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([[5, 1.0], [5, 2.0]], "must rise"),
        ([[-1, 1.0]], "must rise"),
        ([[0, -1.0]], "cannot be negative"),
        ([], "at least 1"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(points: list[object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(Schedule).validate_python(points)


def test_an_average_is_written_only_where_there_is_one() -> None:
    assert "average" not in OptimizerConfig().model_dump(mode="json")
    assert OptimizerConfig(average=0.9).model_dump(mode="json")["average"] == 0.9
    assert OptimizerConfig.model_validate(OptimizerConfig().model_dump()) == OptimizerConfig()
