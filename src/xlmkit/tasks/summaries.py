"""Texts with their summaries, from files; they are longer than the corpus takes."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations
from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.data.measures import normalize
from xlmkit.data.records import Record
from xlmkit.data.sources import Source
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.reading import read_split
from xlmkit.tasks.translation import TranslatedTexts


def load_summaries(
    sources: Iterable[Source],
    base: Path,
    languages: tuple[str, ...],
    directions: Iterable[str] | None = None,
) -> Mapping[str, TranslatedTexts]:
    """Return texts and their summaries by direction, such as `en-en`, or `en-sw` across languages.

    Args:
        sources: files with the column of the summary as `second`, in the language of the text, or
            with `columns` of two languages.
        base: where relative paths start.
        languages: the recipe's languages.
        directions: what is wanted; by default every language with summaries of its own.

    Raises:
        UserError: a file is missing or damaged, or has nothing that is wanted.
    """
    wanted = None if directions is None else set(directions)
    inputs, found = TaskInputs(base, base, languages), dict[str, TranslatedTexts]()
    for source in sources:
        before = sum(len(part.sources) for part in found.values())
        for record in read_split([source], "train", inputs, labelled=False):
            for direction, text, summary in _summaries(record):
                a, b = direction.split("-")
                if a == b if wanted is None else direction in wanted:
                    part = found.setdefault(direction, TranslatedTexts([], []))
                    part.sources.append(normalize(text))
                    part.references.append(normalize(summary))
        if before == sum(len(part.sources) for part in found.values()):
            asked = "" if wanted is None else f" for {', '.join(sorted(wanted))}"
            raise UserError(
                f"The source {source.title!r} gave no summaries{asked}; name their column with "
                "second, or, where text and summary differ in language, both with columns and the "
                "way with directions, such as en-sw."
            )
    return found


def _summaries(record: Record) -> Iterator[tuple[str, str, str]]:
    """Yield direction, text and summary of all that a record may stand for."""
    if record.others:
        ((code, text),) = record.texts.items()
        yield f"{code}-{code}", text, record.others[0]
    for a, b in permutations(record.texts, 2):
        yield f"{a}-{b}", record.texts[a], record.texts[b]
