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

VERSION = 2
"""Of the bytes that blocks become; what another version wrote must not be read."""

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
        """Return all of it, its numbers in as few bytes as they need, the words first."""
        stream = BytesIO()
        _write(stream, np.frombuffer(json.dumps([self.count, self.sources]).encode(), np.uint8))
        for language in self.sources:
            words = self.languages[language][1].words
            # In UTF-8, since one rare character would make all of them four bytes long.
            letters = words.codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
            utf8 = np.frombuffer(letters.encode("utf-8", "surrogatepass"), np.uint8)
            for numbers in (utf8, words.lengths, words.counts):
                _write(stream, numbers)
        for language in self.sources:
            rows, texts = self.languages[language]
            for its_numbers in (rows, texts.numbers, texts.lengths):
                _write(stream, its_numbers)
        return stream.getvalue()

    @classmethod
    def of_bytes(cls, data: bytes) -> "NumberedBlock":
        """Return what `to_bytes` has written."""
        stream = BytesIO(data)
        count, sources = _read_head(stream)
        words = {language: _read_words(stream) for language in sources}
        languages = {
            language: (
                _read(stream, np.int64),
                NumberedWords(own, _read(stream, np.int32), _read(stream, np.int32)),
            )
            for language, own in words.items()
        }
        return cls(count, languages, sources)


def words_of_bytes(data: bytes) -> dict[str, CountedWords]:
    """Return language -> words, of what `NumberedBlock.to_bytes` has written, and read no more."""
    stream = BytesIO(data)
    _, sources = _read_head(stream)
    return {language: _read_words(stream) for language in sources}


@dataclass(frozen=True, slots=True)
class PlaceOfBlock:
    """Where a numbered block stands: a file, from which byte on, and how many."""

    path: Path
    start: int
    size: int

    def texts(self) -> NumberedBlock:
        """Return the block."""
        return NumberedBlock.of_bytes(self._read())

    def words(self) -> dict[str, CountedWords]:
        """Return the words of its languages."""
        return words_of_bytes(self._read())

    def _read(self) -> bytes:
        with self.path.open("rb") as stream:
            stream.seek(self.start)
            return stream.read(self.size)


def _read_head(stream: BytesIO) -> tuple[int, dict[str, list[tuple[str, int]]]]:
    count, sources = json.loads(_read(stream, np.uint8).tobytes())
    return count, {
        language: [(name, length) for name, length in runs] for language, runs in sources.items()
    }


def _read_words(stream: BytesIO) -> CountedWords:
    letters = _read(stream, np.uint8).tobytes().decode("utf-8", "surrogatepass")
    codes = np.frombuffer(letters.encode("utf-32-le", "surrogatepass"), "<u4")
    return CountedWords(
        codes.astype(np.uint32, copy=False), _read(stream, np.int32), _read(stream, np.float64)
    )


def _read(stream: BytesIO, kind: type[Any]) -> NDArray[Any]:
    numbers: NDArray[Any] = np.load(stream, allow_pickle=False)
    return numbers.astype(kind, copy=False)


def _write(stream: BytesIO, numbers: NDArray[Any]) -> None:
    most = numbers.max(initial=0)
    kind = next(kind for kind in _UNSIGNED if most <= np.iinfo(kind).max)
    np.save(stream, numbers.astype(kind, copy=False), allow_pickle=False)
