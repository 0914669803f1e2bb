"""States and class probabilities of many texts: sorted by length, batched, in the input's order."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xlmkit.data.batch import Inputs, assemble
from xlmkit.model.heads import SequenceClassifier, mean_pool
from xlmkit.model.transformer import Transformer
from xlmkit.text.tokenizer import Tokenizer

_TOKENS = 4096  # of a batch, padding included


@torch.inference_mode()
def run_batches(
    model: nn.Module,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    language: str,
    max_length: int,
    compute: Callable[[Inputs], Tensor],
) -> NDArray[np.float32]:
    """Apply `compute` to all texts of one language.

    Args:
        model: put into evaluation mode; its parameters tell the device.
        tokenizer: the model's own.
        texts: any number.
        language: their language.
        max_length: longest sequence in tokens.
        compute: from a batch to one row for each text, (B, ...).

    Returns:
        (texts, ...), float32, in the order of `texts`.
    """
    model.eval()
    device = next(model.parameters()).device
    encoded = tokenizer.encode_batch(texts, language)
    number = tokenizer.lang2id[language]
    order = np.argsort([len(ids) for ids in encoded], kind="stable")[::-1]
    rows: NDArray[np.float32] | None = None
    start = 0
    while start < len(order):
        longest = min(max_length, len(encoded[order[start]]) + 2)
        part = order[start : start + max(1, _TOKENS // longest)]
        inputs = assemble([((encoded[i], number),) for i in part], max_length).tensors()
        output = compute(inputs.to(device)).float().cpu().numpy()
        if rows is None:
            rows = np.empty((len(texts), *output.shape[1:]), np.float32)
        rows[part] = output
        start += len(part)
    return np.empty((0,), np.float32) if rows is None else rows


def pooled_states(
    transformer: Transformer, tokenizer: Tokenizer, texts: Sequence[str], language: str
) -> NDArray[np.float32]:
    """Return the mean of the real tokens' states after the embeddings and every layer.

    Returns:
        (texts, n_layers + 1, E), float32.
    """

    def compute(inputs: Inputs) -> Tensor:
        states = transformer.states(
            inputs.tokens, inputs.lengths, inputs.positions, inputs.languages
        )
        return torch.stack([mean_pool(state, inputs.lengths) for state in states], dim=1)

    longest = transformer.architecture.max_position_embeddings
    return run_batches(transformer, tokenizer, texts, language, longest, compute)


def class_probabilities(
    model: SequenceClassifier,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    language: str,
    max_length: int,
) -> NDArray[np.float32]:
    """Return the probability of every class for every text, (texts, C)."""

    def compute(inputs: Inputs) -> Tensor:
        scores = model(inputs.tokens, inputs.lengths, inputs.positions, inputs.languages)
        return torch.softmax(scores, dim=1)

    longest = min(max_length, model.transformer.architecture.max_position_embeddings)
    return run_batches(model, tokenizer, texts, language, longest, compute)
