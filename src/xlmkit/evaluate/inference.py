"""States and class probabilities of many texts: sorted by length, batched, in the input's order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xlmkit.core.log import say, say_once
from xlmkit.data.batch import Inputs, SegmentRows, Sequences
from xlmkit.data.text_windows import LongTexts, PairForm, cut_rows
from xlmkit.evaluate.joining import join_windows, mean_of_windows
from xlmkit.evaluate.protocols import MOST_UNKNOWN, Cut, Pooled
from xlmkit.model.heads import SequenceClassifier, mean_pool
from xlmkit.model.transformer import Transformer
from xlmkit.text.tokenizer import Tokenizer

_TOKENS = 4096  # of a batch, padding included


@torch.inference_mode()
def run_batches(
    model: nn.Module,
    sequences: Sequences,
    compute: Callable[[Any], Tensor],
    tokens: int | None = None,
) -> NDArray[np.float32]:
    """Apply `compute` to all sequences.

    Args:
        model: put into evaluation mode; its parameters tell the device.
        sequences: any number of encoded texts.
        compute: from a batch of them to one row for each, (B, ...).
        tokens: of a batch, padding included; by default 4096.

    Returns:
        (sequences, ...), float32, in their order.
    """
    model.eval()
    device = next(model.parameters()).device
    rows: NDArray[np.float32] | None = None
    for part in like_lengths(sequences.lengths, tokens):
        inputs = sequences.batch(part).to(device)
        output = compute(inputs).float().cpu().numpy()
        if rows is None:
            rows = np.empty((len(sequences.lengths), *output.shape[1:]), np.float32)
        rows[part] = output
    return np.empty((0,), np.float32) if rows is None else rows


def like_lengths(lengths: NDArray[np.int32], tokens: int | None = None) -> Iterator[list[int]]:
    """Yield the numbers of sequences in batches of like lengths, the longest first.

    Args:
        lengths: tokens of each sequence, (sequences,).
        tokens: of a batch, padding included; by default 4096.
    """
    order = np.argsort(lengths, kind="stable")[::-1]
    start = 0
    while start < len(order):
        size = max(1, (tokens or _TOKENS) // int(lengths[order[start]]))
        yield order[start : start + size].tolist()
        start += size


def tell_of_cut(n_cut: int, n: int, max_length: int, what: str, mend: str = "long_texts") -> None:
    """Say how many texts lose their ends, if any do: once, however often they are measured.

    Args:
        n_cut: texts that do.
        n: all texts.
        max_length: tokens that the model reads.
        what: texts are called.
        mend: the setting by which they would keep them.
    """
    if n_cut:
        say_once(
            f"{n_cut:,} of {n:,} {what} are longer than {max_length} tokens and lose their ends; "
            f"{mend} reads them in windows."
        )


def tell_of_unknown(share: float, language: str, what: str) -> None:
    """Say that a model cannot read the texts of a language, where it cannot.

    Args:
        share: of their tokens that are unknown to it.
        language: of the texts.
        what: it is asked.
    """
    if share >= MOST_UNKNOWN:
        say(
            f"{what}: {share:.0%} of the tokens of the texts in {language} are unknown to the "
            f"model, so that its scores there mean little; take one whose vocabulary has "
            f"{language}."
        )


def cut_texts(tokenizer: Tokenizer, texts: Sequence[str], language: str) -> Cut:
    """Return what a tokenizer makes of texts."""
    rows = tokenizer.encode_batch(texts, language)
    unknown = sum(int((ids == tokenizer.unk).sum()) for ids in rows)
    return Cut(sum(map(len, rows)), unknown)


def pooled_states(
    transformer: Transformer,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    language: str,
    stride: int | None = None,
) -> Pooled:
    """Return the mean of the real tokens' states after the embeddings and every layer.

    Args:
        transformer: the model.
        tokenizer: of the model.
        texts: any number.
        language: of all of them.
        stride: see `Encoder.pooled_states`.
    """

    def compute(inputs: Inputs) -> Tensor:
        states = inputs.fed_to(transformer.states)
        return torch.stack([mean_pool(state, inputs.lengths) for state in states], dim=1)

    longest = transformer.architecture.max_position_embeddings
    rows = _rows(tokenizer, texts, language, longest)
    if stride is None:
        return Pooled(run_batches(transformer, rows, compute), rows.n_cut, longest)
    windows = cut_rows(rows.rows, longest, stride)
    fitting = SegmentRows(windows.rows, longest)
    states = run_batches(transformer, fitting, compute)
    return Pooled(mean_of_windows(states, windows.owners, fitting.lengths), 0, longest)


def word_vectors(
    embeddings_VE: Tensor, rows: Sequence[Sequence[int]], unknown: int | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the mean of each word's token embeddings, (words, E), and which words are known.

    Args:
        embeddings_VE: of all tokens, (V, E).
        rows: the tokens of each word.
        unknown: the token of what the vocabulary lacks; a word with it, or without any token, is
            not known and its vector zero.
    """
    table_VE = embeddings_VE.detach().float().cpu().numpy()
    known = np.array([len(ids) > 0 and unknown not in list(ids) for ids in rows], bool)
    vectors = np.zeros((len(rows), table_VE.shape[1]), np.float32)
    for place in np.flatnonzero(known).tolist():
        vectors[place] = table_VE[np.asarray(rows[place])].mean(axis=0)
    return vectors, known


