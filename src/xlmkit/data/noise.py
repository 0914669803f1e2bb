"""The noise of denoising auto-encoding: words change places, are left out, or are blanked.

Lample et al. 2018, "Unsupervised machine translation using monolingual corpora only", section 2.3,
whose rates Conneau & Lample 2019 keep (section 5.2). A word is a whole one, however many sub-words
it has: they stay together, and share its fate.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xlmkit.core.config import Config
from xlmkit.text.vocabulary import MASK

Ids = NDArray[np.integer]


class NoiseConfig(Config):
    """How a sentence is spoilt."""

    shuffle: float = Field(3.0, ge=0)
    """A word moves by less than so many places; up to 1 none moves. The original's word_shuffle."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Share of the words that are left out."""
    blank: float = Field(0.1, ge=0, lt=1)
    """Share of the words that are replaced by the mask."""


def add_noise(
    ids: Ids, ends_word: NDArray[np.bool_], config: NoiseConfig, random: np.random.Generator
) -> Ids:
    """Shuffle, drop and blank the words of a sentence; one word at least is left.

    Args:
        ids: the sentence without its `</s>`, (n,).
        ends_word: of each word of the vocabulary, whether it is the last sub-word of a word.
        config: the rates.
        random: where the noise comes from.

    Returns:
        The spoilt sentence, (m,), with m at most n.
    """
    if not len(ids):
        return ids
    ends = ends_word[ids]
    # The word that each sub-word belongs to, (n,).
    word: NDArray[np.int64] = np.cumsum(ends) - ends
    n_words = int(word[-1]) + 1
    place = np.arange(n_words, dtype=float)
    if config.shuffle > 1:
        place += random.uniform(0, config.shuffle, n_words)
    kept = random.random(n_words) >= config.dropout
    if not kept.any():
        kept[random.integers(n_words)] = True
    blanked = random.random(n_words) < config.blank
    order = np.argsort(place[word], kind="stable")  # sub-words of a word stay in their order
    order = order[kept[word[order]]]
    return np.asarray(np.where(blanked[word], MASK, ids)[order])
