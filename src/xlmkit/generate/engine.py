"""What turns tokens of one language into those of another: xlmkit's own modules, on torch.

Shapes: B sentences, L positions, N hypotheses.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.compress.quantize import quantize_translator
from xlmkit.core.device import choose_device, choose_dtype
from xlmkit.data.batch import Inputs, assemble
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.search import Asked, search_sentences
from xlmkit.generate.steps import TranslationSteps
from xlmkit.text.vocabulary import EOS, PAD, ids_of_no_word

Ids = NDArray[np.int32]
Precision = Literal["auto", "float32", "bfloat16", "int8"]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A sentence that was found.

    Attributes:
        ids: its tokens without `</s>`.
        score: by which hypotheses are ordered, see `xlmkit.generate.found`.
        log_probability: as the model gives it, `</s>` at the end counted, in nats.
    """

    ids: list[int]
    score: float
    log_probability: float


class Engine(Protocol):
    """A translator of tokens."""

    @property
    def longest(self) -> int:
        """Most tokens of a sentence with `</s>` at both ends."""
        ...

    def search(
        self, rows: Sequence[Ids], source: int, target: int, search: SearchConfig, asked: Asked
    ) -> list[list[Hypothesis]]:
        """Return the hypotheses of each row of a batch, the best first.

        Args:
            rows: tokens of sentences.
            source: id of their language.
            target: id of the language to write.
            search: how.
            asked: what else is asked of these rows.
        """
        ...

    def score(
        self, rows: Sequence[Ids], written: Sequence[Ids], source: int, target: int
    ) -> list[float]:
        """Return the log-probability of what was written for each row, its `</s>` counted."""
        ...


def longest_translations(
    rows: Sequence[Ids],
    search: SearchConfig,
    longest: int,
    prefixes: Sequence[Sequence[int]] | None = None,
) -> list[int]:
    """Return the most words of each row's translation, with `</s>` at both ends.

    A prefix comes on top of what the source gives room for.
    """
    if search.max_length is not None:
        longest = min(longest, search.max_length + 2)
    begun = [0] * len(rows) if prefixes is None else map(len, prefixes)
    return [
        max(2, min(longest, n + int(search.length_ratio * (len(ids) + 2)) + 10))
        for ids, n in zip(rows, begun, strict=True)
    ]


class TorchEngine:
    """xlmkit's encoder-decoder."""

    def __init__(self, bundle: Bundle, precision: Precision = "float32") -> None:
        """Take a translator's bundle.

        Args:
            bundle: of a translator.
            precision: what it computes in; `auto` takes bfloat16 where the hardware multiplies in
                it, and float32 elsewhere; `int8` rounds weights and activations, on a CPU.

        Raises:
            UserError: it holds no translator, or int8 is asked for where it cannot be computed.
        """
        self.device = choose_device()
        self.model = bundle.encoder_decoder().to(self.device)
        if precision == "int8":
            quantize_translator(self.model)
        else:
            self.model.to(choose_dtype(precision, self.device))
        self.longest = bundle.architecture.max_position_embeddings
        self._never = ids_of_no_word(len(bundle.tokenizer), bundle.architecture.n_words)

    @torch.inference_mode()
    def search(
        self, rows: Sequence[Ids], source: int, target: int, search: SearchConfig, asked: Asked
    ) -> list[list[Hypothesis]]:
        """Search over the decoder's steps."""
        inputs = self._inputs(rows, source)
        states_BSE = inputs.fed_to(self.model.encoder)
        language_B = torch.full((len(rows),), target, device=self.device)
        steps = TranslationSteps(self.model, states_BSE, inputs.lengths, language_B)
        limits_B = torch.tensor(
            longest_translations(rows, search, self.longest, asked.prefixes), device=self.device
        )
        if search.rules == "sound":
            asked = replace(asked, never=self._never)
        found = search_sentences(steps, limits_B, search, asked)
        nothing = Hypothesis([], -math.inf, -math.inf)  # where the constraints leave no word
        return [
            [
                Hypothesis([word for word in ids if word not in (EOS, PAD)], score, total)
                for ids, score, total in zip(*of_row, strict=True)
                if score != -math.inf
            ]
            or [nothing]
            for of_row in zip(
                found.words.tolist(),
                found.scores.tolist(),
                found.log_probabilities.tolist(),
                strict=True,
            )
        ]

    @torch.inference_mode()
    def score(
        self, rows: Sequence[Ids], written: Sequence[Ids], source: int, target: int
    ) -> list[float]:
        """Decode what was written at once, without search or cache."""
        inputs, output = self._inputs(rows, source), self._inputs(written, target)
        hidden_BLE = self.model.decode(
            output.tokens[:, :-1],
            output.languages[:, :-1],
            inputs.fed_to(self.model.encoder),
            inputs.lengths,
        )
        next_BL: Tensor = output.tokens[:, 1:]
        loss, _ = self.model.pred_layer.loss(hidden_BLE.flatten(0, 1), next_BL.flatten())
        log_probability_BL = -loss.view_as(next_BL).double()
        places_L = torch.arange(next_BL.shape[1], device=self.device)
        is_padding_BL = places_L >= (output.lengths - 1)[:, None]
        sums: list[float] = log_probability_BL.masked_fill(is_padding_BL, 0).sum(dim=1).tolist()
        return sums

    def _inputs(self, rows: Sequence[Ids], language: int) -> Inputs:
        inputs = assemble([((ids, language),) for ids in rows], self.longest).tensors()
        return inputs.to(self.device)
