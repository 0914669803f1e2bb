"""Batches for training steps: streams, and pairs in random order or by length."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from _pairs import Pair

from xlmkit.data.batch import Inputs, PredictionBatch, assemble
from xlmkit.data.masking import MaskingConfig, mask_tokens
from xlmkit.data.permutation import generator
from xlmkit.model.config import Architecture


def streams(shape: Architecture, n_batches: int) -> list[PredictionBatch]:
    """Return batches of 32 full rows of 256 tokens."""
    random = generator("streams")
    rows = [
        [((random.integers(14, shape.n_words, 254), 0),) for _ in range(32)]
        for _ in range(n_batches)
    ]
    return [masked(shape, row, number) for number, row in enumerate(rows)]


def drawn_pairs(shape: Architecture, n_batches: int) -> list[Pair]:
    """Return pairs with lengths spread as in real text (mean about 57 tokens)."""
    random = generator("pairs")
    made = []
    for _ in range(32 * n_batches):
        length = int(np.clip(random.lognormal(3.1, 0.6), 3, 120))
        made.append(tuple(random.integers(14, shape.n_words, length) for _ in range(2)))
    return made


def pairs(shape: Architecture, rows: Sequence[Pair]) -> list[PredictionBatch]:
    """Return batches of 32 pairs, in the order given."""
    sequences = [((first, 0), (second, 1)) for first, second in rows]
    return [
        masked(shape, sequences[start : start + 32], start) for start in range(0, len(rows), 32)
    ]


def masked(shape: Architecture, rows: list, number: int) -> PredictionBatch:
    """Mask 15 % of the tokens of some rows."""
    arrays = assemble(rows, 256)
    hidden = mask_tokens(arrays.tokens, MaskingConfig(), shape.n_words, generator("mask", number))
    tensors = arrays.tensors()
    inputs = Inputs(
        torch.from_numpy(hidden.tokens), tensors.lengths, tensors.positions, tensors.languages
    )
    predict, targets = torch.from_numpy(hidden.predict), torch.from_numpy(hidden.targets)
    return PredictionBatch(inputs, predict, targets, torch.zeros_like(predict))


def by_length(batches: list[PredictionBatch]) -> list[PredictionBatch]:
    """Return the same sequences in as many batches, sorted by length and cut by tokens.

    So xlmkit's sampler cuts its pools, which are of 32 batches.
    """
    rows = []
    for batch in batches:
        lengths = batch.inputs.lengths.tolist()
        rows += [(batch, row, length) for row, length in enumerate(lengths)]
    rows.sort(key=lambda item: item[2])
    tokens = np.cumsum([length for *_, length in rows])
    cuts = np.searchsorted(tokens, tokens[-1] * np.arange(1, len(batches)) / len(batches))
    edges = [0, *cuts.tolist(), len(rows)]
    return [_gather(rows[start:end]) for start, end in pairwise(edges) if start < end]


def _gather(rows: list[tuple[PredictionBatch, int, int]]) -> PredictionBatch:
    longest = max(length for _, _, length in rows)
    fields = []
    for name in ("tokens", "positions", "languages"):
        parts = [getattr(batch.inputs, name)[row, :longest] for batch, row, _ in rows]
        padding = 2 if name == "tokens" else 0
        full = torch.full((len(rows), longest), padding)
        for place, part in enumerate(parts):
            full[place, : len(part)] = part
        fields.append(full)
    predict, targets = [], []
    for place, (batch, row, _) in enumerate(rows):
        width = batch.inputs.tokens.shape[1]
        mine = batch.predict // width == row
        predict.append(batch.predict[mine] % width + place * longest)
        targets.append(batch.targets[mine])
    lengths = torch.tensor([length for _, _, length in rows])
    predict_N, targets_N = torch.cat(predict), torch.cat(targets)
    inputs = Inputs(fields[0], lengths, fields[1], fields[2])
    return PredictionBatch(inputs, predict_N, targets_N, torch.zeros_like(predict_N))
