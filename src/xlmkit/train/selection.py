"""Which step of an adaptation is kept, told from the points that validation adds to its curve.

Papers differ in the texts that choose: those of the language whose labels are learned, which is all
that zero-shot transfer may know, or each language's own. Both are told here; equal values go to
the earlier step.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

SELECTION = "selection"
"""What a point of the curve has in place of an objective, if it chooses the step."""

Curve = Sequence[Mapping[str, Any]]


def measured_steps(curve: Curve) -> dict[int, dict[str, float]]:
    """Return the value of each language at each step that was validated.

    A value that is undefined, as the correlation with a constant, is worse than any other.
    """
    steps: dict[int, dict[str, float]] = {}
    for point in curve:
        if point["objective"] == SELECTION:
            value = point.get("value")
            steps.setdefault(point["step"], {})[point["language"]] = (
                -math.inf if value is None or math.isnan(value) else float(value)
            )
    return steps


def best_step(curve: Curve, languages: Collection[str]) -> int | None:
    """Return the step whose mean over the languages is highest, None before any validation."""
    means = {
        step: math.fsum(values[code] for code in languages) / len(languages)
        for step, values in measured_steps(curve).items()
        if languages and values.keys() >= set(languages)
    }
    return max(means, key=lambda step: (means[step], -step), default=None)


def own_steps(curve: Curve) -> dict[str, int]:
    """Return the best step of each language that is validated."""
    codes = dict.fromkeys(code for values in measured_steps(curve).values() for code in values)
    found = {code: best_step(curve, [code]) for code in codes}
    return {code: step for code, step in found.items() if step is not None}


def kept_steps(curve: Curve, sources: Collection[str]) -> set[int]:
    """Return the steps whose models are worth their place: the best for anybody."""
    best = best_step(curve, sources)
    return {*own_steps(curve).values(), *([] if best is None else [best])}


def validations_since_best(curve: Curve, sources: Collection[str]) -> int:
    """Return how many validations came after the best on the source languages."""
    steps: Iterable[int] = measured_steps(curve)
    best = best_step(curve, sources)
    return sum(best is not None and step > best for step in steps)
