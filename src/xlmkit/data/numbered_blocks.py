"""Blocks of the corpus as words by number, on disk: nothing is left to do but encoding words."""

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.corpus_blocks import CorpusBlock
from xlmkit.text.counted_words import CountedWords
from xlmkit.text.numbered_words import NumberedWords
from xlmkit.text.words_of_texts import WordsOfTexts

_UNSIGNED = tuple(map(np.dtype, ("<u1", "<u2", "<u4")))


@dataclass(frozen=True, slots=True)
class NumberedBlock:
    """What is in the records of a block, see `BlockTexts`.

    Attributes:
        count: how many records there are.
        languages: language -> the records that have a text in it, by number, and their words.
        sources: language -> the sources of its texts, and how many in a row come from each.
    """

    count: int
    languages: dict[str, tuple[NDArray[np.int64], NumberedWords]]
    sources: dict[str, list[tuple[str, int]]]

    @classmethod
    def of(cls, block: CorpusBlock, find: WordsOfTexts) -> "NumberedBlock":
        """Read a block and find its words.

        Raises:
            UserError: a line is damaged.
        """
        read = block.texts()
        languages = {
            language: (rows, find.numbered(texts, language))
            for language, (rows, texts) in read.languages.items()
        }
        return cls(read.count, languages, {language: read.runs(language) for language in languages})

    def runs(self, language: str) -> list[tuple[str, int]]:
        """Return the sources of a language's texts, and how many in a row come from each."""
        return self.sources[language]

    def to_bytes(self) -> bytes:
        """Return all of it, its numbers in as few bytes as they need."""
        stream = BytesIO()
        _write(stream, np.frombuffer(json.dumps([self.count, self.sources]).encode(), np.uint8))
        for language in self.sources:
            rows, texts = self.languages[language]
            words = texts.words
            # In UTF-8, since one rare character would make all of them four bytes long.
            letters = words.codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
            utf8 = np.frombuffer(letters.encode("utf-8", "surrogatepass"), np.uint8)
            for numbers in (rows, utf8, words.lengths, words.counts, texts.numbers, texts.lengths):
                _write(stream, numbers)
        return stream.getvalue()

    @classmethod
    def of_bytes(cls, data: bytes) -> "NumberedBlock":
        """Return what `to_bytes` has written."""
        stream = BytesIO(data)

        def read(kind: type[Any]) -> NDArray[Any]:
            numbers: NDArray[Any] = np.load(stream, allow_pickle=False)
            return numbers.astype(kind, copy=False)

        count, sources = json.loads(read(np.uint8).tobytes())
        languages, runs = {}, {}
        for language, its_runs in sources.items():
            runs[language] = [(name, length) for name, length in its_runs]
            rows = read(np.int64)
            letters = read(np.uint8).tobytes().decode("utf-8", "surrogatepass")
            codes = np.frombuffer(letters.encode("utf-32-le", "surrogatepass"), "<u4")
            words = CountedWords(
                codes.astype(np.uint32, copy=False), read(np.int32), read(np.float64)
            )
            languages[language] = rows, NumberedWords(words, read(np.int32), read(np.int32))
        return cls(count, languages, runs)


@dataclass(frozen=True, slots=True)
class PlaceOfBlock:
    """Where a numbered block stands: a file, from which byte on, and how many."""

    path: Path
    start: int
    size: int

    def read(self) -> NumberedBlock:
        """Return the block."""
        with self.path.open("rb") as stream:
            stream.seek(self.start)
            return NumberedBlock.of_bytes(stream.read(self.size))


def _write(stream: BytesIO, numbers: NDArray[Any]) -> None:
    most = numbers.max(initial=0)
    kind = next(kind for kind in _UNSIGNED if most <= np.iinfo(kind).max)
    np.save(stream, numbers.astype(kind, copy=False), allow_pickle=False)
