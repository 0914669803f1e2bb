"""Readers of sentences with a tag for each word, one sentence at a time.

A sentence that cannot be used is counted and left out; words of the others are never.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.data.hub import open_dataset
from xlmkit.data.inputs import Reading, find_files, json_value, lenient_lines
from xlmkit.data.language_files import by_language, every_language
from xlmkit.data.measures import normalize
from xlmkit.data.source_base import LANGUAGE_MARK
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.reading import reading_of
from xlmkit.tasks.tagged_sources import (
    MAY_BE_NONE,
    ConllSource,
    ConlluSource,
    ListsHubSource,
    ListsJsonlSource,
    TaggedSourceKind,
)

_CONLLU = ["ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC"]
_COLUMNS = re.compile(r"#\s*global\.columns\s*=\s*(.+)")
_BLANKS = re.compile(" +")
_DOCUMENT = "-DOCSTART-"
_UNTAGGED = "a word without a tag"
_NO_WORD = "an empty word"
_TOO_FEW = "too few columns"
_NO_LISTS = "no lists of words and tags"
_NAMELESS = "a tag without a name"
_NO_CLASS = "-1"  # as in `datasets`
_MENDS = {
    ("conll", _TOO_FEW): "columns are parted by tabs or blanks, and numbered by `token` and `tag`",
    ("conllu", _TOO_FEW): "columns are parted by tabs; files of fewer want kind: conll",
    ("jsonl", _NO_LISTS): "`tokens` and `tags` of the source name the keys of the lists",
    ("hub", _NO_LISTS): "`tokens` and `tags` of the source name the columns of the lists",
    ("jsonl", _NAMELESS): "`names` of the source has a name for each number, from 0 on",
    ("hub", _NAMELESS): "`names` of the source has a name for each number, from 0 on",
}
"""What to do, by the kind of a source and what is wrong."""

Words = tuple[list[str], list[str]]
"""The words of a sentence and their tags."""


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """A sentence.

    Attributes:
        language: its language.
        words: normalised as text is in pretraining; one may be empty.
        tags: one for each word.
    """

    language: str
    words: list[str]
    tags: list[str]


def read_tagged(
    sources: Iterable[TaggedSourceKind],
    inputs: TaskInputs,
    languages: Sequence[str],
    split: str = "train",
) -> Iterator[TaggedSentence]:
    """Yield the sentences in the languages; those that cannot be used are counted and told.

    Args:
        sources: the files or datasets.
        inputs: where files are, and what counts.
        languages: those that are wanted.
        split: what the sentences are for, train or test.

    Raises:
        UserError: a file is missing or damaged, has not the columns asked for, or has no sentence.
    """
    for source in sources:
        reading = reading_of(source, inputs, languages)
        parts = [part for part in _parts(source, reading) if part.language in languages]
        found = False
        for part in parts:
            reading.bad.language = str(part.language)
            for place, words in _read(part, reading):
                if isinstance(words, str):
                    reading.bad.add(words, place)
                    if mend := _MENDS.get((source.kind, words)):
                        reading.bad.mends.setdefault(words, mend)
                else:
                    found = True
                    yield TaggedSentence(str(part.language), *_normalized(words))
        for sentence in reading.bad.sentences(source.title, "sentences"):
            say(sentence)
        inputs.bad.take(split, reading.bad)
        if parts and not found:
            raise UserError(
                f"The source {source.title!r} has no sentence that can be used"
                + (f" ({reading.bad.reasons})." if reading.bad.counts else ".")
            )


def files_of(sources: Iterable[TaggedSourceKind], base: Path) -> list[Path]:
    """Return the files on this machine that sources read.

    Raises:
        UserError: one is missing.
    """
    found: list[Path] = []
    for source in sources:
        if not isinstance(source, ListsHubSource):
            found += find_files(every_language(source.path), base)
        elif (folder := base / Path(source.dataset).expanduser()).is_dir():
            found += sorted(file for file in folder.rglob("*") if file.is_file())
    return found


def _parts(source: TaggedSourceKind, reading: Reading) -> list[TaggedSourceKind]:
    """Return a source for each language, none where no language is wanted."""
    if LANGUAGE_MARK not in source.place:
        return [source] if source.language in reading.languages else []
    if not isinstance(source, ListsHubSource):
        return list(by_language(source, reading)) if reading.languages else []
    return [
        source.model_copy(
            update={
                "dataset": source.dataset.replace(LANGUAGE_MARK, code),
                "subset": source.subset and source.subset.replace(LANGUAGE_MARK, code),
                "language": code,
            }
        )
        for code in reading.languages
    ]


def _normalized(words: Words) -> Words:
    return [normalize(word) for word in words[0]], words[1]


def _read(source: TaggedSourceKind, reading: Reading) -> Iterator[tuple[str, Words | str]]:
    """Yield place and words of each sentence, or why it cannot be used."""
    if isinstance(source, ListsHubSource):
        yield from _hub(source, reading)
        return
    for path in find_files(source.path, reading.base):
        match source:
            case ListsJsonlSource():
                yield from _jsonl(source, path, reading)
            case ConlluSource():
                yield from _conllu(source, path, reading)
            case ConllSource():
                yield from _conll(source, path, reading)


def _blocks(path: Path, reading: Reading) -> Iterator[tuple[str, list[str]]]:
    """Yield place and lines of whatever stands between empty lines."""
    lines: list[str] = []
    place = ""
    for number, line in lenient_lines(path, reading):
        if line.strip():
            place = place if lines else f"{reading.shown(path)}:{number}"
            lines.append(line)
        elif lines:
            yield place, lines
            lines = []
    if lines:
        yield place, lines


def _conllu(
    source: ConlluSource, path: Path, reading: Reading
) -> Iterator[tuple[str, Words | str]]:
    names = _CONLLU
    for place, lines in _blocks(path, reading):
        if declared := next(filter(None, map(_COLUMNS.match, lines)), None):
            names = declared[1].split()
        missing = [name for name in ("ID", "FORM", source.column) if name not in names]
        if missing:
            raise UserError(f"{path} has no column {missing[0]}, only {', '.join(names)}.")
        number, form, tag = (names.index(name) for name in ("ID", "FORM", source.column))
        rows = [line.split("\t") for line in lines if not line.startswith("#")]
        if any(len(cells) <= max(number, form, tag) for cells in rows):
            yield place, _TOO_FEW
            continue
        # 3-4 is a token of two words, which follow; 5.1 is a word that was left unsaid.
        rows = [cells for cells in rows if cells[number].isdecimal()]
        if source.column != MAY_BE_NONE and any(cells[tag] == "_" for cells in rows):
            yield place, _UNTAGGED
        elif rows:
            yield place, ([cells[form] for cells in rows], [cells[tag] for cells in rows])


def _conll(source: ConllSource, path: Path, reading: Reading) -> Iterator[tuple[str, Words | str]]:
    mark, marked, total = f"{source.language}:", 0, 0
    for place, lines in _blocks(path, reading):
        if rows := _columns(lines):
            found = _word_lines(rows, source)
            words = () if isinstance(found, str) else found[0]
            marked += sum(word.startswith(mark) for word in words)
            total += len(words)
            yield place, found
    if marked > total / 2:
        say(
            f"{reading.shown(path)}: {marked:,} of {total:,} words begin with {mark}; "
            "`prefix: true` of the source takes that away."
        )


def _columns(lines: list[str]) -> list[list[str]]:
    """Return the columns of a block's words, without comments and marks of documents."""
    rows = [line.split("\t") if "\t" in line else _BLANKS.split(line.strip(" ")) for line in lines]
    rows = [cells for cells in rows if not cells[0].startswith(_DOCUMENT)]
    # What begins with # is a comment, unless it has as many columns as the words behind it.
    words_from = next((n for n, cells in enumerate(rows) if cells[0][:1] != "#"), len(rows))
    width = len(rows[-1]) if words_from < len(rows) else 2
    return [cells for n, cells in enumerate(rows) if n >= words_from or len(cells) == width]


