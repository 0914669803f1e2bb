"""The training texts as counted words, kept beside the shards until they are encoded.

Counting and encoding need the same of a text: its words. So what counting finds is written down,
and encoding has no line to read and no text to split any more.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from itertools import islice, pairwise
from pathlib import Path

from xlmkit.core.journal import Journal
from xlmkit.core.parallel import map_in_order
from xlmkit.data.corpus_blocks import BLOCK_BYTES, CorpusBlock, corpus_blocks
from xlmkit.data.numbered_blocks import VERSION, NumberedBlock, PlaceOfBlock, words_of_bytes
from xlmkit.text.counted_words import CountedWords
from xlmkit.text.word_counts import WordCounter
from xlmkit.text.words_of_texts import WordsOfTexts

JOURNAL = "counting.json"
WORDS = "train.words"
SPLIT = "train"


class _BlockCounter:
    """Finds and counts the words of blocks; may be sent to other processes."""

    def __init__(self, segmenters: Mapping[str, str]) -> None:
        self._words = WordsOfTexts(segmenters)

    def __call__(self, block: CorpusBlock) -> bytes:
        return NumberedBlock.of(block, self._words).to_bytes()


class CountedCorpus:
    """The blocks of the training split, those that were counted as words by number.

    Attributes:
        segmenters: language -> segmenter that made the words.
    """

    def __init__(self, corpus: Path, folder: Path, segmenters: Mapping[str, str]) -> None:
        """Find what an earlier call has counted.

        Args:
            corpus: what `prepare_corpus` made.
            folder: where the words are kept.
            segmenters: language -> segmenter.
        """
        self.segmenters = dict(segmenters)
        self._corpus, self._path = corpus, folder / WORDS
        texts = corpus / f"{SPLIT}.jsonl"
        size = texts.stat().st_size if texts.is_file() else 0  # its reader tells what is missing
        key = json.dumps([VERSION, BLOCK_BYTES, size, sorted(segmenters.items())])
        self._journal = Journal(folder / JOURNAL, key)
        state = self._journal.state or {"ends": [0], "checksums": []}
        self._ends: list[int] = state["ends"]  # of blocks in the file; the first one is its start
        self._checksums: list[int] = state["checksums"]
        self._forget_damaged()
        self._is_whole = False  # as far as is known

    def count(self) -> WordCounter:
        """Count the words of all blocks, and keep them; go on where this was stopped.

        Raises:
            UserError: a line is damaged, or a segmenter is missing.
        """
        counter = WordCounter()
        for place in self._places():
            _update(counter, place.words())
        count = _BlockCounter(self.segmenters)
        self._path.touch()
        with self._path.open("r+b") as stream:
            stream.seek(stream.truncate(self._ends[-1]))
            for data in map_in_order(count, self._blocks_left()):
                _update(counter, words_of_bytes(data))
                stream.write(data)
                self._ends.append(stream.tell())
                self._checksums.append(zlib.crc32(data))
                self._journal.note({WORDS: stream}, self._state)
            self._journal.note({WORDS: stream}, self._state, always=True)
        self._is_whole = True
        return counter

    def blocks(self) -> Iterator[PlaceOfBlock | CorpusBlock]:
        """Yield all blocks, in reading order, those that were not counted as lines."""
        yield from self._places()
        if not self._is_whole:
            yield from self._blocks_left()

    def remove(self) -> None:
        """Forget the words, at the end of the work."""
        self._path.unlink(missing_ok=True)
        self._journal.remove()

    def _state(self) -> dict[str, list[int]]:
        return {"ends": self._ends, "checksums": self._checksums}

    def _forget_damaged(self) -> None:
        """Leave out what follows the last block that is as it was written."""
        whole = 0
        if self._checksums:
            with self._path.open("rb") as stream:
                for place, checksum in zip(self._places(), self._checksums, strict=True):
                    if zlib.crc32(stream.read(place.size)) != checksum:
                        break
                    whole += 1
        del self._ends[whole + 1 :], self._checksums[whole:]

    def _places(self) -> Iterator[PlaceOfBlock]:
        for start, end in pairwise(self._ends):
            yield PlaceOfBlock(self._path, start, end - start)

    def _blocks_left(self) -> Iterator[CorpusBlock]:
        return islice(corpus_blocks(self._corpus, SPLIT), len(self._ends) - 1, None)


def _update(counter: WordCounter, words: Mapping[str, CountedWords]) -> None:
    for language, own in words.items():
        counter.update(language, own)
