"""Entities in the tags of a sentence, and tags that stand where they may not.

`B-X` begins an entity of type X and `I-X` continues it. Data and models break that rule, so that
readings differ. The lenient one, by which entities are usually scored, is that of the CoNLL-2000
and 2003 evaluation script (Tjong Kim Sang and Buchholz) and of seqeval's default mode: an `I-` that
continues nothing begins an entity. The strict one (IOB2) leaves it out.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

Reading = Literal["bio", "iob2"]
"""Lenient, or strict."""

Scheme = Literal["BIO", "IOB1", "IOBES"]
"""Which prefixes tags of entities have: IOB1 has `B-X` only behind another X, IOBES also has `E-X`
for the last word and `S-X` for a single one."""

Span = tuple[str, int, int]
"""Type, first word, last word."""

OUTSIDE = "O"
_PREFIXES = ("B-", "I-", "E-", "S-")


def parse(tag: str) -> tuple[str, str]:
    """Return the prefix of a tag and the type behind it: `B-PER` is B and PER, `O` has none."""
    return tag[:1], tag[1:].split("-", 1)[-1] or "_"


def spans(tags: Sequence[str], reading: Reading = "bio") -> list[Span]:
    """Return the entities of a sentence, in their order.

    Args:
        tags: one for each word. The lenient reading takes also E- (end) and S- (single).
        reading: lenient (`bio`) or strict (`iob2`).
    """
    return _lenient(tags) if reading == "bio" else _strict(tags)


def _lenient(tags: Sequence[str]) -> list[Span]:
    found: list[Span] = []
    start = 0
    parsed = [parse(OUTSIDE), *map(parse, tags), parse(OUTSIDE)]
    for place, ((before, kind), (here, next_kind)) in enumerate(pairwise(parsed)):
        inside = before != OUTSIDE
        if inside and (before in "ES" or here in "BSO" or kind != next_kind):
            found.append((kind, start, place - 1))
        if here != OUTSIDE and (here in "BS" or before in "ESO" or kind != next_kind):
            start = place
    return found


def _strict(tags: Sequence[str]) -> list[Span]:
    found: list[Span] = []
    for place, (prefix, kind) in enumerate(map(parse, tags)):
        if prefix == "B":
            found.append((kind, place, place))
        elif prefix == "I" and found and found[-1] == (kind, found[-1][1], place - 1):
            found[-1] = (kind, found[-1][1], place)
    return found


def scheme(tags: Sequence[str]) -> Scheme | None:
    """Return the scheme that a set of tags is in, None where they are not those of entities.

    Files in IOB1 that have a `B-` somewhere are taken for BIO, and read alike.
    """
    prefixes = {tag[:2] for tag in tags if tag != OUTSIDE}
    if not prefixes or not marks_spans(tags):
        return None
    if prefixes <= {"B-", "I-"} and "B-" in prefixes:
        return "BIO"
    if OUTSIDE not in tags:  # the tags of words may well begin with such a letter, too
        return None
    if prefixes == {"I-"}:
        return "IOB1"
    return "IOBES" if prefixes & {"B-", "S-"} else None


def marks_spans(tags: Sequence[str]) -> bool:
    """Tell whether every one of a set of tags is `O`, or begins with B-, I-, E- or S-."""
    return all(tag == OUTSIDE or (tag[:2] in _PREFIXES and tag[2:]) for tag in tags)


def illegal_tags(tags: Sequence[str]) -> int:
    """Count the `I-X` of a sentence that follow neither `B-X` nor `I-X`."""
    return sum(
        here.startswith("I-") and before not in (f"B{here[1:]}", here)
        for before, here in pairwise([OUTSIDE, *tags])
    )