def class_probabilities(
    model: SequenceClassifier,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    language: str,
    max_length: int,
) -> NDArray[np.float32]:
    """Return the probability of every class for every text, (texts, C)."""

    def compute(inputs: Inputs) -> Tensor:
        return torch.softmax(inputs.fed_to(model), dim=1)

    return run_batches(
        model, _rows(tokenizer, texts, language, _longest(model, max_length)), compute
    )


def _longest(model: SequenceClassifier, max_length: int) -> int:
    return min(max_length, model.transformer.architecture.max_position_embeddings)


def _rows(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    language: str,
    max_length: int,
    seconds: Sequence[str] | None = None,
    form: PairForm = "apart",
) -> SegmentRows:
    number = tokenizer.lang2id[language]
    sides = [
        tokenizer.encode_batch(side, language) for side in (texts, seconds) if side is not None
    ]
    rows = [tuple((ids, number) for ids in row) for row in zip(*sides, strict=True)]
    return SegmentRows(rows, max_length, form)


@dataclass(frozen=True, slots=True)
class PlainEncoder:
    """One of xlmkit's Transformers as an `Encoder`."""

    transformer: Transformer
    tokenizer: Tokenizer
    languages: Sequence[str]

    @property
    def n_layers(self) -> int:
        """Layers, the embeddings not counted."""
        return self.transformer.architecture.n_layers

    def pooled_states(
        self, texts: Sequence[str], language: str, stride: int | None = None
    ) -> Pooled:
        """Return the mean of the tokens' states in each layer."""
        return pooled_states(self.transformer, self.tokenizer, texts, language, stride)

    def cut(self, texts: Sequence[str], language: str) -> Cut:
        """Return what the tokenizer makes of texts."""
        return cut_texts(self.tokenizer, texts, language)


@dataclass(frozen=True, slots=True)
class PlainClassifier:
    """One of xlmkit's classifiers as a `SequenceScorer`.

    Attributes:
        model: scores sequences.
        tokenizer: of the model.
        languages: that it is asked about.
        max_length: longest sequence in tokens.
        long_texts: how longer texts are read; None cuts off their ends.
        several: whether each class is decided by itself.
        form: how pairs are read.
    """

    model: SequenceClassifier
    tokenizer: Tokenizer
    languages: Sequence[str]
    max_length: int
    long_texts: LongTexts | None = None
    several: bool = False
    form: PairForm = "apart"

    def scores(
        self, texts: Sequence[str], language: str, seconds: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """Return the score of every class before any softmax, (texts, C)."""

        def compute(inputs: Inputs) -> Tensor:
            scores_BC: Tensor = inputs.fed_to(self.model)
            return scores_BC

        longest = _longest(self.model, self.max_length)
        rows = _rows(self.tokenizer, texts, language, longest, seconds, self.form)
        if self.long_texts is None:
            tell_of_cut(rows.n_cut, len(texts), longest, f"texts in {language}")
            return run_batches(self.model, rows, compute)
        windows = cut_rows(rows.rows, longest, self.long_texts.stride, self.form)
        scores = run_batches(self.model, SegmentRows(windows.rows, longest, self.form), compute)
        join, owners = self.long_texts.join, windows.owners
        return join_windows(scores, owners, join, several=self.several)
