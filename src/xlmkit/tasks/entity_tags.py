"""Whether the tags of a task are those of entities, and how these are read."""

from collections.abc import Sequence
from typing import Literal

from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.evaluate.spans import OUTSIDE, Reading, marks_spans, scheme

Entities = Literal["auto", "none", "bio", "iob2"]

_NAMED = 5  # tags


def entity_reading(tags: Sequence[str], wanted: Entities, task: str = "") -> Reading | None:
    """Return how entities are read from the tags that are learned, None where they are none.

    What may surprise is said: tags in another scheme than BIO, and those that only look as if they
    were of entities.

    Args:
        tags: each once.
        wanted: what the task's section says.
        task: its name.

    Raises:
        UserError: entities are asked for, and the tags are none of entities, or in a scheme in
            which the strict reading finds none.
    """
    found = scheme(tags)
    if wanted == "none":
        return None
    if wanted == "auto":
        _tell(tags, found, f"finetune.{task}: " if task else "")
        return "bio" if found else None
    if not marks_spans(tags):
        raise UserError(
            f"its tags are not those of entities ({', '.join(tags[:_NAMED])}); leave out "
            f"`entities: {wanted}`, or name the column that has O and B- in it."
        )
    if wanted == "iob2" and found in ("IOB1", "IOBES"):
        raise UserError(
            f"its tags are in {found} ({', '.join(tags[:_NAMED])}), where the strict reading of "
            "`entities: iob2` loses entities; say `entities: bio`, which reads them all."
        )
    return wanted


def _tell(tags: Sequence[str], found: str | None, before: str) -> None:
    """Say which scheme other than BIO tags are in, or why they are not of entities."""
    if found == "IOB1":
        say(f"{before}No tag begins with B-: read as IOB1, where I- begins an entity as well.")
    elif found == "IOBES":
        say(f"{before}Tags E- or S- end entities: read as IOBES, by the rules of seqeval.")
    elif found is None and OUTSIDE in tags and any(tag[:2] in ("B-", "I-") for tag in tags):
        others = [tag for tag in tags if not marks_spans([tag])]
        say(
            f"{before}Its tags look like those of entities, but not all are O, B-, I-, E- or S- "
            f"({_first(others)}), so that entities get no F1; mend these tags, or say "
            "`entities: none`."
        )
    elif all(tag.removeprefix("-").isdecimal() for tag in tags):
        say(
            f"{before}Its tags are whole numbers ({_first(tags)}), each read as a class of its "
            "own, so that entities get no F1; give tags their names with `names: [O, B-PER, ...]` "
            "of the source (JSON lines, datasets), or say `entities: none`."
        )


def _first(tags: Sequence[str]) -> str:
    return ", ".join(tags[:_NAMED]) + (", ..." if len(tags) > _NAMED else "")
