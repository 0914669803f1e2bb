"""Test texts that cannot be judged, since their labels were never learned: told, with the mend."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.tasks.base import TaskConfig
from xlmkit.tasks.reading import Example

_TOLD = 5  # labels named


def unlearned(config: TaskConfig) -> str:
    """Return what to call the texts that are left out: those of test or of valid files."""
    return f"{config.measured.capitalize()} texts whose labels were never learned"


def renaming(learned: Iterable[str]) -> str:
    """Return which classes were learned, and how labels get their names."""
    return f"learned are {_first(learned)}; `label_map` of a source gives labels these names"


def _first(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join(known[:_TOLD]) + (", ..." if len(known) > _TOLD else "")


def tell_left_out(
    found: Iterable[Example],
    read: Callable[[Example], Any],
    task: str,
    what: str,
    mend: str = "",
) -> dict[str, dict[str, int]]:
    """Say which examples `by_language` leaves out, and where the first of each language stands.

    Args:
        found: the examples.
        read: as `by_language` has it.
        task: name of the task.
        what: to call those that are left out.
        mend: what to do about it, where that is known.

    Returns:
        Language to label to examples.
    """
    counts: dict[str, Counter[str]] = {}
    places, kept = dict[str, str](), set[str]()
    for example in found:
        if read(example) is not None:
            kept.add(example.language)
            continue
        counts.setdefault(example.language, Counter())[example.label] += 1
        places.setdefault(example.language, example.where)
    told = []
    for code, labels in counts.items():
        listed = ", ".join(f"{label} ({count})" for label, count in labels.most_common(_TOLD))
        more = ", ..." if len(labels) > _TOLD else ""
        all_of = "" if code in kept else ", which leaves none"
        told.append(f"{listed}{more} in {code}{all_of}, first at {places[code]}")
    if told:
        end = f"; {mend}." if mend else "."
        say(f"{task and f'finetune.{task}: '}{what} are left out: {'; '.join(told)}{end}")
    return {code: dict(labels) for code, labels in counts.items()}


def check_tested(config: TaskConfig, test: Mapping[str, Any], learned: Iterable[str]) -> None:
    """See that something of the task's own test files can be measured.

    Raises:
        UserError: nothing can.
    """
    if config.test and not test:
        raise UserError(
            f"no text of its {config.measured} files has a label that is among those of its train "
            f"files ({_first(learned)}); label_map of a source gives labels other names."
        )
