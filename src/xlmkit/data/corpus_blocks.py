"""The corpus on disk in blocks of lines: cut by one process, taken apart by the one that needs it.

Cutting is cheap, taking lines of JSON apart is not; so several processes can share it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.core.files import open_bytes
from xlmkit.data.records import Record

BLOCK_BYTES = 1 << 18
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

    def texts(self) -> list[Mapping[str, str]]:
        """Return language -> text of each record.

        Raises:
            UserError: a line is damaged.
        """
        return self.texts_and_sources()[0]

    def texts_and_sources(self) -> tuple[list[Mapping[str, str]], list[str]]:
        """Return language -> text of each record, and from which source it came.

        Raises:
            UserError: a line is damaged.
        """
        lines = self.lines.rstrip(b"\n")
        try:
            # One call for all lines takes half as long as one for each.
            records = json.loads(b"[%b]" % lines.replace(b"\n", b","))
            return [r["texts"] for r in records], [r["source"] for r in records]
        except (ValueError, KeyError, TypeError):
            self._say_where()
            raise

    def _say_where(self) -> None:
        for number, line in enumerate(self.lines.split(b"\n")[:-1], start=self.first):
            parsed_line(line, self.path, number)

    def by_language(self) -> dict[str, list[str]]:
        """Return the texts of each language."""
        found: dict[str, list[str]] = {}
        for texts in self.texts():
            for language, text in texts.items():
                found.setdefault(language, []).append(text)
        return found


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
