"""How models rank, and which of them are beaten in everything: quality, speed and size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from xlmkit.evaluate.contenders import Contender

SAME_SPEED = 1.2
"""The same model, measured twice on a machine with other work, differs by less."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A model's place.

    Attributes:
        title: the model.
        quality: mean of the tasks' averages.
        per_second: texts answered in a second, None where not known.
        parameters: without the head, None where not known.
        size: bytes of its weights on disk, None where not known.
        device: processor and threads of the measurement.
        beaten_by: a model at least as good, fast and small, and better in one; "" for none.
    """

    title: str
    quality: float
    per_second: float | None
    parameters: int | None
    size: int | None
    device: tuple[str, int] | None
    beaten_by: str = ""


def ranked(
    contenders: Sequence[Contender], tasks: Sequence[str], quality: Mapping[str, float]
) -> list[Standing]:
    """Return the models' standings, the best in quality first.

    Args:
        contenders: the models.
        tasks: names of the tasks whose speed and size count.
        quality: by title.
    """
    standings = [
        Standing(
            title=one.title,
            quality=quality[one.title],
            per_second=one.texts_per_second(tasks),
            parameters=one.model.get("parameters"),
            size=one.size(tasks),
            device=one.device,
        )
        for one in contenders
    ]
    standings.sort(key=lambda one: -one.quality)
    speed_counts = on_same_device(standings)
    return [_judged(one, standings, speed_counts=speed_counts) for one in standings]


def on_same_device(standings: Sequence[Standing]) -> bool:
    """Tell whether all speeds are from the same processor with as many threads."""
    devices = {one.device for one in standings}
    return len(devices) == 1 and None not in devices


def _judged(one: Standing, others: Sequence[Standing], *, speed_counts: bool) -> Standing:
    """Name one that beats it in everything, if there is one (Pareto dominance)."""
    beaten = [x.title for x in others if _dominates(x, one, speed_counts=speed_counts)]
    return replace(one, beaten_by=beaten[0] if beaten else "")


def _dominates(one: Standing, other: Standing, *, speed_counts: bool) -> bool:
    """Tell whether one is nowhere worse and somewhere better.

    What is not known of both does not count, nor does a difference in speed of less than a fifth.
    """
    signed = [(one.quality, other.quality)]
    if speed_counts and one.per_second and other.per_second:
        near = max(one.per_second, other.per_second) / min(one.per_second, other.per_second)
        speeds = (one.per_second, other.per_second)
        signed.append((0.0, 0.0) if near < SAME_SPEED else speeds)
    if one.size and other.size:
        signed.append((-one.size, -other.size))
    return all(a >= b for a, b in signed) and any(a > b for a, b in signed)
