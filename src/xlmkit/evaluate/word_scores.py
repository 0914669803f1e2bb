"""Scores of every word of many sentences: in batches of like lengths, in the words' order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xlmkit.data.batch import Inputs
from xlmkit.data.words import Sentences, WordSequences, encode_words
from xlmkit.evaluate.inference import like_lengths
from xlmkit.model.heads import TokenClassifier
from xlmkit.text.tokenizer import Tokenizer


@torch.inference_mode()
def word_scores(
    model: nn.Module,
    words: WordSequences,
    compute: Callable[[Any], Tensor],
    tokens: int | None = None,
) -> NDArray[np.float32]:
    """Return what `compute` gives at the first sub-token of every word.

    Args:
        model: put into evaluation mode; its parameters tell the device.
        words: sentences in windows.
        compute: from a batch of them to scores of tokens, (B, L, C).
        tokens: of a batch, padding included; by default 4096.

    Returns:
        (words, C), float32; without words (0,).
    """
    model.eval()
    device = next(model.parameters()).device
    rows: NDArray[np.float32] | None = None
    for part in like_lengths(words.sequences.lengths, tokens):
        scores_BLC = compute(words.sequences.batch(part).to(device))
        places_N = torch.from_numpy(words.flat_places(part)).to(device)
        scores_NC = scores_BLC.flatten(0, 1).index_select(0, places_N).float().cpu().numpy()
        if rows is None:
            rows = np.empty((sum(map(len, words.words)), scores_NC.shape[1]), np.float32)
        rows[words.numbers(part)] = scores_NC
    return np.empty((0,), np.float32) if rows is None else rows


@dataclass(frozen=True, slots=True)
class PlainTagger:
    """One of xlmkit's token classifiers as a `WordScorer`."""

    model: TokenClassifier
    tokenizer: Tokenizer
    languages: Sequence[str]
    max_length: int

    def word_scores(self, sentences: Sentences, language: str) -> NDArray[np.float32]:
        """Return the score of every tag before any softmax, (words, C)."""

        def compute(inputs: Inputs) -> Tensor:
            scores_BLC: Tensor = inputs.fed_to(self.model)
            return scores_BLC

        longest = self.model.transformer.architecture.max_position_embeddings
        words = encode_words({language: sentences}, self.tokenizer, min(self.max_length, longest))
        return word_scores(self.model, words, compute)
