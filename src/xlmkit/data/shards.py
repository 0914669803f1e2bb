"""Token ids on disk, memory-mapped: one file of tokens per language and split, pairs as indices.

`<split>.<language>.tokens` holds all sentences, each closed by `</s>`, one after another;
`<split>.<language>.starts` where each begins, and the end, (sentences + 1,);
`<split>.<a>-<b>.pairs` the numbers of sentences that are translations, (pairs, 2);
`word_counts` how often each word of the vocabulary occurs in training.
The files are plain little-endian arrays; `manifest.json` gives every file's type, size and SHA-256,
the languages, the tokenizer's signature, and by split and language how many sentences in a row came
from which source. What is empty has no file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json, sha256_file

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Sentences:
    """The sentences of one language: `tokens` memory-mapped, `starts` (sentences + 1,)."""

    tokens: NDArray[np.integer]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, number: int) -> NDArray[np.integer]:
        """Return a sentence's tokens without its closing `</s>`."""
        return self.tokens[self.starts[number] : self.starts[number + 1] - 1]

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """Tokens of each sentence without `</s>`."""
        return (np.diff(self.starts) - 1).astype(np.int32)


class Shards:
    """The shards of a folder, opened without being read.

    Raises:
        UserError: the folder is not a finished shard folder, or (with `verify`) a file's checksum
            is not the manifest's.
    """

    def __init__(self, folder: Path, *, verify: bool = False) -> None:
        self.folder = folder
        self.manifest: dict[str, Any] = read_json(folder / MANIFEST)
        for name, entry in self.manifest["files"].items():
            path = folder / name
            if not path.is_file() or path.stat().st_size != entry["bytes"]:
                raise UserError(f"{path} is missing or cut short; run xlmkit prepare again.")
            if verify and sha256_file(path) != entry["sha256"]:
                raise UserError(f"{path} has changed since it was made; run xlmkit prepare again.")

    @property
    def languages(self) -> list[str]:
        """The recipe's languages; a language's place is its id."""
        return list(self.manifest["languages"])

    @property
    def word_counts(self) -> NDArray[np.int64]:
        """How often each word of the vocabulary occurs in training, (vocabulary,)."""
        return self._open("word_counts")

    def sentences(self, split: str, language: str) -> Sentences:
        """Open a language's sentences; there may be none."""
        return Sentences(
            self._open(f"{split}.{language}.tokens"), self._open(f"{split}.{language}.starts")
        )

    def pairs(self, split: str) -> dict[tuple[str, str], NDArray[np.int32]]:
        """Open all pairs: (language a, language b) to sentence numbers, (pairs, 2)."""
        return {
            (a, b): self._open(f"{split}.{a}-{b}.pairs").reshape(-1, 2)
            for a, b in self.manifest["pairs"][split]
        }

    def part(self, sources: Sequence[str] | None) -> "Shards":
        """Return the sentences of some sources alone, numbered anew; all without any names.

        Raises:
            UserError: nothing came from a source.
        """
        return self if sources is None else _PartOfShards(self.folder, sources)

    def _open(self, name: str) -> NDArray[Any]:
        entry = self.manifest["files"].get(name)
        if entry is None:
            return np.zeros(1 if name.endswith(".starts") else 0, np.int64)
        # A view as a plain array: indexing a memmap object costs several times as much.
        return np.asarray(np.memmap(self.folder / name, entry["dtype"], mode="r"))


class _PartOfShards(Shards):
    """What some sources gave. Where they do not follow one another, tokens are copied to memory."""

    def __init__(self, folder: Path, sources: Sequence[str]) -> None:
        super().__init__(folder)
        self._sources = set(sources)
        runs = self.manifest["sources"]["train"].values()
        found = dict.fromkeys(name for rows in runs for name, _ in rows)
        if missing := [name for name in sources if name not in found]:
            raise UserError(
                f"No text to learn from came from a source '{missing[0]}'; there are "
                f"{', '.join(found)}."
            )

    def sentences(self, split: str, language: str) -> Sentences:
        whole = super().sentences(split, language)
        tokens, starts, end = [], [np.zeros(1, np.int64)], 0
        for first, last in self._pieces(split, language):
            begin, behind = int(whole.starts[first]), int(whole.starts[last])
            tokens.append(whole.tokens[begin:behind])
            starts.append(whole.starts[first + 1 : last + 1] - begin + end)
            end += behind - begin
        joined = tokens[0] if len(tokens) == 1 else np.concatenate([whole.tokens[:0], *tokens])
        return Sentences(joined, np.concatenate(starts))

    def pairs(self, split: str) -> dict[tuple[str, str], NDArray[np.int32]]:
        found = {}
        for (a, b), numbers in super().pairs(split).items():
            sides = [self._anew(split, a)[numbers[:, 0]], self._anew(split, b)[numbers[:, 1]]]
            both = np.stack(sides, axis=1)  # (pairs, 2)
            if (chosen := (both >= 0).all(axis=1)).any():
                found[a, b] = both[chosen]
        return found

    def _pieces(self, split: str, language: str) -> list[tuple[int, int]]:
        """Return the first sentence and the one behind the last of each stretch that is chosen."""
        pieces: list[tuple[int, int]] = []
        first = 0
        for name, count in self.manifest["sources"][split].get(language, []):
            if name in self._sources:
                joins = pieces and pieces[-1][1] == first
                pieces.append((pieces.pop()[0] if joins else first, first + count))
            first += count
        return pieces

    def _anew(self, split: str, language: str) -> NDArray[np.int32]:
        """Return the new number of each sentence of the whole, -1 where it is not chosen."""
        numbers = np.full(len(super().sentences(split, language)), -1, np.int32)
        end = 0
        for first, last in self._pieces(split, language):
            numbers[first:last] = np.arange(end, end + last - first)
            end += last - first
        return numbers
