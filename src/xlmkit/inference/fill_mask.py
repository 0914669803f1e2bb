"""The words that a masked model puts where a text has masks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.data.batch import assemble
from xlmkit.data.measures import normalize
from xlmkit.inference.model import InferencePrecision, prepare
from xlmkit.inference.words import check_predicts_words, language_number, ordinary_tokens
from xlmkit.text.bpe import END_OF_WORD
from xlmkit.text.vocabulary import MASK

MASK_MARK = "<mask>"
_BATCH = 32  # texts
Ids = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Filling:
    """A token for a mask.

    Attributes:
        token: as it is written; without `word_ends` the word goes on behind it.
        word_ends: whether it ends a word.
        probability: as the model gives it, whatever else is allowed.
        text: the text with the token in place of this mask.
    """

    token: str
    word_ends: bool
    probability: float
    text: str


class FillMask:
    """A masked language model that fills masks.

    Args:
        bundle: a pretrained model.
        precision: see `xlmkit.inference.model.prepare`.
        mask: how a mask is written in texts.

    Raises:
        UserError: the model predicts no words, or none for masks.
    """

    def __init__(
        self, bundle: Bundle, *, precision: InferencePrecision = "auto", mask: str = MASK_MARK
    ) -> None:
        check_predicts_words(bundle)
        if bundle.architecture.causal:
            raise UserError(
                "This model reads from left to right and fills no masks; let it write with "
                "xlmkit generate."
            )
        self.tokenizer, self.mask = bundle.tokenizer, mask
        self._longest = bundle.architecture.max_position_embeddings
        self._model = prepare(bundle.language_model(), precision)

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, *, precision: InferencePrecision = "auto", mask: str = MASK_MARK
    ) -> Self:
        """Open a model's folder; arguments as for the class."""
        return cls(Bundle.load(Path(folder)), precision=precision, mask=mask)

    def fill(
        self,
        texts: Sequence[str],
        lang: str,
        *,
        top: int = 5,
        allowed: Tensor | None = None,
        first: int = 1,
    ) -> list[list[list[Filling]]]:
        """Return the best tokens of every mask of every text, the likeliest first.

        Several masks of a text are filled each by itself, the others staying masks. Where the text
        is longer than the model reads, a mask is filled from what stands around it.

        Args:
            texts: each with at least one mask.
            lang: their language.
            top: tokens of a mask; fewer where fewer are allowed.
            allowed: tokens that may come, (V,), see `xlmkit.inference.words`; by default all.
            first: the number of the first text in messages.

        Raises:
            UserError: the language is unknown, or a text has no mask.
        """
        number = language_number(self.tokenizer, lang)
        may_come = ordinary_tokens(self.tokenizer)
        may_come = may_come if allowed is None else may_come & allowed
        filled: list[list[list[Filling]]] = []
        for start in range(0, len(texts), _BATCH):
            part = texts[start : start + _BATCH]
            rows = [
                window
                for i, text in enumerate(part, start=start + first)
                for window in self._windows(self._ids(text, lang, i))
            ]
            best = self._best(rows, number, may_come, top)
            filled += [
                [self._fillings(text, place, next(best)) for place in range(text.count(self.mask))]
                for text in part
            ]
        return filled

    def _ids(self, text: str, lang: str, number: int) -> Ids:
        """Return the tokens of a text with its masks."""
        parts = text.split(self.mask)
        if len(parts) == 1:
            raise UserError(
                f"Text {number} has no mask; write {self.mask} where a word is missing."
            )
        pieces = [np.array([MASK], np.int32)] * (2 * len(parts) - 1)
        pieces[::2] = self.tokenizer.encode_batch(list(map(normalize, parts)), lang)
        return np.concatenate(pieces)

    def _windows(self, ids: Ids) -> Iterator[tuple[Ids, list[int]]]:
        """Yield what the model reads of a text, and the places of the masks to fill in it."""
        room = self._longest - 2
        masks: list[int] = np.flatnonzero(ids == MASK).tolist()
        if len(ids) <= room:
            yield ids, masks
            return
        for mask in masks:
            start = min(max(0, mask - room // 2), len(ids) - room)
            yield ids[start : start + room], [mask - start]

    @torch.inference_mode()
    def _best(
        self, windows: Sequence[tuple[Ids, list[int]]], language: int, allowed_V: Tensor, top: int
    ) -> Iterator[list[tuple[int, float]]]:
        """Yield the best tokens with their probabilities, mask by mask."""
        device = next(self._model.parameters()).device
        made = [((ids, language),) for ids, _ in windows]
        inputs = assemble(made, self._longest).tensors().to(device)
        hidden_BLE = inputs.fed_to(self._model.transformer)
        rows_N = [row for row, (_, places) in enumerate(windows) for _ in places]
        places_N = [place + 1 for _, places in windows for place in places]  # behind </s>
        scores_NV = self._model.pred_layer(hidden_BLE[rows_N, places_N]).float()
        probabilities_NV = scores_NV.softmax(dim=1)[:, : len(allowed_V)].cpu()
        kept = probabilities_NV.masked_fill(~allowed_V, -1)
        found = kept.topk(min(top, int(allowed_V.sum())), dim=1)
        for ids, values in zip(found.indices.tolist(), found.values.tolist(), strict=True):
            yield list(zip(ids, values, strict=True))

    def _fillings(self, text: str, place: int, best: list[tuple[int, float]]) -> list[Filling]:
        parts = text.split(self.mask)
        before, behind = self.mask.join(parts[: place + 1]), self.mask.join(parts[place + 1 :])
        made = []
        for index, probability in best:
            symbol = self.tokenizer.vocabulary.symbol(index)
            token = symbol.removesuffix(END_OF_WORD)
            made.append(Filling(token, token != symbol, probability, f"{before}{token}{behind}"))
        return made
