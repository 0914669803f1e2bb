"""Texts of two languages that are not aligned, and gold pairs of their sentences, as in BUCC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.core.streams import input_lines

GoldPairs = Mapping[int, set[int]]
"""The number of a sentence of the first text to those of its translations in the second."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """The different sentences of a file, in its order.

    Attributes:
        texts: the sentences.
        names: what each is called: its id, or the number of its line.
        numbers: name to the number of the sentence, those of its repetitions as well.
    """

    texts: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)


def read_sentences(
    path: Path, *, ids: bool = False, mend: str = "--ids", most: int | None = None
) -> Sentences:
    """Read a file with a sentence on each line; empty lines are left out.

    Args:
        path: plain or compressed.
        ids: every line begins with the sentence's id and a tab, as in BUCC.
        mend: the setting that says so.
        most: lines that are read, by default all.

    Raises:
        UserError: the file cannot be read, has no sentence, or a line has no id.
    """
    found = Sentences()
    seen: dict[str, int] = {}
    with input_lines(path) as lines:
        for number, line in enumerate(islice(lines, most), start=1):
            name, tab, text = line.partition("\t") if ids else (str(number), "\t", line)
            if not tab and line.strip():
                raise UserError(
                    f"{path}, line {number}, has no id and a tab before the sentence; leave out "
                    f"{mend} where lines hold sentences only."
                )
            text = text.strip()
            if not text:
                continue
            if text not in seen:
                seen[text] = len(found.texts)
                found.texts.append(text)
                found.names.append(name)
            found.numbers[name] = seen[text]
    if not found.texts and most is None:
        raise UserError(f"{path} has no sentence.")
    return found


def read_gold(path: Path, first: Sentences, second: Sentences) -> GoldPairs:
    """Read gold pairs; lines that name no sentence of each text are counted and told.

    Args:
        path: on each line two ids, or numbers of lines, with a tab between.
        first: the sentences of the first text.
        second: those of the second.

    Raises:
        UserError: the file cannot be read, or has no pair.
    """
    gold: dict[int, set[int]] = {}
    strange = []
    with input_lines(path) as lines:
        for number, line in enumerate(lines, start=1):
            one, _, other = line.strip().partition("\t")
            if one in first.numbers and other in second.numbers:
                gold.setdefault(first.numbers[one], set()).add(second.numbers[other])
            elif line.strip():
                strange.append(str(number))
    if strange:
        say(
            f"{path}: {len(strange)} line{'s' * (len(strange) > 1)} left out, not naming a "
            f"sentence of each file: {', '.join(strange[:5])}"
        )
    if not gold:
        raise _no_pair(path)
    return gold


def check_gold(path: Path, *, ids: bool, most: int) -> None:
    """See that the first lines of gold pairs name pairs, if not of which sentences.

    Args:
        path: see `read_gold`.
        ids: sentences have ids, and not numbers of lines.
        most: lines that are read.

    Raises:
        UserError: the file cannot be read, or none of them does.
    """
    with input_lines(path) as lines:
        rows = [line.strip().split("\t") for line in islice(lines, most)]
    if not any(len(row) == 2 and (ids or all(map(str.isdecimal, row))) for row in rows):
        raise _no_pair(path)


def _no_pair(path: Path) -> UserError:
    return UserError(
        f"{path} names no pair of the two files; give two ids, or numbers of lines where sentences "
        "have none, with a tab between."
    )
