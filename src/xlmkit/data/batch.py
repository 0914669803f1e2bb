"""What a model is given: frozen records of tensors with their shapes written down.

B sequences, L positions (the longest of the batch), N predicted positions.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.data.text_windows import PairForm, special_tokens
from xlmkit.text.vocabulary import EOS, PAD


class ModelInputs(Protocol):
    """A batch as some kind of model reads it: `Inputs`, or what another library's models take."""

    @property
    def n_tokens(self) -> int:
        """Real tokens, padding not counted."""
        ...

    def to(self, device: torch.device) -> Self:
        """Return the same on a device."""
        ...

    def fed_to(self, model: Callable[..., Any]) -> Any:  # noqa: ANN401 - what the model returns
        """Call a model with these inputs and return what it gives."""
        ...


class Sequences(Protocol):
    """Encoded texts from which batches are made."""

    @property
    def lengths(self) -> NDArray[np.int32]:
        """Tokens that a model reads of each, special ones counted, (sequences,)."""
        ...

    def batch(self, items: Sequence[int]) -> ModelInputs:
        """Lay out the sequences with these numbers."""
        ...


@dataclass(frozen=True, slots=True)
class Inputs:
    """Token sequences, padded on the right.

    Attributes:
        tokens: ids, (B, L), int64.
        lengths: real tokens of each sequence, (B,), int64.
        positions: position ids, (B, L), int64; restarted at the second sentence of a pair.
        languages: language ids, (B, L), int64.
    """

    tokens: Tensor
    lengths: Tensor
    positions: Tensor
    languages: Tensor

    @property
    def n_tokens(self) -> int:
        """Real tokens, padding not counted."""
        return int(self.lengths.sum())

    def to(self, device: torch.device) -> "Inputs":
        """Return the same on a device."""
        return Inputs(
            self.tokens.to(device),
            self.lengths.to(device),
            self.positions.to(device),
            self.languages.to(device),
        )

    def fed_to(self, model: Callable[..., Any]) -> Any:  # noqa: ANN401 - what the model returns
        """Call one of xlmkit's modules, or a method of one."""
        return model(self.tokens, self.lengths, self.positions, self.languages)


@dataclass(frozen=True, slots=True)
class PredictionBatch:
    """Words to predict: MLM, TLM and CLM.

    Attributes:
        inputs: what the model reads.
        predict: places in the flattened (B * L) positions, ascending, (N,), int64.
        targets: the words there, (N,), int64.
        groups: number of the language of each target, (N,), int64.
    """

    inputs: Inputs
    predict: Tensor
    targets: Tensor
    groups: Tensor


@dataclass(frozen=True, slots=True)
class LabelledBatch:
    """Examples with their labels.

    Attributes:
        inputs: what the model reads.
        labels: classes, (B,), int64, or what `objectives.classify` says.
        owners: the number of each sequence's text in the batch, ascending, (W,), int64, where
            texts are read in windows.
    """

    inputs: ModelInputs
    labels: Tensor
    owners: Tensor


@dataclass(frozen=True, slots=True)
class Arrays:
    """`Inputs` before they become tensors, all (B, L) but `lengths`, which is (B,)."""

    tokens: NDArray[np.int64]
    lengths: NDArray[np.int64]
    positions: NDArray[np.int64]
    languages: NDArray[np.int64]

    def tensors(self) -> Inputs:
        """Share the memory with tensors."""
        return Inputs(
            *map(torch.from_numpy, (self.tokens, self.lengths, self.positions, self.languages))
        )


Segment = tuple[NDArray[np.integer], int]
"""The tokens of a sentence and the id of its language."""


@dataclass(frozen=True)
class SegmentRows:
    """Sequences of one or more sentences, as xlmkit's own models read them.

    Attributes:
        rows: each sequence's sentences.
        max_length: longest sequence in tokens; longer ones lose their ends.
        form: how two sentences are read together.
    """

    rows: Sequence[tuple[Segment, ...]]
    max_length: int
    form: PairForm = "apart"

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """Tokens of each sequence with its `</s>`, (rows,)."""
        return np.array([min(self.max_length, length) for length in self._whole()], np.int32)

    @property
    def n_cut(self) -> int:
        """Sequences that lose their ends."""
        return sum(length > self.max_length for length in self._whole())

    def batch(self, items: Sequence[int]) -> Inputs:
        """Lay out the sequences with these numbers."""
        rows = [self.rows[item] for item in items]
        return assemble(rows, self.max_length, self.form).tensors()

    def _whole(self) -> Iterator[int]:
        return (_length(row, self.form) for row in self.rows)


def assemble(
    rows: Sequence[tuple[Segment, ...]], max_length: int, form: PairForm = "apart"
) -> Arrays:
    """Lay out sequences of one or more sentences, see `PairForm`.

    A sequence that is too long loses the ends of its sentences in proportion to their lengths,
    never their `</s>`.
    """
    fitted = [fit(row, max_length, form) for row in rows]
    lengths = np.array([_length(row, form) for row in fitted], np.int64)
    shape = (len(rows), int(lengths.max()))
    tokens, positions, languages = np.full(shape, PAD), np.zeros(shape, int), np.zeros(shape, int)
    for number, row in enumerate(fitted):
        start = 0
        for ids, language in row:
            end = start + len(ids) + 2
            tokens[number, start] = tokens[number, end - 1] = EOS
            tokens[number, start + 1 : end - 1] = ids
            first = start if form == "joined" else 0
            positions[number, start:end] = np.arange(first, first + end - start)
            languages[number, start:end] = language
            start = end - (form == "joined")  # the last </s> is the first of what comes
    return Arrays(tokens, lengths, positions, languages)


def _length(row: tuple[Segment, ...], form: PairForm) -> int:
    return sum(len(ids) for ids, _ in row) + special_tokens(len(row), form)


def fit(row: tuple[Segment, ...], max_length: int, form: PairForm) -> tuple[Segment, ...]:
    """Return as much of every sentence of a sequence as `assemble` keeps of it."""
    total = sum(len(ids) for ids, _ in row)
    room = max_length - special_tokens(len(row), form)
    if total <= room:
        return row
    kept = [min(len(ids), max(1, len(ids) * room // total)) for ids, _ in row]
    kept[kept.index(max(kept))] -= max(0, sum(kept) - room)  # for those that were left one token
    return tuple((ids[:n], language) for n, (ids, language) in zip(kept, row, strict=True))
