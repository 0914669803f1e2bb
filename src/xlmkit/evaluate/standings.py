"""How models rank, and which of them are beaten in everything: quality, speed and size."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from xlmkit.evaluate.contenders import Contender
from xlmkit.evaluate.formats import listed

SAME_SPEED = 1.5
"""The same model, measured twice on a machine with other work, differs by less."""
SURE_SECONDS = 3.0
"""A speed that was measured over less time is one of starting up, and differs by more."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A model's place.

    Attributes:
        title: the model.
        averages: its mean over languages on each task.
        per_second: texts answered in a second, None where not known.
        parameters: without the head, None where not known.
        size: bytes of its weights on disk, None where not known.
        device: processor and threads of the measurement.
        beaten_by: a model at least as good, fast and small, and better in one; "" for none.
        seconds: how long the speed was measured.
    """

    title: str
    averages: tuple[float, ...]
    per_second: float | None
    parameters: int | None
    size: int | None
    device: tuple[str, int] | None
    beaten_by: str = ""
    seconds: float = 0.0

    @property
    def sure_speed(self) -> float | None:
        """Its speed where that was measured long enough to decide, else None."""
        return self.per_second if self.seconds >= SURE_SECONDS else None

    @property
    def quality(self) -> float:
        """Mean of the tasks' averages."""
        return math.fsum(self.averages) / len(self.averages)


def ranked(
    contenders: Sequence[Contender], tasks: Sequence[str], averages: Mapping[str, Sequence[float]]
) -> list[Standing]:
    """Return the models' standings, the best in quality first.

    Args:
        contenders: the models.
        tasks: names of the tasks whose speed and size count.
        averages: of each task, by title.
    """
    standings = [
        Standing(
            title=one.title,
            averages=tuple(averages[one.title]),
            per_second=one.texts_per_second(tasks),
            parameters=one.model.get("parameters"),
            size=one.size(tasks),
            device=one.device,
            seconds=one.seconds(tasks),
        )
        for one in contenders
    ]
    return sorted(standings, key=lambda one: -one.quality)


def judged(
    standings: Sequence[Standing], surely_better: Collection[tuple[str, str]]
) -> list[Standing]:
    """Return the standings with what each is beaten by, if by any (Pareto dominance).

    Args:
        standings: all of them.
        surely_better: (better, worse) titles whose difference on some task a paired test shows;
            a higher average alone does not count as better, and a lower one does count as worse.
    """
    speed_counts = on_same_device(standings)

    def dominates(one: Standing, other: Standing) -> bool:
        sure = (one.title, other.title) in surely_better
        return _dominates(one, other, surely_better=sure, speed_counts=speed_counts)

    beaten = [next((x.title for x in standings if dominates(x, one)), "") for one in standings]
    return [replace(one, beaten_by=by) for one, by in zip(standings, beaten, strict=True)]


def on_same_device(standings: Sequence[Standing]) -> bool:
    """Tell whether all speeds are from the same processor with as many threads."""
    devices = {one.device for one in standings}
    return len(devices) == 1 and None not in devices


def speed_notes(standings: Sequence[Standing]) -> list[str]:
    """Return why speeds that are shown do not decide, if they do not."""
    timed = [one for one in standings if one.per_second]
    if timed and not on_same_device(standings):
        why = "were not all measured on the same device with as many threads"
    elif short := [one.title for one in timed if not one.sure_speed]:
        why = f"of {listed(short)} were measured over less than {SURE_SECONDS:.0f} seconds"
    else:
        return []
    return [f"Speeds {why}: they are shown, but do not decide."]


def _dominates(one: Standing, other: Standing, *, surely_better: bool, speed_counts: bool) -> bool:
    """Tell whether one is nowhere worse and somewhere better.

    What is not known of both does not count, nor does a difference in speed below `SAME_SPEED`, or
    in one that was not measured for `SURE_SECONDS` of both.
    """
    if any(a < b for a, b in zip(one.averages, other.averages, strict=True)):
        return False
    signed = []
    if speed_counts and one.sure_speed and other.sure_speed:
        speeds = (one.sure_speed, other.sure_speed)
        near = max(speeds) / min(speeds)
        signed.append((0.0, 0.0) if near < SAME_SPEED else speeds)
    if one.size and other.size:
        signed.append((-one.size, -other.size))
    better = surely_better or any(a > b for a, b in signed)
    return better and all(a >= b for a, b in signed)
