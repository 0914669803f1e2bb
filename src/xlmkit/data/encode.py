"""From cleaned records to shards: every text of the corpus as token ids.

Records are read and written in blocks, so memory does not grow with the corpus.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.files import sha256_file, write_json
from xlmkit.core.progress import progress
from xlmkit.data.corpus import read_corpus
from xlmkit.data.records import Record
from xlmkit.data.shards import MANIFEST
from xlmkit.text.bpe import END_OF_WORD
from xlmkit.text.tokenizer import Tokenizer

SPLITS = ("train", "valid", "test")
_BLOCK = 4096  # records held at a time


def encode_corpus(corpus: Path, tokenizer: Tokenizer, folder: Path) -> dict[str, Any]:
    """Write the shards of a corpus into an empty folder.

    Args:
        corpus: what `prepare_corpus` made.
        tokenizer: its languages are the shards' languages.
        folder: where; the manifest is written last.

    Returns:
        Per language, over the training split: texts, words, tokens, unknown tokens.
    """
    folder.mkdir(parents=True, exist_ok=True)
    encoder = _Encoder(tokenizer, folder)
    for split in SPLITS:
        encoder.encode(split, read_corpus(corpus, split))
    encoder.finish()
    return encoder.statistics


def blocks(records: Iterable[Record], size: int = _BLOCK) -> Iterator[list[Record]]:
    """Cut a sequence of records into lists."""
    iterator = iter(records)
    while block := list(islice(iterator, size)):
        yield block


class _Encoder:
    def __init__(self, tokenizer: Tokenizer, folder: Path) -> None:
        self.tokenizer, self.folder = tokenizer, folder
        self.languages = list(tokenizer.lang2id)
        self.dtype = np.dtype("<u2" if len(tokenizer) <= 1 << 16 else "<u4")
        self.word_counts = np.zeros(len(tokenizer), np.int64)
        self.ends_word = np.array([s.endswith(END_OF_WORD) for s in tokenizer.vocabulary])
        self.dtypes: dict[str, str] = {}
        self.pairs: dict[str, list[list[str]]] = {}
        names = ("texts", "words", "tokens", "unknown")
        self.statistics = {language: dict.fromkeys(names, 0) for language in self.languages}

    def encode(self, split: str, records: Iterable[Record]) -> None:
        """Write one split's shards."""
        files: dict[str, IO[bytes]] = {}
        closing = ExitStack()  # closes every file, also where a full disk lets one fail
        ends = dict.fromkeys(self.languages, 0)  # tokens written so far
        numbers = dict.fromkeys(self.languages, 0)  # sentences written so far
        pairs: set[tuple[str, str]] = set()

        def append(name: str, values: NDArray[Any]) -> None:
            if name not in files:
                files[name] = closing.enter_context((self.folder / name).open("wb"))
                self.dtypes[name] = values.dtype.str
                if name.endswith(".starts"):
                    files[name].write(np.zeros(1, values.dtype).tobytes())
            files[name].write(values.tobytes())

        with closing, progress(f"encoding {split}", unit="records") as bar:
            for block in blocks(records):
                sentence = np.full((len(block), len(self.languages)), -1, np.int64)
                for column, language in enumerate(self.languages):
                    rows = [i for i, record in enumerate(block) if language in record.texts]
                    if not rows:
                        continue
                    texts = [block[i].texts[language] for i in rows]
                    tokens, lengths = self._tokens(texts, language, count=split == "train")
                    append(f"{split}.{language}.tokens", tokens.astype(self.dtype))
                    starts = ends[language] + np.cumsum(lengths)
                    append(f"{split}.{language}.starts", starts.astype("<i8"))
                    sentence[rows, column] = numbers[language] + np.arange(len(rows))
                    ends[language] = int(starts[-1])
                    numbers[language] += len(rows)
                for a, b, both in self._pairs(sentence):
                    pairs.add((a, b))
                    append(f"{split}.{a}-{b}.pairs", both)
                bar.advance(len(block))
        self.pairs[split] = sorted(map(list, pairs))

    def _tokens(
        self, texts: list[str], language: str, *, count: bool
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the texts' tokens, each closed by `</s>`, end to end, and their lengths."""
        encoded = self.tokenizer.encode_batch(texts, language)
        lengths = np.array([len(ids) + 1 for ids in encoded])
        tokens = np.full(int(lengths.sum()), Tokenizer.eos, np.int64)
        places = np.ones(len(tokens), bool)
        places[np.cumsum(lengths) - 1] = False
        tokens[places] = np.concatenate(encoded)
        if count:
            self.word_counts += np.bincount(tokens[places], minlength=len(self.word_counts))
            statistics = self.statistics[language]
            statistics["texts"] += len(texts)
            statistics["words"] += int(self.ends_word[tokens].sum())
            statistics["tokens"] += len(tokens) - len(texts)
            statistics["unknown"] += int((tokens == Tokenizer.unk).sum())
        return tokens, lengths

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
                "files": files,
            },
        )
