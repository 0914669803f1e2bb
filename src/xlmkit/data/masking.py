"""The noise of masked language modelling, for training and evaluation alike.

Devlin et al. 2019: of the chosen tokens 80 % become the mask, 10 % a random word, 10 % stay.
As in XLM, words that are frequent may be chosen less often (`sample_alpha`, word2vec's
sub-sampling). Unlike XLM, special tokens are never chosen: there is nothing to learn from them.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from xlmkit.core.config import Config

N_SPECIAL = 14
MASK = 5

Ids = NDArray[np.int64]


class MaskingConfig(Config):
    """How tokens are hidden."""

    share: float = Field(0.15, gt=0, lt=1)
    """Share of the tokens to predict."""
    mask: float = Field(0.8, ge=0, le=1)
    """Of these, the share replaced by the mask."""
    random: float = Field(0.1, ge=0, le=1)
    """Of these, the share replaced by a random word; the rest stays as it is."""
    sample_alpha: float = Field(0.0, ge=0, le=1)
    """Choose a word in proportion to its count to the power of minus this; 0 treats all alike."""

    @model_validator(mode="after")
    def _at_most_all(self) -> Self:
        if self.mask + self.random > 1 + 1e-9:
            raise ValueError(f"mask and random add up to {self.mask + self.random:g}, more than 1")
        return self


@dataclass(frozen=True, slots=True)
class Masked:
    """Noised tokens, the flat places to predict in ascending order, and what stood there."""

    tokens: Ids
    predict: Ids
    targets: Ids


def mask_tokens(
    tokens: Ids,
    config: MaskingConfig,
    n_words: int,
    random: np.random.Generator,
    scores: NDArray[np.float64] | None = None,
    visible: NDArray[np.bool_] | None = None,
) -> Masked:
    """Hide a share of the tokens of a batch.

    The number of hidden tokens is exactly `share` of the eligible ones, at least one.

    Args:
        tokens: ids, any shape; special tokens and padding are never hidden.
        config: shares and rates.
        n_words: vocabulary size, for random words.
        random: the batch's own generator.
        scores: weight of each word of the vocabulary for `sample_alpha`, (n_words,).
        visible: True where a token must not be hidden, the shape of `tokens`.
    """
    flat = tokens.ravel().copy()
    may_hide = flat >= N_SPECIAL
    if visible is not None:
        may_hide &= ~visible.ravel()
    eligible = np.flatnonzero(may_hide)
    n_predict = min(len(eligible), max(1, round(config.share * len(eligible))))
    # The smallest of exponential variables divided by weights: a weighted choice without
    # replacement (Efraimidis & Spirakis 2006).
    keys = random.exponential(size=len(eligible))
    if scores is not None:
        keys /= scores[flat[eligible]]
    chosen = np.argpartition(keys, n_predict - 1)[:n_predict] if n_predict else eligible[:0]
    predict = np.sort(eligible[chosen])
    targets = flat[predict]
    fate = random.random(n_predict)
    flat[predict[fate < config.mask]] = MASK
    swap = predict[(fate >= config.mask) & (fate < config.mask + config.random)]
    flat[swap] = random.integers(N_SPECIAL, n_words, len(swap))
    return Masked(flat.reshape(tokens.shape), predict, targets)