def _word_lines(rows: list[list[str]], source: ConllSource) -> Words | str:
    words, tags = [], []
    for cells in rows:
        token, tag = (c if c >= 0 else len(cells) + c for c in (source.token, source.tag))
        if token == tag or not (0 <= token < len(cells) and 0 <= tag < len(cells)):
            return _TOO_FEW
        word, label = cells[token], cells[tag].strip()
        word = word.partition(":")[2] if source.prefix and ":" in word else word
        if not word:
            return _NO_WORD
        words.append(word)
        tags.append(label)
    return (words, tags) if all(tags) else _UNTAGGED


def _jsonl(
    source: ListsJsonlSource, path: Path, reading: Reading
) -> Iterator[tuple[str, Words | str]]:
    for number, line in lenient_lines(path, reading):
        if not line.strip():
            continue
        place = f"{reading.shown(path)}:{number}"
        try:
            row = json_value(line)
        except ValueError:
            yield place, "invalid JSON"
        else:
            words, tags = _inside(row, source.tokens), _inside(row, source.tags)
            yield place, _lists(words, tags, source.names)


def _inside(value: Any, key: str) -> Any:  # noqa: ANN401 - JSON
    """Return what stands below a key; a dot in it reaches inside."""
    if isinstance(value, Mapping) and key in value:
        return value[key]
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _lists(words: Any, tags: Any, names: Sequence[str]) -> Words | str:  # noqa: ANN401 - JSON
    if not isinstance(words, list) or not isinstance(tags, list):
        return _NO_LISTS
    if len(words) != len(tags):
        return "not as many tags as words"
    if not words:
        return "no words"
    if not all(isinstance(word, str) for word in words):
        return "a word that is not a string"
    if any(tag is None or tag == "" for tag in tags):
        return _UNTAGGED
    tags = list(map(str, tags))
    if not names:
        return words, tags
    if _NO_CLASS in tags:
        return _UNTAGGED
    if not all(tag.isdecimal() and int(tag) < len(names) for tag in tags):
        return _NAMELESS
    return words, [names[int(tag)] for tag in tags]


def _hub(source: ListsHubSource, reading: Reading) -> Iterator[tuple[str, Words | str]]:
    rows = open_dataset(source.dataset, source.subset, source.split, source.revision, reading.base)
    feature = (getattr(rows, "features", None) or {}).get(source.tags)
    names = source.names or getattr(getattr(feature, "feature", None), "names", None) or ()
    for number, row in enumerate(rows):
        if missing := [key for key in (source.tokens, source.tags) if key not in row]:
            raise UserError(
                f"The dataset {source.place!r} has no column {missing[0]!r}; it has "
                f"{', '.join(row)}."
            )
        words = _lists(row[source.tokens], row[source.tags], names)
        yield f"{source.place}/{source.split}:{number}", words
