"""Vectors of one language's words, from which words stand near each other in its text.

How much more often than by chance two words stand together (positive pointwise mutual information,
with the counts of contexts to the power of 3/4), taken down to a few dimensions by its greatest
singular values (Levy, Goldberg & Dagan 2015, "Improving Distributional Similarity"). Small text
suffices and seconds, where word2vec would want far more of both.

Shapes: N words, E width.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from xlmkit.data.shards import Sentences
from xlmkit.text.vocabulary import EOS, SPECIAL_TOKENS

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

_MOST_WORDS = 20_000  # of a language, the most frequent
_BLOCK = 1 << 18  # tokens counted at a time
_MOST_BLOCKS = 64  # 16.8 million tokens, taken evenly from a longer text
_SMOOTHING = 0.75
_OVERSAMPLING = 32  # dimensions beyond those that are kept, for exactness
_ITERATIONS = 4  # of the randomised decomposition


@dataclass(frozen=True, slots=True)
class WordVectors:
    """The words of a language and their vectors.

    Attributes:
        ids: token ids, the most frequent first, (N,).
        counts: how often each occurs, (N,).
        vectors: centred and of length one, (N, E).
    """

    ids: Ids
    counts: Ids
    vectors: Floats

    @classmethod
    def of(
        cls, sentences: Sentences, n_words: int, width: int, window: int, least: int, seed: int
    ) -> "WordVectors":
        """Learn the vectors of a language.

        Args:
            sentences: its text.
            n_words: size of the vocabulary.
            width: E; with fewer words the last dimensions are nought.
            window: how many words to the left and to the right stand near.
            least: how often a word must occur.
            seed: of the randomised decomposition.
        """
        tokens = sentences.tokens
        counts = np.bincount(tokens, minlength=n_words)
        counts[: len(SPECIAL_TOKENS)] = 0
        ids = np.argsort(-counts, kind="stable")[:_MOST_WORDS]
        ids = ids[counts[ids] >= least]
        place = np.full(n_words, -1, np.int64)
        place[ids] = np.arange(len(ids))
        vectors_NE = np.zeros((len(ids), width), np.float32)
        together = _together(tokens, place, window)
        if not len(together[0]):
            return cls(ids, counts[ids], vectors_NE)
        cells, values = _information(together, len(ids))
        matrix = torch.sparse_coo_tensor(
            torch.from_numpy(np.stack(cells)),
            torch.from_numpy(values),
            (len(ids), len(ids)),
            check_invariants=False,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            tried = min(width + _OVERSAMPLING, len(ids))
            left, scale, _ = torch.svd_lowrank(matrix, tried, _ITERATIONS)
        kept = min(width, tried)
        vectors_NE[:, :kept] = (left * scale.sqrt())[:, :kept].numpy()
        return cls(ids, counts[ids], centred(vectors_NE))


def centred(vectors_NE: Floats) -> Floats:
    """Return vectors of length one whose mean is nought, as nearly as lengths allow."""
    unit_NE = _unit(vectors_NE)
    return _unit(unit_NE - unit_NE.mean(axis=0))


def _unit(vectors_NE: Floats) -> Floats:
    lengths_N1 = np.linalg.norm(vectors_NE, axis=1, keepdims=True)
    result: Floats = vectors_NE / np.maximum(lengths_N1, 1e-9)
    return result


def _together(tokens: NDArray[np.integer], place: Ids, window: int) -> tuple[Ids, Floats]:
    """Return which words (first * N + second) stand together, and how often.

    Words at a distance of d count 1/d, and no window reaches into another sentence.
    """
    n = int(place.max()) + 1  # N
    keys, sums = np.zeros(0, np.int64), np.zeros(0, np.float64)
    for block in _blocks(tokens):
        words, sentence = place[block], np.cumsum(block == EOS)
        found, weights = [keys], [sums]
        for distance in range(1, window + 1):
            first, second = words[:-distance], words[distance:]
            same = sentence[:-distance] == sentence[distance:]
            kept = (first >= 0) & (second >= 0) & same
            both = first[kept] * n + second[kept]
            found.append(both)
            weights.append(np.full(len(both), 1 / distance))
        keys, number = np.unique(np.concatenate(found), return_inverse=True)
        sums = np.bincount(number, np.concatenate(weights)).astype(np.float64)
    return keys, sums.astype(np.float32)


def _blocks(tokens: NDArray[np.integer]) -> Iterator[NDArray[np.integer]]:
    n_blocks = -(-len(tokens) // _BLOCK)
    step = max(1.0, n_blocks / _MOST_BLOCKS)
    for number in np.unique(np.arange(0, n_blocks, step).astype(int)):
        yield tokens[number * _BLOCK : (number + 1) * _BLOCK]


def _information(together: tuple[Ids, Floats], n: int) -> tuple[tuple[Ids, Ids], Floats]:
    """Return the cells of the symmetric matrix that are above nought, and their values."""
    keys, sums = together
    first, second = keys // n, keys % n
    rows, columns = np.concatenate([first, second]), np.concatenate([second, first])
    values = np.concatenate([sums, sums])  # a word beside itself stands twice
    keys, number = np.unique(rows * n + columns, return_inverse=True)
    counts = np.bincount(number, values)
    rows, columns = keys // n, keys % n
    of_word = np.bincount(rows, counts, minlength=n)
    of_context = of_word**_SMOOTHING
    of_context /= of_context.sum()
    information = np.log(counts / (of_word[rows] * of_context[columns]))
    kept = information > 0
    return (rows[kept], columns[kept]), information[kept].astype(np.float32)
