"""The one value that flows from the readers to the corpus: a text with its translations."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from xlmkit.data.measures import normalize

BLOCK = 4096
BLOCK_CHARACTERS = 1 << 18
"""The most records, and about the most characters, that are worked on at a time."""

_LABEL_END = "\x1f"  # after each of several labels: ASCII's separator of units

_quoted = json.encoder.encode_basestring


@dataclass(frozen=True, slots=True)
class Record:
    """One text, or several that are translations of one another.

    Attributes:
        texts: language -> text; at least one, and the first is the pivot: the text by which
            duplicates are found and splits are made.
        source: the name of the recipe's source that the record came from.
        where: the place in that source: "file:line", or "wheel!member" for a catalog in a wheel.
        label: the class of the record, if it has one; see `several_labels`.
        others: what a task reads beside its single text, in the same language: the second of a
            pair, or choices. The corpus does not keep them.
    """

    texts: Mapping[str, str]
    source: str
    where: str
    label: str | None = None
    others: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[type["Record"], tuple[Any, ...]]:
        """Go to another process as four values, several times faster than dataclasses do."""
        return Record, (self.texts, self.source, self.where, self.label)

    @property
    def pivot(self) -> tuple[str, str]:
        """The language and the text of the pivot."""
        return next(iter(self.texts.items()))

    def to_json(self) -> str:
        """Return the record as one line of JSON, without a line end."""
        # Joined by hand, which takes a third of the time; only strings are inside.
        texts = ", ".join(
            [f"{_quoted(code)}: {_quoted(text)}" for code, text in self.texts.items()]
        )
        label = "null" if self.label is None else _quoted(self.label)
        source, where = _quoted(self.source), _quoted(self.where)
        return f'{{"texts": {{{texts}}}, "source": {source}, "where": {where}, "label": {label}}}'

    @classmethod
    def from_json(cls, line: str | bytes) -> "Record":
        """Read what `to_json` wrote.

        Raises:
            ValueError: the line is not JSON.
            KeyError: a field is missing.
        """
        fields = json.loads(line)
        return cls(fields["texts"], fields["source"], fields["where"], fields["label"])


def one_label(value: object) -> str:
    """Return a label in normal form, so that what cannot be seen makes no other class of it."""
    return normalize(str(value))


def several_labels(names: Iterable[object]) -> str:
    """Return several labels, or none, as the one of a record."""
    given = map(one_label, names)
    return "".join(f"{name}{_LABEL_END}" for name in given if name) or _LABEL_END


def labels_in(label: str) -> list[str] | None:
    """Return what `several_labels` put together, None where a label is a single one."""
    return [name for name in label.split(_LABEL_END) if name] if _LABEL_END in label else None


def classes_in(label: str, separator: str) -> list[str]:
    """Return the classes of a label: those listed, or what a separator parts, if there is one."""
    names = labels_in(label)
    if names is None:
        names = label.split(separator) if separator else [label]
    return [name for one in names if (name := one.strip())]


def blocks(
    records: Iterable[Record], size: int = BLOCK, characters: int = BLOCK_CHARACTERS
) -> Iterator[list[Record]]:
    """Cut a sequence of records into lists.

    A list ends with its `size`-th record, or with the one that fills up so many characters.
    """
    block: list[Record] = []
    room = characters
    for record in records:
        block.append(record)
        room -= sum(map(len, record.texts.values()))
        if len(block) == size or room <= 0:
            yield block
            block, room = [], characters
    if block:
        yield block
