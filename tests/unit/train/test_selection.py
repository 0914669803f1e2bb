import pytest

from xlmkit.train.selection import (
    SELECTION,
    best_step,
    kept_steps,
    own_steps,
    validations_since_best,
)


def curve(**values: list[float | None]) -> list[dict[str, object]]:
    """Return a curve with values of languages at the steps 10, 20, ..."""
    points: list[dict[str, object]] = [
        {"step": 5, "objective": "classify", "language": None, "loss": 1.0}
    ]
    for code, found in values.items():
        for number, value in enumerate(found, start=1):
            point = {"step": 10 * number, "objective": SELECTION, "language": code}
            points.append(point if value is None else {**point, "value": value})
    return points


def test_source_and_own_steps_differ_and_equals_go_to_the_earlier() -> None:
    made = curve(en=[0.5, 0.8, 0.8, 0.7], fr=[0.3, 0.2, 0.4, 0.4], zh=[0.9, 0.1, 0.1, 0.1])
    assert best_step(made, ["en"]) == 20
    assert best_step(made, ["en", "fr"]) == 30
    assert own_steps(made) == {"en": 20, "fr": 30, "zh": 10}
    assert kept_steps(made, ["en"]) == {10, 20, 30}
    assert validations_since_best(made, ["en"]) == 2


@pytest.mark.parametrize("undefined", [None, float("nan")])
def test_an_undefined_value_is_worse_than_any(undefined: float | None) -> None:
    made = curve(en=[undefined, -0.2])
    assert best_step(made, ["en"]) == 20
    assert best_step(curve(en=[undefined, undefined]), ["en"]) == 10


def test_nothing_is_chosen_before_a_validation_or_without_the_source() -> None:
    assert best_step(curve(), ["en"]) is None
    assert best_step(curve(fr=[0.1]), ["en"]) is None
    assert validations_since_best(curve(), ["en"]) == 0
    assert kept_steps(curve(fr=[0.1]), ["en"]) == {10}
