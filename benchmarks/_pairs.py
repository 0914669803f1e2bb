"""Real sentence pairs, tokenized with a vocabulary that is learned from them."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.core.files import open_lines
from xlmkit.text.tokenizer import Tokenizer, TokenizerConfig

Pair = tuple[NDArray[np.integer], NDArray[np.integer]]

LONGEST = 256  # tokens of a pair, its four special ones counted
_LEARNED_FROM = 40_000  # pairs


def read_pairs(paths: Sequence[Path], n_words: int, count: int) -> list[Pair]:
    """Return the ids of pairs that are drawn at random from all files, as many from each.

    Args:
        paths: TSV with a sentence in the first column and its translation in the second.
        n_words: size of the vocabulary that is learned.
        count: how many pairs.
    """
    draw = random.Random(1)
    files = [_rows(path) for path in paths]
    for rows in files:
        draw.shuffle(rows)
    rows = [row for together in zip(*files, strict=False) for row in together][:_LEARNED_FROM]
    if not rows:
        raise UserError(f"{', '.join(map(str, paths))}: not each has a pair with a tab between.")
    sides = [list(side) for side in zip(*rows, strict=True)]
    config = TokenizerConfig(vocabulary_size=n_words)
    languages = ("en", "fr")  # only names here: both are split alike
    tokenizer = Tokenizer.learn(zip(languages, sides, strict=True), config, languages)
    chosen = draw.sample(rows, min(len(rows), 3 * count))
    ids = [
        tokenizer.encode_batch([row[side] for row in chosen], languages[side]) for side in (0, 1)
    ]
    fitting = [
        (first, second)
        for first, second in zip(*ids, strict=True)
        if len(first) + len(second) + 4 <= LONGEST
    ][:count]
    lengths = [len(first) + len(second) + 4 for first, second in fitting]
    print(f"{len(fitting)} pairs, {np.mean(lengths):.0f} tokens on average, at most {max(lengths)}")
    return fitting


def _rows(path: Path) -> list[tuple[str, str]]:
    cells = (line.split("\t") for _, line in open_lines(path))
    return [(row[0], row[1]) for row in cells if len(row) > 1 and row[0].strip() and row[1].strip()]
