"""Word embeddings that begin near their translations, which are found from the text alone.

Every language gets vectors of its own words; each is then brought to the language with the most
text. A word of several languages begins at the mean of its vectors, weighted by how often each
language has it. Pretraining goes on from there: without translations, languages that share little
text hardly come together otherwise (Lample et al. 2018, "Phrase-Based & Neural Unsupervised Machine
Translation", begin from such embeddings).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xlmkit.core.errors import UserError
from xlmkit.core.tables import table
from xlmkit.data.shards import Shards
from xlmkit.data.word_mapping import Ids, WordMapping, WordMappingConfig, map_words
from xlmkit.data.word_vectors import WordVectors
from xlmkit.text.bpe import END_OF_WORD
from xlmkit.text.tokenizer import Tokenizer

_EXAMPLES = 6


@dataclass(frozen=True, slots=True)
class MappedWords:
    """Vectors of the words of all languages in one space.

    Attributes:
        ids: token ids, (N,).
        vectors: of length one, (N, E).
        figures: by language what was found.
    """

    ids: Tensor
    vectors: Tensor
    figures: dict[str, Any]

    def put_into(self, embeddings_VE: Tensor, std: float) -> None:
        """Overwrite rows of a table whose entries have a standard deviation of `std`."""
        width = embeddings_VE.shape[1]
        embeddings_VE[self.ids] = self.vectors * std * width**0.5

    def show(self, title: str) -> None:
        """Print what was found, with words to look at."""
        rows = [
            [
                code,
                one["alike"],
                one["mutual"],
                one["nearness"],
                ", ".join(f"{word} {other}" for word, other in one["examples"]),
            ]
            for code, one in self.figures["languages"].items()
        ]
        columns = ["language", "written alike", "found", "nearness", "for instance"]
        table(f"{title}: words brought to those of {self.figures['centre']}", columns, rows)


def map_words_of(
    shards: Shards,
    tokenizer: Tokenizer,
    config: WordMappingConfig,
    width: int,
    seed: int,
    done: Callable[[str], object],
) -> MappedWords:
    """Learn the vectors of every language's words, and bring them together.

    Languages none of whose words is frequent enough are left as they are.

    Args:
        shards: the text.
        tokenizer: of the text.
        config: the section.
        width: of the embeddings.
        seed: of what is drawn.
        done: is told each language that is finished.

    Raises:
        UserError: there is one language only, or two that have no word alike to begin with.
    """
    texts = {code: shards.sentences("train", code) for code in shards.languages}
    texts = {code: text for code, text in texts.items() if len(text)}
    if len(texts) < 2:
        raise UserError("map_words brings languages together, but there is text in one only.")
    by_size = sorted(texts, key=lambda code: -len(texts[code].tokens))
    centre: WordVectors | None = None
    total_VE = np.zeros((len(tokenizer), width), np.float32)
    figures: dict[str, Any] = {}
    for code in by_size:
        words = WordVectors.of(
            texts[code], len(tokenizer), width, config.window, config.least, seed >> 1
        )
        vectors = words.vectors
        if centre is None:
            centre = words
        elif len(words.ids):
            alike = _alike(words, centre, tokenizer, config)
            if not len(alike):
                raise UserError(
                    f"map_words finds no word that {code} and {by_size[0]} write alike, from "
                    "which to begin; leave it out, or add text with names and numbers in both."
                )
            mapping = map_words(vectors, centre.vectors, alike, words=config.words, seed=seed)
            vectors = mapping.vectors
            figures[code] = _figures(mapping, words, centre, alike, tokenizer)
        shares_N1 = (words.counts / max(1, words.counts.sum()))[:, None]
        total_VE[words.ids] += vectors * shares_N1.astype(np.float32)
        done(code)
    lengths_V = np.linalg.norm(total_VE, axis=1)
    ids = np.flatnonzero(lengths_V)
    vectors = total_VE[ids] / lengths_V[ids, None]
    return MappedWords(
        torch.from_numpy(ids),
        torch.from_numpy(vectors),
        {"centre": by_size[0], "languages": figures},
    )


def _alike(
    words: WordVectors, others: WordVectors, tokenizer: Tokenizer, config: WordMappingConfig
) -> Ids:
    """Return the numbers of the words that two languages share, (D, 2)."""
    shared, here, there = np.intersect1d(words.ids, others.ids, return_indices=True)
    symbols = tokenizer.tokens(shared.tolist())
    kept = [
        symbol.endswith(END_OF_WORD) and _telling(symbol.removesuffix(END_OF_WORD), config.letters)
        for symbol in symbols
    ]
    alike: Ids = np.stack([here, there], axis=1)[np.array(kept, bool)]
    return alike


def _telling(word: str, letters: int) -> bool:
    """Tell whether a word that stands in two languages is likely to mean the same in both."""
    return len(word) >= letters or not any(map(str.isalpha, word))


def _figures(
    mapping: WordMapping,
    words: WordVectors,
    others: WordVectors,
    alike: Ids,
    tokenizer: Tokenizer,
) -> dict[str, Any]:
    pairs = np.stack([words.ids[mapping.pairs[:, 0]], others.ids[mapping.pairs[:, 1]]], axis=1)
    found = [
        [symbol.removesuffix(END_OF_WORD) for symbol in tokenizer.tokens(pair)]
        for pair in pairs.tolist()
        if pair[0] != pair[1]
    ]
    whole = [pair for pair in found if all(len(word) > 2 for word in pair)]
    return {
        "alike": len(alike),
        "mutual": len(pairs),
        "nearness": round(mapping.nearness, 4),
        "examples": whole[:_EXAMPLES],
    }
