"""The two forms of a sequence: where special tokens stand, and which half each token belongs to.

- `huggingface`: `<s> A </s>`, of a pair `<s> A </s> B </s>`; positions run through.
- `original`: `</s> A </s>`, of a pair `</s> A </s> </s> B </s>`; positions restart at the second
  sentence, as in the original project's translation language modelling.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

HUGGING_FACE = "huggingface"
ORIGINAL = "original"

Item = TypeVar("Item")


class Slot(NamedTuple):
    """A place in a sequence.

    Attributes:
        holds: the number of a text (0 or 1), or the name of a special token.
        half: 0, or 1 behind the end of the first sentence.
    """

    holds: int | str
    half: int


_FORMS = {
    HUGGING_FACE: (("bos", 0), (0, 0), ("sep", 0), (1, 1), ("sep", 1)),
    ORIGINAL: (("sep", 0), (0, 0), ("sep", 0), ("sep", 1), (1, 1), ("sep", 1)),
}
_ONLY_TEXT = ((0, 0), (1, 1))

FORMS = tuple(_FORMS)
"""The names of the forms."""

Layout = tuple[Slot, ...]


def layout(form: str, *, pair: bool, special: bool = True) -> Layout:
    """Return the slots of a sequence.

    Args:
        form: one of `FORMS`.
        pair: whether it holds two texts.
        special: whether special tokens are put in.
    """
    slots = _FORMS[form] if special else _ONLY_TEXT
    return tuple(Slot(*slot) for slot in slots if pair or slot[1] == 0)


def fill(
    slots: Layout, texts: Sequence[Sequence[Item]], special: Callable[[str], Item]
) -> list[Item]:
    """Return one value for each token: those of the texts, and those of the special tokens."""
    return [
        value
        for slot in slots
        for value in (texts[slot.holds] if isinstance(slot.holds, int) else (special(slot.holds),))
    ]


def halves(slots: Layout, lengths: Sequence[int]) -> list[int]:
    """Return for each token its half, 0 or 1; `lengths` are those of the texts."""
    return [
        slot.half
        for slot in slots
        for _ in range(lengths[slot.holds] if isinstance(slot.holds, int) else 1)
    ]


def positions(form: str, token_halves: Sequence[int]) -> list[int]:
    """Return the position of each token."""
    first = token_halves.count(0) if form == ORIGINAL else len(token_halves)
    return [*range(first), *range(len(token_halves) - first)]
