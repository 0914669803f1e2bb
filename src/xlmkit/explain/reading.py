"""Texts as a model reads them, with what each token is part of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xlmkit.data.batch import Inputs, Segment, assemble
from xlmkit.data.measures import normalize
from xlmkit.explain.explanation import Word
from xlmkit.text.alignment import AlignedTokens
from xlmkit.text.tokenizer import Tokenizer

SPECIAL = -1
"""The owner of a token that is part of no word."""


@dataclass(frozen=True)
class Reading:
    """What a model is asked about: R sequences of L tokens that give one answer together.

    Attributes:
        words: of all texts.
        owners: the number of each token's word, `SPECIAL` for others, (R, L).
        symbols: the tokens as the vocabulary has them, R rows of L.
        ids: token ids, (R, L).
        lengths: real tokens of each sequence; padding follows them.
        embedding: the module that looks them up.
        scores: from ids of any number of times R sequences, (N * R, L), to what the model gives.
        spans: where in its text each token stands, (R, L, 2).
        cut: whether the model does not read the texts to their ends.
    """

    words: list[Word]
    owners: NDArray[np.int64]
    spans: NDArray[np.int64]
    symbols: list[list[str]]
    ids: Tensor
    lengths: list[int]
    embedding: nn.Module
    scores: Callable[[Tensor], Tensor]
    cut: bool = False

    def blank(self, token: int) -> Tensor:
        """Return the ids with this token in the place of every one of a word, (R, L)."""
        own = torch.from_numpy(self.owners >= 0).to(self.ids.device)
        return torch.where(own, torch.full_like(self.ids, token), self.ids)

    @property
    def tokens(self) -> list[tuple[str, int]]:
        """Symbol and word of each token that is part of a word, row by row."""
        return [
            (symbol, int(owner))
            for row, owners in zip(self.symbols, self.owners, strict=True)
            for symbol, owner in zip(row, owners, strict=True)
            if owner >= 0
        ]

    def places(self, part: int) -> list[int]:
        """Return the places of a text's tokens in the first sequence."""
        owners = enumerate(self.owners[0].tolist())
        return [place for place, owner in owners if owner >= 0 and self.words[owner].part == part]

    def first(self, word: int) -> int:
        """Return the place of a word's first token, in the first sequence that has it."""
        return int(np.argwhere(self.owners == word)[0][1])


@dataclass(frozen=True)
class PlainRows:
    """Sequences of xlmkit's own models before they meet a model; attributes as `Reading` has."""

    words: list[Word]
    owners: NDArray[np.int64]
    spans: NDArray[np.int64]
    inputs: Inputs
    cut: bool

    def for_model(self, model: nn.Module, embedding: nn.Module, tokenizer: Tokenizer) -> Reading:
        """Join them with a model, on its device."""
        inputs = self.inputs.to(next(model.parameters()).device)

        def scores(ids: Tensor) -> Tensor:
            n = len(ids) // len(inputs.tokens)
            repeated = (
                inputs.lengths.repeat(n),
                inputs.positions.repeat(n, 1),
                inputs.languages.repeat(n, 1),
            )
            given: Tensor = Inputs(ids, *repeated).fed_to(model)
            return given

        symbols = [tokenizer.tokens(row.tolist()) for row in inputs.tokens]
        return Reading(
            self.words,
            self.owners,
            self.spans,
            symbols,
            inputs.tokens,
            inputs.lengths.tolist(),
            embedding,
            scores,
            self.cut,
        )


def read_texts(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    language: str,
    longest: int,
    rows: Sequence[tuple[int, ...]],
) -> PlainRows:
    """Encode texts as `xlmkit predict` does.

    Args:
        tokenizer: of the model.
        texts: all that is read.
        language: of all of them.
        longest: tokens of a sequence; longer ones lose their ends.
        rows: of each sequence the numbers of its texts.
    """
    aligned = [tokenizer.align(text, language) for text in texts]
    words: list[Word] = []
    owners_of: list[NDArray[np.int64]] = []
    spans_of = [np.array(one.spans, np.int64).reshape(-1, 2) for one in aligned]
    for part, tokens in enumerate(aligned):
        made, numbers = _words_of(tokens, texts[part], part)
        owners_of.append(numbers + len(words))
        words += made
    code = tokenizer.lang2id[language]
    segments: list[Segment] = [(np.array(one.ids, np.int32), code) for one in aligned]
    laid = [tuple(segments[p] for p in row) for row in rows]
    return _laid_out(words, owners_of, spans_of, laid, rows, longest)


def read_words(
    tokenizer: Tokenizer, text: str, spans: Sequence[tuple[int, int]], language: str, longest: int
) -> PlainRows:
    """Encode the words of a text one by one, as taggers read them.

    Args:
        tokenizer: of the model.
        text: the text.
        spans: where its words stand in it.
        language: of the text.
        longest: tokens of a sequence; words behind them are left out.
    """
    words = [Word(text[start:end], 0, start, end) for start, end in spans]
    encoded = tokenizer.encode_batch([normalize(word.text) for word in words], language)
    parts = [ids if len(ids) else np.array([tokenizer.unk], np.int32) for ids in encoded]
    owners = np.repeat(np.arange(len(parts)), [len(ids) for ids in parts]).astype(np.int64)
    ids = np.concatenate(parts) if parts else np.empty(0, np.int32)
    spans_L2 = np.array(spans, np.int64).reshape(-1, 2)[owners]
    segments = [((ids, tokenizer.lang2id[language]),)]
    return _laid_out(words, [owners], [spans_L2], segments, [(0,)], longest)


def _words_of(tokens: AlignedTokens, text: str, part: int) -> tuple[list[Word], NDArray[np.int64]]:
    """Return the words of a text that have tokens, and of each token the number of its word."""
    words: list[Word] = []
    owners: list[int] = []
    for _, group in groupby(zip(tokens.words, tokens.spans, strict=True), key=lambda one: one[0]):
        spans = [span for _, span in group]
        start, end = min(s for s, _ in spans), max(e for _, e in spans)
        owners += [len(words)] * len(spans)
        words.append(Word(text[start:end], part, start, end))
    return words, np.array(owners, np.int64)


def _laid_out(
    words: list[Word],
    owners_of: Sequence[NDArray[np.int64]],
    spans_of: Sequence[NDArray[np.int64]],
    segments: Sequence[tuple[Segment, ...]],
    rows: Sequence[tuple[int, ...]],
    longest: int,
) -> PlainRows:
    arrays = assemble(segments, longest)
    owners = np.full(arrays.tokens.shape, SPECIAL)
    spans = np.zeros((*arrays.tokens.shape, 2), np.int64)
    cut = False
    for number, row in enumerate(rows):
        length = int(arrays.lengths[number])
        starts = np.flatnonzero(arrays.positions[number, :length] == 0)
        for part, start, end in zip(row, starts, [*starts[1:], length], strict=True):
            own = owners_of[part][: end - start - 2]
            cut |= len(own) < len(owners_of[part])
            owners[number, start + 1 : end - 1] = own
            spans[number, start + 1 : end - 1] = spans_of[part][: len(own)]
    return PlainRows(words, owners, spans, arrays.tensors(), cut)


Head = Callable[[Any], Tensor]
"""From what a model gives for N readings, (N, R, ...), to what is explained, (N,)."""
