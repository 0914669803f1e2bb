"""Texts that are longer than a model reads, in overlapping windows.

Of a pair the longer text is cut and the other is read with every window. All windows of a text are
of one length: the last ends where the text ends and overlaps the one before it by more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xlmkit.core.config import Config
from xlmkit.core.log import say_once

if TYPE_CHECKING:
    from xlmkit.data.batch import Segment

PairForm = Literal["apart", "joined"]
"""How xlmkit's models read two texts. `apart`, as in TLM: `</s> A </s> </s> B </s>`, positions
restart at B, so that of one language nothing tells which text came first. `joined`, as the original
reads XNLI: `</s> A </s> B </s>`, positions go on."""

Join = Literal["mean", "max", "first", "vote"]
"""How the windows' scores become those of the text, see `xlmkit.evaluate.joining`."""


class LongTexts(Config):
    """How texts are read that are longer than the model."""

    stride: int = Field(64, ge=0)
    """Tokens that neighbouring windows share; at most half a window."""
    join: Join = "mean"
    """The text's scores: the mean of its windows' scores, the highest of each class, those of the
    first window, or a vote of the windows."""

    @property
    def joins(self) -> bool:
        """Whether other windows than the first count."""
        return self.join != "first"


@dataclass(frozen=True, slots=True)
class Windows:
    """Sequences that fit, and whose they are.

    Attributes:
        rows: the sequences, those of one text in its order.
        owners: the number of the text of each, ascending, (windows,).
    """

    rows: "list[tuple[Segment, ...]]"
    owners: NDArray[np.int64]


def starts(length: int, room: int, stride: int) -> list[int]:
    """Return where the windows of a text begin.

    Args:
        length: tokens of the text.
        room: tokens of a window, at least 1.
        stride: tokens that neighbours share; never more than half a window.
    """
    step = room - min(stride, room // 2)
    return [*range(0, max(0, length - room), step), max(0, length - room)]


def special_tokens(texts: int, form: PairForm) -> int:
    """Return how many `</s>` a sequence of so many texts has."""
    return texts + 1 if form == "joined" else 2 * texts


def cut_rows(
    rows: "Sequence[tuple[Segment, ...]]",
    max_length: int,
    stride: int,
    form: PairForm = "apart",
    special: int | None = None,
) -> Windows:
    """Cut what is longer than `max_length` tokens into windows; what fits stays as it is.

    Args:
        rows: the sentences of each sequence.
        max_length: most tokens of a sequence, special ones counted.
        stride: tokens that neighbouring windows share.
        form: how xlmkit's own models read two texts.
        special: special tokens of a sequence of another family, in place of those of the form.
    """
    made: list[tuple[Segment, ...]] = []
    owners: list[int] = []
    for number, row in enumerate(rows):
        ends = special_tokens(len(row), form) if special is None else special
        parts = _cut(row, max_length - ends, stride)
        if len(parts) > 1 and stride > (half := (max_length - ends) // 2):
            say_once(
                f"Windows of {max_length} tokens share at most half of them: {half}, not {stride}; "
                "lower the stride, or raise the length."
            )
        made += parts
        owners += [number] * len(parts)
    return Windows(made, np.array(owners, np.int64))


def _cut(row: "tuple[Segment, ...]", room: int, stride: int) -> "list[tuple[Segment, ...]]":
    lengths = [len(ids) for ids, _ in row]
    if sum(lengths) <= room:
        return [row]
    longest = lengths.index(max(lengths))
    # The others lose their ends where they are longer than their share of the room.
    share = room // len(row)
    kept = [
        (ids if place == longest else ids[:share], language)
        for place, (ids, language) in enumerate(row)
    ]
    left = room - sum(len(ids) for place, (ids, _) in enumerate(kept) if place != longest)
    ids, language = row[longest]
    return [
        (*kept[:longest], (ids[start : start + left], language), *kept[longest + 1 :])
        for start in starts(len(ids), left, stride)
    ]
