"""From the sources of a recipe to a corpus on disk: cleaned, without duplicates, split by content.

Two passes over the text. The first reads and cleans it, sets it down in reading order and keeps a
fingerprint of each text. From the fingerprints alone it is decided which records stay and in which
split. The second pass copies each record to its split. Memory is that of the fingerprints, about
twenty bytes a text on disk, however long the texts are.
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xlmkit.core.config import Config
from xlmkit.core.errors import UserError
from xlmkit.core.files import explained_disk_errors, open_lines
from xlmkit.core.journal import Journal
from xlmkit.core.parallel import map_in_order
from xlmkit.core.progress import progress
from xlmkit.data.block_cleaning import BlockCleaner
from xlmkit.data.clean import CleanConfig
from xlmkit.data.columns import Block
from xlmkit.data.corpus_blocks import parsed_line
from xlmkit.data.corpus_report import CorpusReport, SourceReport, SplitReport
from xlmkit.data.duplicates import KEEP, REASONS, DuplicateLevel, ambiguous_labels, find_duplicates
from xlmkit.data.index import NO_LABEL, CorpusIndex, IndexWriter
from xlmkit.data.inputs import Reading
from xlmkit.data.readers import read_blocks
from xlmkit.data.records import Record
from xlmkit.data.sources import Source, with_distinct_names
from xlmkit.data.split import HELD_OUT_ELSEWHERE, SPLITS, SplitConfig, assign_splits
from xlmkit.data.split_files import write_splits

_WORKING = "preparing"
_BLOCK_CHARACTERS = 1 << 16  # cleaned at a time


class DataConfig(Config):
    """Where the text comes from, how it is cleaned, and what of it is held out."""

    sources: tuple[Source, ...] = Field(min_length=1)
    """Files, wheels and datasets, in the order in which they are read."""
    clean: CleanConfig = CleanConfig()
    """How texts are cleaned, and which are dropped."""
    duplicates: DuplicateLevel = "near"
    """Which repetitions to drop: none, exact ones, or also near ones (the same but for case,
    punctuation and numbers, or, in long texts, for a few words)."""
    split: SplitConfig = SplitConfig()
    """How much is held out for validation and testing."""


def prepare_corpus(
    config: DataConfig, languages: Sequence[str], folder: Path, base: Path, seed: int
) -> CorpusReport:
    """Read, clean, deduplicate and split a recipe's data.

    Writes train.jsonl, valid.jsonl, test.jsonl and report.json, each whole or not at all.

    Args:
        config: the data section of the recipe.
        languages: the recipe's languages; the first one that a record has is its pivot.
        folder: where the corpus goes.
        base: where relative paths of the recipe start.
        seed: of the recipe; decides, with the texts, which ones are held out.

    Raises:
        UserError: a source cannot be read, nothing is left after cleaning, or the disk is full.
    """
    sources = with_distinct_names(config.sources)
    report = CorpusReport(tuple(languages))
    with explained_disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        working = folder / _WORKING
        working.mkdir(exist_ok=True)
        index = _collect(sources, config, languages, working, base, report)
        if not len(index.size):
            shutil.rmtree(working)
            raise UserError(
                "No text is left after cleaning; see the limits in the recipe's section data.clean."
            )
        reason = find_duplicates(
            index,
            config.duplicates,
            np.array([source.one_translation for source in sources], dtype=np.bool_),
        )
        ambiguous = ambiguous_labels(index)
        split = assign_splits(index, reason == KEEP, ~ambiguous, config.split, seed)
        _count_decisions(index, reason, split, ambiguous, report)
        write_splits(working / "records.jsonl", folder, split, ambiguous)
        del index  # it maps files that go now
        shutil.rmtree(working, ignore_errors=True)
    report.write(folder)
    return report


def _collect(
    sources: Sequence[Source],
    config: DataConfig,
    languages: Sequence[str],
    working: Path,
    base: Path,
    report: CorpusReport,
) -> CorpusIndex:
    """First pass: write all cleaned records in reading order, and return their index.

    Stopped, it goes on with the first block that was not noted; sources are read anew up to there,
    which takes little beside cleaning.
    """
    cut = f"pieces of {_BLOCK_CHARACTERS}"  # blocks that were cut otherwise cannot be counted
    settings = json.dumps([config.model_dump(mode="json"), languages, cut])
    journal = Journal(working / "journal.json", hashlib.sha256(settings.encode()).hexdigest())
    state = journal.state or {"blocks": 0, "sources": [[[], []] for _ in sources]}
    done = int(state["blocks"])
    tallies = [_Tally.of(*lists) for lists in state["sources"]]
    with (
        IndexWriter(working, languages, journal) as writer,
        journal.open("records.jsonl") as stream,
        progress("cleaning", total=None, unit="texts") as bar,
    ):
        streams = {**writer.streams, "records.jsonl": stream}

        def noted() -> dict[str, Any]:
            lists = [tally.lists() for tally in tallies]
            return {**writer.state(), "blocks": done, "sources": lists}

        clean = BlockCleaner(
            config.clean,
            [source.usual_markup for source in sources],
            with_bands=config.duplicates == "near",
        )
        blocks_left = islice(_blocks(sources, languages, base, report), done, None)
        for block in map_in_order(clean, blocks_left):
            tallies[block.source].read.update(block.read)
            tallies[block.source].dropped.update(block.dropped)
            stream.write(block.lines)
            writer.add(block.prints, block.source)
            done += 1
            bar.advance(block.read.total(), source=sources[block.source].title)
            journal.note(streams, noted)
        for source, tally in zip(sources, tallies, strict=True):
            account = report.sources[source.title]
            account.read.update(tally.read)
            for (reason, language), count in tally.dropped.items():
                account.drop(reason, language, count)
        return writer.finish()


@dataclass(frozen=True, slots=True)
class _Tally:
    """What was read of a source, by language, and dropped, by reason and language."""

    read: Counter[str]
    dropped: Counter[tuple[str, str]]

    @classmethod
    def of(cls, read: list[tuple[str, int]], dropped: list[tuple[str, str, int]]) -> "_Tally":
        return cls(Counter(dict(read)), Counter({(r, code): n for r, code, n in dropped}))

    def lists(self) -> list[list[list[Any]]]:
        """Return both as plain lists, in their order."""
        return [[[*pair] for pair in self.read.items()], [[*k, n] for k, n in self.dropped.items()]]


def _blocks(
    sources: Sequence[Source], languages: Sequence[str], base: Path, report: CorpusReport
) -> Iterator[tuple[int, Block]]:
    """Yield the number of a source and a block of its records, and report lines that are bad."""
    for number, source in enumerate(sources):
        account = report.sources[source.title] = SourceReport(source.kind)
        wanted = languages if source.languages is None else source.languages
        reading = Reading(base, tuple(code for code in languages if code in wanted))
        for block in read_blocks(source, reading, _BLOCK_CHARACTERS):
            yield number, block
        account.bad_lines = reading.bad.counts
        account.bad_places = reading.bad.places
        account.classes = reading.classes


def _count_decisions(
    index: CorpusIndex,
    reason: NDArray[np.uint8],
    split: NDArray[np.uint8],
    ambiguous: NDArray[np.bool_],
    report: CorpusReport,
) -> None:
    """Enter into the report what became of every record."""
    accounts = list(report.sources.values())
    elsewhere = split == HELD_OUT_ELSEWHERE
    for code, name in enumerate(REASONS):
        if code != KEEP:
            for source, language, count in _texts(index, reason == code):
                accounts[source].drop(name, report.languages[language], count)
    for source, language, count in _texts(index, elsewhere):
        accounts[source].drop("held out elsewhere", report.languages[language], count)
    for source, language, count in _texts(index, split < len(SPLITS)):
        accounts[source].kept[report.languages[language]] += count
    for source, count in enumerate(np.bincount(index.source[ambiguous], minlength=len(accounts))):
        accounts[source].ambiguous_labels = int(count)
    for code, name in enumerate(SPLITS):
        report.splits[name] = _split_report(index, split == code, ambiguous, report.languages)


def _texts(index: CorpusIndex, chosen: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """Yield (source, language, number of texts) of the chosen records."""
    languages = int(index.language.max()) + 1
    rows = chosen[index.record]
    kinds = index.source[index.record[rows]].astype(np.int64) * languages + index.language[rows]
    counts = np.bincount(kinds)
    for kind in np.flatnonzero(counts).tolist():
        source, language = divmod(kind, languages)
        yield source, language, int(counts[kind])


def _split_report(
    index: CorpusIndex,
    chosen: NDArray[np.bool_],
    ambiguous: NDArray[np.bool_],
    languages: Sequence[str],
) -> SplitReport:
    account = SplitReport(
        records=int(np.count_nonzero(chosen)),
        parallel=int(np.count_nonzero(chosen & index.parallel)),
    )
    labelled = chosen & ~ambiguous & (index.label != NO_LABEL)
    for label, count in enumerate(np.bincount(index.label[labelled]).tolist()):
        if count:
            account.labels[index.labels[label]] = count
    for codes, count in _combinations(index, chosen):
        for code in codes:
            account.texts[languages[code]] += count
        for one, other in combinations(codes, 2):
            account.pairs[f"{languages[one]}-{languages[other]}"] += count
    return account


def _combinations(index: CorpusIndex, chosen: NDArray[np.bool_]) -> Iterator[tuple[list[int], int]]:
    """Yield the languages of records, and how many of the chosen ones have just these."""
    languages = int(index.language.max()) + 1
    for size in np.unique(index.size[chosen]).tolist():
        first = index.first[chosen & (index.size == size)]
        keys = index.language[first]  # numbers in the order of the languages that they stand for
        for place in range(1, size):
            _, numbers = np.unique(keys, return_inverse=True)
            keys = numbers * languages + index.language[first + place]
        _, examples, counts = np.unique(keys, return_index=True, return_counts=True)
        for start, count in zip(first[examples].tolist(), counts.tolist(), strict=True):
            yield index.language[start : start + size].tolist(), count


def read_corpus(folder: Path, split: str) -> Iterator[Record]:
    """Yield the records of a split in reading order.

    Args:
        folder: where `prepare_corpus` wrote.
        split: train, valid or test.

    Raises:
        UserError: there is no such corpus or split, or a line of it is damaged.
    """
    if split not in SPLITS:
        raise UserError(f"There is no split {split!r}; the splits are {', '.join(SPLITS)}.")
    path = folder / f"{split}.jsonl"
    if path.is_file() and not path.stat().st_size:  # nothing was held out
        return
    for number, line in open_lines(path):
        yield parsed_line(line, path, number)
