"""What a training's curve says of the health of its directions: what to tell, and when to give up.

Everything is a function of the curve alone, so that a training that was stopped and goes on says
the same once, and ends at the same step.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from xlmkit.evaluate.translation_diagnosis import Finding, Learner, findings, together
from xlmkit.evaluate.translation_health import Health
from xlmkit.text.languages import language

HEALTH = "health"
"""The objective of the curve's points that hold the health of a direction."""

_HOPELESS = {"copies", "collapses"}
_SILENT = 0.5  # more outputs than this are empty
_Curve = Sequence[Mapping[str, Any]]


def new_findings(curve: _Curve, learner: Learner | None = None) -> list[str]:
    """Return what the last measurement of a curve confirms for the first time, as sentences.

    A young model copies and stammers for a while, so that a finding counts only where two
    measurements in a row have it; and it is told once. `learner` is who learns, for the advice.
    """
    return together(
        one
        for direction, measured in _by_direction(curve).items()
        for one in _findings(direction, measured[-1], learner)
        if _confirmed_at(one.kind, direction, measured) == [len(measured) - 1]
    )


def hopeless_measurements(curve: _Curve) -> int:
    """Return for how many measurements in a row up to now no direction was any good.

    All that time each copied, collapsed or wrote next to nothing.
    """
    lasting = []
    for direction, measured in _by_direction(curve).items():
        ill = [
            health.empty > _SILENT or bool(_HOPELESS & _kinds(direction, health))
            for health in measured
        ]
        lasting.append(next((n for n, bad in enumerate(reversed(ill)) if not bad), len(ill)))
    return min(lasting, default=0)


def _by_direction(curve: _Curve) -> dict[str, list[Health]]:
    found: dict[str, list[Health]] = {}
    for point in curve:
        if point["objective"] == HEALTH:
            found.setdefault(point["language"], []).append(Health.from_json(point))
    return found


def _findings(direction: str, health: Health, learner: Learner | None = None) -> list[Finding]:
    source, target = (language(code).name for code in direction.split("-"))
    return findings(health, source, target, learner)


def _kinds(direction: str, health: Health) -> set[str]:
    return {one.kind for one in _findings(direction, health)}


def _confirmed_at(kind: str, direction: str, measured: Sequence[Health]) -> list[int]:
    """Return the numbers of the measurements that find something as the one before did."""
    found = [kind in _kinds(direction, health) for health in measured]
    return [n for n in range(1, len(found)) if found[n - 1] and found[n]]
