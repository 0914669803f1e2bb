"""How the words of one language are found in another without any dictionary.

Words that both languages write alike (names, numbers, punctuation, loans) are a first dictionary. A
rotation brings their vectors together; under it every word has a nearest one in the other language,
which together with the first is a larger dictionary, and so on until nothing gets nearer. At first
most candidates are hidden at random, so that the search does not stay with its first mistakes
(Artetxe, Labaka & Agirre 2018, "A robust self-learning method for fully unsupervised cross-lingual
mappings of word embeddings", which begins in another way). Nearness is CSLS (Conneau et al. 2018,
"Word translation without parallel data"), under which no word is the neighbour of all.

Shapes: N words of one language, M of the other, E width, D entries of a dictionary.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xlmkit.core.config import Config

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

_NEIGHBOURS = 10  # of CSLS
_FIRST_SHOWN = 0.1  # share of the candidates that are not hidden at first
_PATIENCE = 8  # rounds without progress after which twice as many are shown
_PROGRESS = 1e-4
_MOST_ROUNDS = 500


class WordMappingConfig(Config):
    """How words are brought near their translations before pretraining, without translations."""

    window: int = Field(5, ge=1)
    """How many words to the left and right of a word tell what it means."""
    least: int = Field(3, ge=1)
    """How often a word must occur in a language to have a place."""
    words: int = Field(2000, ge=100)
    """The most frequent words of each language, from which the mapping is learned."""
    letters: int = Field(4, ge=1)
    """A word that two languages write alike is taken for the same if it has so many letters, or
    none at all, as numbers and punctuation."""


@dataclass(frozen=True, slots=True)
class WordMapping:
    """The words of a language, brought to those of another.

    Attributes:
        vectors: of its words in the other language's space, (N, E).
        nearness: mean cosine of a frequent word and its nearest in the other language.
        pairs: numbers of words that are each other's nearest, (D, 2), of the frequent ones.
    """

    vectors: Floats
    nearness: float
    pairs: Ids


def map_words(
    from_NE: Floats, to_ME: Floats, alike_D2: Ids, *, words: int, seed: int
) -> WordMapping:
    """Learn the mapping of one language's words to another's.

    Args:
        from_NE: vectors of length one, the most frequent word first.
        to_ME: those of the other language.
        alike_D2: numbers of words that both write alike, at least one.
        words: the most frequent words of each that are looked at.
        seed: of what is hidden.
    """
    random = np.random.default_rng(seed)
    frequent_ME = to_ME[:words]
    dictionary_D2, shown = alike_D2, _FIRST_SHOWN
    best, waited = -1.0, 0
    for _ in range(_MOST_ROUNDS):
        turn_EE = _rotation(from_NE[dictionary_D2[:, 0]], to_ME[dictionary_D2[:, 1]])
        mapped_NE: Floats = from_NE @ turn_EE
        cosines_NM: Floats = mapped_NE[:words] @ frequent_ME.T
        nearness = float(cosines_NM.max(axis=1).mean() + cosines_NM.max(axis=0).mean()) / 2
        better = nearness > best + _PROGRESS
        best, waited = (nearness, 0) if better else (best, waited + 1)
        if waited == _PATIENCE:
            if shown == 1:
                break
            shown, waited = min(1.0, 2 * shown), 0
        scores_NM = _csls(cosines_NM)
        if shown < 1:
            hidden_NM = random.random(scores_NM.shape, np.float32) >= shown
            scores_NM[hidden_NM] = -np.inf
        dictionary_D2 = np.concatenate([alike_D2, _dictionary(scores_NM)])
    scores_NM = _csls(cosines_NM)
    there_N, back_M = scores_NM.argmax(axis=1), scores_NM.argmax(axis=0)
    mutual = np.flatnonzero(back_M[there_N] == np.arange(len(there_N)))
    return WordMapping(mapped_NE, nearness, np.stack([mutual, there_N[mutual]], axis=1))


def _rotation(from_DE: Floats, to_DE: Floats) -> Floats:
    """Return the rotation, (E, E), that brings pairs of vectors nearest together (Procrustes)."""
    left_EE, _, right_EE = np.linalg.svd(from_DE.T @ to_DE)
    result: Floats = left_EE @ right_EE
    return result


def _csls(cosines_NM: Floats) -> Floats:
    """Return twice the cosine, less how near both words are to the other language, (N, M)."""
    of_N1, of_1M = _nearest(cosines_NM, axis=1), _nearest(cosines_NM, axis=0)
    result: Floats = 2 * cosines_NM - of_N1 - of_1M
    return result


def _nearest(cosines_NM: Floats, axis: int) -> Floats:
    k = min(_NEIGHBOURS, cosines_NM.shape[axis])
    best = np.partition(cosines_NM, -k, axis=axis).take(range(-k, 0), axis=axis)
    result: Floats = best.mean(axis=axis, keepdims=True)
    return result


def _dictionary(scores_NM: Floats) -> Ids:
    """Return every word with its nearest of the other language, from both sides, (N + M, 2)."""
    n, m = scores_NM.shape
    there_N2 = np.stack([np.arange(n), scores_NM.argmax(axis=1)], axis=1)
    back_M2 = np.stack([scores_NM.argmax(axis=0), np.arange(m)], axis=1)
    return np.concatenate([there_N2, back_M2])
