"""Texts as a model reads them, with what each token is part of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xlmkit.data.batch import Inputs, Segment, assemble, fit
from xlmkit.data.measures import normalize
from xlmkit.data.normal_spans import aligned_normal
from xlmkit.data.text_windows import LongTexts, PairForm, cut_rows, special_tokens
from xlmkit.data.words import WordTokens, windows
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
        joins: whether what it says comes from several windows, of which this is the first.
        judged: of a tagger the words whose tags come from this window, ascending.
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
    joins: bool = False
    judged: NDArray[np.int64] | None = None

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
    joins: bool
    judged: NDArray[np.int64] | None = None

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
            self.joins,
            self.judged,
        )


def read_texts(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    language: str,
    longest: int,
    rows: Sequence[tuple[int, ...]],
    *,
    form: PairForm = "apart",
    long_texts: LongTexts | None = None,
    longest_first: int | None = None,
    first_language: str | None = None,
) -> PlainRows:
    """Encode texts as `xlmkit predict` does.

    Args:
        tokenizer: of the model.
        texts: all that is read.
        language: of all of them, or of all but the first.
        longest: tokens of a sequence; longer ones lose their ends.
        rows: of each sequence the numbers of its texts.
        form: how two texts are read together.
        long_texts: how the model reads what is longer; the first window is taken.
        longest_first: most tokens of the first text, which is a question.
        first_language: that of the first text, where it is another one.
    """
    languages = [first_language or language, *[language] * (len(texts) - 1)]
    aligned = [
        tokenizer.align(aligned_normal(text), code)
        for text, code in zip(texts, languages, strict=True)
    ]
    words: list[Word] = []
    owners_of: list[NDArray[np.int64]] = []
    spans_of = [np.array(one.spans, np.int64).reshape(-1, 2) for one in aligned]
    for part, tokens in enumerate(aligned):
        made, numbers = _words_of(tokens, texts[part], part)
        owners_of.append(numbers + len(words))
        words += made
    segments: list[Segment] = [
        (np.array(one.ids, np.int32), tokenizer.lang2id[code])
        for one, code in zip(aligned, languages, strict=True)
    ]
    if longest_first is not None:
        ids, code = segments[0]
        segments[0] = ids[:longest_first], code
    laid = [tuple(segments[p] for p in row) for row in rows]
    fitted = _first_windows(laid, longest, form, long_texts)
    cut = any(
        len(ids) < len(whole)
        for row, all_of_it in zip(fitted, laid, strict=True)
        for (ids, _), (whole, _) in zip(row, all_of_it, strict=True)
    )
    joins = cut and long_texts is not None and long_texts.joins
    inputs, owners, spans = _laid_out(owners_of, spans_of, fitted, rows, longest, form)
    return PlainRows(words, owners, spans, inputs, cut, joins)


def read_words(
    tokenizer: Tokenizer, text: str, spans: Sequence[tuple[int, int]], language: str, longest: int
) -> PlainRows:
    """Encode the words of a text one by one, as taggers read them.

    Args:
        tokenizer: of the model.
        text: the text.
        spans: where its words stand in it.
        language: of the text.
        longest: tokens of a sequence; of a longer text the first window is taken.
    """
    words = [Word(text[start:end], 0, start, end) for start, end in spans]
    encoded = tokenizer.encode_batch([normalize(word.text) for word in words], language)
    tokens = WordTokens.join(encoded, tokenizer.unk)
    ids, owners, judged = first_window(tokens, longest - special_tokens(1, "apart"))
    spans_L2 = np.array(spans, np.int64).reshape(-1, 2)[owners]
    read: Segment = ids, tokenizer.lang2id[language]
    inputs, owners_RL, spans_RL2 = _laid_out(
        [owners], [spans_L2], [(read,)], [(0,)], longest, "apart"
    )
    cut = len(ids) < len(tokens.ids)
    return PlainRows(words, owners_RL, spans_RL2, inputs, cut, cut, judged)


def first_window(
    tokens: WordTokens, room: int
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
    """Return what a tagger reads of a sentence at first.

    Args:
        tokens: of the sentence.
        room: the most of them in a window.

    Returns:
        Tokens, (L,), the number of each one's word, (L,), and of the words that are judged here.
    """
    window = next(windows(tokens, room))
    lengths = np.diff(tokens.firsts, append=len(tokens.ids))
    owners = np.repeat(np.arange(len(lengths)), lengths)
    return tokens.ids[: window.end], owners[: window.end], window.words


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


def _first_windows(
    laid: Sequence[tuple[Segment, ...]],
    longest: int,
    form: PairForm,
    long_texts: LongTexts | None,
) -> list[tuple[Segment, ...]]:
    """Return what of each sequence is read at once, or first."""
    if long_texts is None:
        return [fit(row, longest, form) for row in laid]
    made = cut_rows(laid, longest, long_texts.stride, form)
    return [made.rows[place] for place in np.unique(made.owners, return_index=True)[1]]


def _laid_out(
    owners_of: Sequence[NDArray[np.int64]],
    spans_of: Sequence[NDArray[np.int64]],
    fitted: Sequence[tuple[Segment, ...]],
    rows: Sequence[tuple[int, ...]],
    longest: int,
    form: PairForm,
) -> tuple[Inputs, NDArray[np.int64], NDArray[np.int64]]:
    """Return sequences with the owners of their tokens, (R, L), and their spans, (R, L, 2).

    Texts are found by their lengths, since positions tell where one begins only if they restart.
    """
    arrays = assemble(fitted, longest, form)
    owners = np.full(arrays.tokens.shape, SPECIAL)
    spans = np.zeros((*arrays.tokens.shape, 2), np.int64)
    for number, (row, segments) in enumerate(zip(rows, fitted, strict=True)):
        start = 1
        for part, (ids, _) in zip(row, segments, strict=True):
            end = start + len(ids)
            owners[number, start:end] = owners_of[part][: len(ids)]
            spans[number, start:end] = spans_of[part][: len(ids)]
            start = end + (1 if form == "joined" else 2)
    return arrays.tensors(), owners, spans


Head = Callable[[Any], Tensor]
"""From what a model gives for N readings, (N, R, ...), to what is explained, (N,)."""
