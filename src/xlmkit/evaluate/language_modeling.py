"""How well a model predicts held-out words: perplexity and accuracy, per language.

For masked models these are measures over hidden words (a pseudo-perplexity); the words are hidden
by the training's own function with a fixed seed, so every model is asked the same words.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from xlmkit.core.progress import progress
from xlmkit.data.batch import Arrays, PredictionBatch, Segment, assemble
from xlmkit.data.masking import MaskingConfig, mask_tokens
from xlmkit.data.permutation import generator
from xlmkit.data.shards import Shards
from xlmkit.evaluate.metrics import perplexity, token_accuracy
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.prediction import prediction_loss

_TOKENS = 4096  # of a batch, padding included
_MASKING = MaskingConfig(share=0.15, mask=1.0, random=0.0)


def measure_language_modeling(
    model: LanguageModel, shards: Shards, split: str, *, most: int = 1000
) -> dict[str, dict[str, Any]]:
    """Measure a model on each language's sentences, at most `most` of them.

    Returns:
        Objective name, then language, to perplexity, accuracy and predicted words.
    """
    causal = model.transformer.architecture.causal
    scores: dict[str, Any] = {}
    found = {code: shards.sentences(split, code) for code in shards.languages}
    total = sum(min(most, len(sentences)) for sentences in found.values())
    with progress("measuring perplexity", total, "sentences") as bar:
        for number, (language, sentences) in enumerate(found.items()):
            chosen = generator("language modelling", language).permutation(len(sentences))[:most]
            if not len(chosen):
                continue
            rows = [((sentences[int(i)], number),) for i in np.sort(chosen)]
            rows.sort(key=lambda row: len(row[0][0]))
            losses, counts, correct = _measure(model, rows, language, causal=causal)
            scores[language] = {
                "perplexity": perplexity(losses, counts).to_json(),
                "accuracy": token_accuracy(correct, counts).to_json(),
                "n": int(counts.sum()),
            }
            bar.advance(len(rows))
    return {"clm" if causal else "mlm": scores}


@torch.inference_mode()
def _measure(
    model: LanguageModel,
    rows: Sequence[tuple[Segment, ...]],
    language: str,
    *,
    causal: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return loss, predicted words and right ones of each sentence that has any.

    A sentence is the group of its words, so that the objective's own sums serve.
    """
    model.eval()
    longest = model.transformer.architecture.max_position_embeddings
    totals: list[NDArray[np.float64]] = []
    start = 0
    while start < len(rows):
        end = start + 1
        while end < len(rows) and (end - start + 1) * (len(rows[end][0][0]) + 2) <= _TOKENS:
            end += 1
        arrays = assemble(rows[start:end], longest)
        batch = _next_words(arrays) if causal else _hidden_words(arrays, model, (language, start))
        totals.append(prediction_loss(model, batch, end - start).parts.cpu().numpy())
        start = end
    table = np.concatenate(totals)
    table = table[table[:, 1] > 0]
    return table[:, 0], table[:, 1], table[:, 2]


def _hidden_words(arrays: Arrays, model: LanguageModel, seed: object) -> PredictionBatch:
    n_words = model.transformer.architecture.n_words
    masked = mask_tokens(arrays.tokens, _MASKING, n_words, generator("evaluation mask", seed))
    arrays = Arrays(masked.tokens, arrays.lengths, arrays.positions, arrays.languages)
    predict, targets = torch.from_numpy(masked.predict), torch.from_numpy(masked.targets)
    return PredictionBatch(arrays.tensors(), predict, targets, predict // arrays.tokens.shape[1])


def _next_words(arrays: Arrays) -> PredictionBatch:
    length = arrays.tokens.shape[1]
    place = np.arange(length - 1)
    real = place[None, :] < arrays.lengths[:, None] - 1
    row, column = np.nonzero(real)
    predict = torch.from_numpy(row * length + column)
    targets = torch.from_numpy(arrays.tokens[row, column + 1])
    return PredictionBatch(arrays.tensors(), predict, targets, predict // arrays.tokens.shape[1])
