"""Texts with their translations, by which a translator is measured."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

from xlmkit.core.log import say
from xlmkit.data.corpus import read_corpus
from xlmkit.data.inputs import Reading
from xlmkit.data.readers import read_source
from xlmkit.data.records import Record
from xlmkit.data.sources import Source


@dataclass(frozen=True, slots=True)
class TranslatedTexts:
    """Texts in one language, and each one's translation."""

    sources: list[str]
    references: list[str]


def load_translations(
    sources: Iterable[Source],
    corpus: Path,
    split: str,
    base: Path,
    languages: tuple[str, ...],
) -> Mapping[str, TranslatedTexts]:
    """Return the translations by direction, such as `en-fr`; there may be none.

    Args:
        sources: files to read; without any, the split of the corpus is taken.
        corpus: the prepared corpus.
        split: valid or test.
        base: where relative paths start.
        languages: the recipe's languages.
    """
    sources = tuple(sources)
    records = _read(sources, base, languages) if sources else read_corpus(corpus, split)
    found: dict[str, TranslatedTexts] = {}
    for record in records:
        for a, b in permutations(record.texts, 2):
            texts = found.setdefault(f"{a}-{b}", TranslatedTexts([], []))
            texts.sources.append(record.texts[a])
            texts.references.append(record.texts[b])
    return found


def _read(sources: Iterable[Source], base: Path, languages: tuple[str, ...]) -> Iterator[Record]:
    for source in sources:
        reading = Reading(base, languages)
        yield from read_source(source, reading)
        for sentence in reading.bad.sentences(source.title):
            say(sentence)
