"""What a training's curve says of the health of its directions: what to tell, and when to give up.

Everything is a function of the curve alone, so that a training that was stopped and goes on says
the same once, and ends at the same step.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from xlmkit.evaluate.translation_diagnosis import findings
from xlmkit.evaluate.translation_health import Health
from xlmkit.text.languages import language

HEALTH = "health"
"""The objective of the curve's points that hold the health of a direction."""

_HOPELESS = {"copies", "collapses"}
_Curve = Sequence[Mapping[str, Any]]


def new_findings(curve: _Curve) -> list[str]:
    """Return what the last measurement of a curve confirms for the first time, as sentences.

    A young model copies and stammers for a while, so that a finding counts only where two
    measurements in a row have it; and it is told once.
    """
    return [
        sentence
        for direction, measured in _by_direction(curve).items()
        for kind, sentence in _findings(direction, measured[-1]).items()
        if _confirmed_at(kind, direction, measured) == [len(measured) - 1]
    ]


def hopeless_measurements(curve: _Curve) -> int:
    """Return for how many measurements in a row up to now all directions copied or collapsed."""
    lasting = []
    for direction, measured in _by_direction(curve).items():
        ill = [bool(_HOPELESS & _findings(direction, health).keys()) for health in measured]
        lasting.append(next((n for n, bad in enumerate(reversed(ill)) if not bad), len(ill)))
    return min(lasting, default=0)


def _by_direction(curve: _Curve) -> dict[str, list[Health]]:
    found: dict[str, list[Health]] = {}
    for point in curve:
        if point["objective"] == HEALTH:
            found.setdefault(point["language"], []).append(Health.from_json(point))
    return found


def _findings(direction: str, health: Health) -> dict[str, str]:
    source, target = (language(code).name for code in direction.split("-"))
    return findings(health, source, target)


def _confirmed_at(kind: str, direction: str, measured: Sequence[Health]) -> list[int]:
    """Return the numbers of the measurements that find something as the one before did."""
    found = [kind in _findings(direction, health) for health in measured]
    return [n for n in range(1, len(found)) if found[n - 1] and found[n]]
