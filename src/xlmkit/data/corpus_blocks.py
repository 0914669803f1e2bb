"""The corpus on disk in blocks of lines: cut by one process, taken apart by the one that needs it.

Cutting is cheap, taking lines of JSON apart is not; so several processes can share it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.core.files import open_bytes
from xlmkit.data.records import Record
from xlmkit.text import compiled

BLOCK_BYTES = 1 << 20
"""About how long a block is; it ends with a line."""


@dataclass(frozen=True, slots=True)
class CorpusBlock:
    """Some lines of a file of the corpus.

    Attributes:
        path: the file.
        first: number of the first line, from 1.
        lines: the lines with their ends.
    """

    path: Path
    first: int
    lines: bytes

    def texts(self) -> "BlockTexts":
        """Return the texts of each language.

        Raises:
            UserError: a line is damaged.
        """
        if compiled.in_use() and (read := compiled.read_lines(self.lines)):
            count, found, sources = read
            languages = {
                code: (np.frombuffer(rows, np.int64), texts)
                for code, (rows, texts) in found.items()
            }
            return BlockTexts(count, languages, sources)
        return self._texts()

    def _texts(self) -> "BlockTexts":
        lines = self.lines.rstrip(b"\n")
        found: dict[str, tuple[list[int], list[str]]] = {}
        try:
            # One call for all lines takes half as long as one for each.
            records = json.loads(b"[%b]" % lines.replace(b"\n", b","))
            for row, record in enumerate(records):
                for language, text in record["texts"].items():
                    rows, texts = found.setdefault(language, ([], []))
                    rows.append(row)
                    texts.append(text)
            sources = [record["source"] for record in records]
        except (ValueError, KeyError, TypeError, AttributeError):
            self._say_where()
            raise
        languages = {code: (np.array(rows), texts) for code, (rows, texts) in found.items()}
        return BlockTexts(len(records), languages, sources)

    def _say_where(self) -> None:
        for number, line in enumerate(self.lines.split(b"\n")[:-1], start=self.first):
            parsed_line(line, self.path, number)


@dataclass(frozen=True, slots=True)
class BlockTexts:
    """What is in the records of a block.

    Attributes:
        count: how many records there are.
        languages: language -> the records that have a text in it, by number, and their texts.
        sources: the source of each record.
    """

    count: int
    languages: dict[str, tuple[NDArray[np.int64], list[str]]]
    sources: list[str]

    def runs(self, language: str) -> list[tuple[str, int]]:
        """Return the sources of a language's texts, and how many in a row come from each."""
        rows, _ = self.languages[language]
        runs = groupby(map(self.sources.__getitem__, rows.tolist()))
        return [(name, sum(1 for _ in run)) for name, run in runs]


def parsed_line(line: str | bytes, path: Path, number: int) -> Record:
    """Return the record in a line of a file.

    Raises:
        UserError: the line is damaged.
    """
    try:
        return Record.from_json(line)
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path}, line {number}, is damaged; prepare the corpus again.") from None


def corpus_blocks(folder: Path, split: str) -> Iterator[CorpusBlock]:
    """Yield the lines of a split in blocks, in reading order.

    Args:
        folder: where the corpus was written.
        split: train, valid or test.

    Raises:
        UserError: there is no such file.
    """
    path = folder / f"{split}.jsonl"
    first = 1
    with open_bytes(path) as stream:
        while lines := stream.read(BLOCK_BYTES):
            lines += stream.readline()
            yield CorpusBlock(path, first, lines)
            first += lines.count(b"\n")
