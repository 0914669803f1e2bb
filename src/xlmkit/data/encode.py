"""From cleaned records to shards: every text of the corpus as token ids.

Texts are read and written in blocks, so memory does not grow with the corpus.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.files import sha256_file, write_json
from xlmkit.core.journal import Journal
from xlmkit.core.parallel import map_in_order
from xlmkit.core.progress import progress
from xlmkit.data.corpus_blocks import BLOCK_BYTES, CorpusBlock, corpus_blocks
from xlmkit.data.counted_corpus import SPLIT as COUNTED
from xlmkit.data.counted_corpus import CountedCorpus
from xlmkit.data.numbered_blocks import PlaceOfBlock
from xlmkit.data.shards import MANIFEST
from xlmkit.text.bpe import END_OF_WORD
from xlmkit.text.numbered_words import NumberedWords
from xlmkit.text.tokenizer import Tokenizer

JOURNAL = "encoding.json"
SPLITS = ("train", "valid", "test")


def encode_corpus(
    corpus: Path, tokenizer: Tokenizer, folder: Path, counted: CountedCorpus | None = None
) -> dict[str, Any]:
    """Write the shards of a corpus into a folder, going on where this was stopped.

    Args:
        corpus: what `prepare_corpus` made.
        tokenizer: its languages are the shards' languages.
        folder: where; the manifest is written last.
        counted: the words of the training split, which then are not looked for again; not heeded
            if others split texts for the tokenizer.

    Returns:
        Per language, over the training split: texts, words, tokens, unknown tokens.
    """
    folder.mkdir(parents=True, exist_ok=True)
    encoder = _Encoder(tokenizer, folder)
    for split in SPLITS[encoder.splits_done :]:
        blocks: Iterator[CorpusBlock | PlaceOfBlock] = corpus_blocks(corpus, split)
        if split == COUNTED and counted and counted.segmenters == tokenizer.segmenters:
            blocks = counted.blocks()
        encoder.encode(split, blocks)
    encoder.finish()
    return encoder.statistics


_Texts = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]
"""Rows of records, the tokens of their texts, each closed by `</s>`, end to end; their lengths."""


@dataclass(frozen=True, slots=True)
class _EncodedBlock:
    """How many records there were, and by language their texts and how many came from where."""

    records: int
    texts: dict[str, _Texts]
    sources: dict[str, list[tuple[str, int]]]


class _BlockEncoder:
    """Encodes blocks of records; may be sent to other processes."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def __call__(self, block: CorpusBlock | PlaceOfBlock) -> _EncodedBlock:
        read = block.texts()
        texts, sources = {}, {}
        for language in filter(read.languages.__contains__, self._tokenizer.lang2id):
            rows, its_texts = read.languages[language]
            texts[language] = (rows, *self._encode(its_texts, language))
            sources[language] = read.runs(language)
        return _EncodedBlock(read.count, texts, sources)

    def _encode(
        self, texts: list[str] | NumberedWords, language: str
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        if isinstance(texts, NumberedWords):
            ids, lengths = self._tokenizer.encode_numbered(texts, language)
        else:
            ids, lengths = self._tokenizer.encode_flat(texts, language)
        return np.insert(ids, np.cumsum(lengths), Tokenizer.eos), lengths + 1


class _Encoder:
    def __init__(self, tokenizer: Tokenizer, folder: Path) -> None:
        self.tokenizer, self.folder = tokenizer, folder
        # One for all splits: processes are sent another one anew, and have nothing remembered yet.
        self.encode_block = _BlockEncoder(tokenizer)
        self.languages = list(tokenizer.lang2id)
        self.dtype = np.dtype("<u2" if len(tokenizer) <= 1 << 16 else "<u4")
        self.ends_word = np.array([s.endswith(END_OF_WORD) for s in tokenizer.vocabulary])
        self.journal = Journal(folder / JOURNAL, f"{tokenizer.signature} {BLOCK_BYTES}")
        names = ("texts", "words", "tokens", "unknown")
        state = self.journal.state or {
            "splits": 0,
            "blocks": 0,
            "word_counts": [0] * len(tokenizer),
            "dtypes": {},
            "pairs": {},
            "sources": {split: {} for split in SPLITS},
            "ends": [0] * len(self.languages),
            "numbers": [0] * len(self.languages),
            "statistics": {language: dict.fromkeys(names, 0) for language in self.languages},
        }
        self.splits_done, self.blocks_done = int(state["splits"]), int(state["blocks"])
        self.word_counts = np.array(state["word_counts"], np.int64)
        self.dtypes: dict[str, str] = state["dtypes"]
        self.pairs: dict[str, list[list[str]]] = state["pairs"]
        self.sources: dict[str, dict[str, list[tuple[str, int]]]] = state["sources"]
        self.ends: list[int] = state["ends"]  # tokens of each language in the split at hand
        self.numbers: list[int] = state["numbers"]  # sentences
        self.statistics: dict[str, dict[str, int]] = state["statistics"]

    def _state(self) -> dict[str, Any]:
        return {
            "splits": self.splits_done,
            "blocks": self.blocks_done,
            "word_counts": self.word_counts.tolist(),
            "dtypes": self.dtypes,
            "pairs": self.pairs,
            "sources": self.sources,
            "ends": self.ends,
            "numbers": self.numbers,
            "statistics": self.statistics,
        }

    def encode(self, split: str, blocks: Iterable[CorpusBlock | PlaceOfBlock]) -> None:
        """Write one split's shards, from the first block on that is not written yet."""
        files: dict[str, IO[bytes]] = {}
        pairs = {(a, b) for a, b in self.pairs.get(split, [])}

        with ExitStack() as closing, progress(f"encoding {split}", unit="records") as bar:
            # The stack closes every file, also where a full disk lets one fail.

            def append(name: str, values: NDArray[Any]) -> None:
                if name not in files:
                    files[name] = closing.enter_context(self.journal.open(name))
                    self.dtypes[name] = values.dtype.str
                    if name.endswith(".starts"):
                        files[name].write(np.zeros(1, values.dtype).tobytes())
                files[name].write(values.tobytes())

            for name in self.dtypes:
                if name.startswith(f"{split}."):  # begun before this was stopped
                    files[name] = closing.enter_context(self.journal.open(name))
            blocks_left = islice(blocks, self.blocks_done, None)
            for encoded in map_in_order(self.encode_block, blocks_left):
                self._append(split, encoded, append, pairs)
                self.blocks_done += 1
                self.pairs[split] = sorted(map(list, pairs))
                bar.advance(encoded.records)
                self.journal.note(files, self._state)
            self.pairs[split] = sorted(map(list, pairs))
            self.splits_done, self.blocks_done = self.splits_done + 1, 0
            self.ends, self.numbers = [0] * len(self.languages), [0] * len(self.languages)
            self.journal.note(files, self._state, always=True)

    def _append(
        self,
        split: str,
        encoded: _EncodedBlock,
        append: Callable[[str, NDArray[Any]], None],
        pairs: set[tuple[str, str]],
    ) -> None:
        """Append a block to the files of its split."""
        sentence = np.full((encoded.records, len(self.languages)), -1, np.int64)
        for language, (rows, tokens, lengths) in encoded.texts.items():
            column = self.languages.index(language)
            if split == "train":
                self._count(language, tokens, lengths)
            append(f"{split}.{language}.tokens", tokens.astype(self.dtype))
            starts = self.ends[column] + np.cumsum(lengths)
            append(f"{split}.{language}.starts", starts.astype("<i8"))
            sentence[rows, column] = self.numbers[column] + np.arange(len(rows))
            self.ends[column] = int(starts[-1])
            self.numbers[column] += len(rows)
            runs = self.sources[split].setdefault(language, [])
            for name, count in encoded.sources[language]:
                goes_on = runs and runs[-1][0] == name
                runs.append((name, runs.pop()[1] + count if goes_on else count))
        for a, b, both in self._pairs(sentence):
            pairs.add((a, b))
            append(f"{split}.{a}-{b}.pairs", both)

    def _count(self, language: str, tokens: NDArray[np.int32], lengths: NDArray[np.int64]) -> None:
        """Count the words of the vocabulary, and those of a language; `</s>` is none."""
        occurrences = np.bincount(tokens, minlength=len(self.word_counts))
        occurrences[Tokenizer.eos] -= len(lengths)
        self.word_counts += occurrences
        statistics = self.statistics[language]
        statistics["texts"] += len(lengths)
        statistics["words"] += int(occurrences[self.ends_word].sum())
        statistics["tokens"] += len(tokens) - len(lengths)
        statistics["unknown"] += int(occurrences[Tokenizer.unk])

    def _pairs(
        self, sentence: NDArray[np.int64]
    ) -> Iterator[tuple[str, str, NDArray[np.signedinteger]]]:
        """Yield, for every two languages, the numbers of the sentences that both have."""
        present = np.flatnonzero((sentence >= 0).any(axis=0))
        for place, a in enumerate(present):
            for b in present[place + 1 :]:
                both = sentence[(sentence[:, a] >= 0) & (sentence[:, b] >= 0)][:, [a, b]]
                if len(both):
                    yield self.languages[a], self.languages[b], both.astype("<i4")

    def finish(self) -> None:
        """Write the word counts and, last, the manifest."""
        self.word_counts.astype("<i8").tofile(self.folder / "word_counts")
        self.dtypes["word_counts"] = "<i8"
        files = {
            name: {
                "dtype": dtype,
                "bytes": (self.folder / name).stat().st_size,
                "sha256": sha256_file(self.folder / name),
            }
            for name, dtype in sorted(self.dtypes.items())
        }
        write_json(
            self.folder / MANIFEST,
            {
                "languages": self.languages,
                "tokenizer": self.tokenizer.signature,
                "vocabulary_size": len(self.tokenizer),
                "byteorder": sys.byteorder,
                "pairs": self.pairs,
                "sources": self.sources,
                "files": files,
            },
        )
        self.journal.remove()
