"""Token ids on disk, memory-mapped: one file of tokens per language and split, pairs as indices.

`<split>.<language>.tokens` holds all sentences, each closed by `</s>`, one after another;
`<split>.<language>.starts` where each begins, and the end, (sentences + 1,);
`<split>.<a>-<b>.pairs` the numbers of sentences that are translations, (pairs, 2);
`word_counts` how often each word of the vocabulary occurs in training.
The files are plain little-endian arrays; `manifest.json` gives every file's type, size and SHA-256,
the languages, and the tokenizer's signature. What is empty has no file.
"""

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

    def _open(self, name: str) -> NDArray[Any]:
        entry = self.manifest["files"].get(name)
        if entry is None:
            return np.zeros(1 if name.endswith(".starts") else 0, np.int64)
        # A view as a plain array: indexing a memmap object costs several times as much.
        return np.asarray(np.memmap(self.folder / name, entry["dtype"], mode="r"))
