"""Sentences to vectors."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.data.batch import Inputs
from xlmkit.evaluate.joining import mean_of_windows
from xlmkit.inference.model import (
    BATCH_TOKENS,
    InferencePrecision,
    Languages,
    Reader,
    prepare,
)
from xlmkit.model.heads import mean_pool
from xlmkit.model.transformer import Transformer

Pooling = Literal["mean", "first"]


class SentenceEncoder:
    """A model that turns sentences of its languages into vectors.

    Args:
        bundle: any model; its head is not used.
        precision: `auto`, `float32`, `bfloat16` or `int8`, see `xlmkit.inference.model.prepare`.
        pooling: the `mean` of a sentence's states, or the `first`.
        layer: the layer whose states are taken, 0 for the embeddings; the last by default.
        stride: texts longer than the model are read in windows that share so many tokens, and
            their vector is the mean of the windows', weighted by their tokens; None cuts their
            ends off.

    Raises:
        UserError: there is no such layer, or int8 cannot be computed here.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        precision: InferencePrecision = "auto",
        pooling: Pooling = "mean",
        layer: int | None = None,
        stride: int | None = None,
    ) -> None:
        shape = bundle.architecture
        self.layer = shape.n_layers if layer is None else layer
        if not 0 <= self.layer <= shape.n_layers:
            raise UserError(f"The model has the layers 0 to {shape.n_layers}, but not {layer}.")
        self.pooling, self.width = pooling, shape.emb_dim
        self.transformer: Transformer = prepare(bundle.transformer(), precision)
        self._reader = Reader(
            self.transformer, bundle.tokenizer, shape.max_position_embeddings, stride
        )

    @property
    def known(self) -> Collection[str]:
        """The languages that the model knows."""
        return self._reader.tokenizer.lang2id

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        precision: InferencePrecision = "auto",
        pooling: Pooling = "mean",
        layer: int | None = None,
        stride: int | None = None,
    ) -> Self:
        """Open a model's folder; arguments as for the class.

        Raises:
            UserError: it is none, is damaged, or see the class.
        """
        bundle = Bundle.load(Path(folder))
        return cls(bundle, precision=precision, pooling=pooling, layer=layer, stride=stride)

    def encode(
        self, texts: Sequence[str], lang: Languages, *, batch_tokens: int = BATCH_TOKENS
    ) -> NDArray[np.float32]:
        """Return the vector of every text, in their order, (texts, E).

        Args:
            texts: any number.
            lang: their language, or one for each.
            batch_tokens: tokens of a batch.

        Raises:
            UserError: the model does not know a language, or there are not as many as texts.
        """
        windows = self._reader.read(texts, lang, self._vectors, batch_tokens)
        vectors = mean_of_windows(windows.values, windows.owners, windows.lengths)
        return vectors.reshape(len(texts), self.width)

    def _vectors(self, inputs: Inputs) -> Tensor:
        states = inputs.fed_to(self.transformer.each_state)
        state_BLE = next(state for layer, state in enumerate(states) if layer == self.layer)
        return state_BLE[:, 0] if self.pooling == "first" else mean_pool(state_BLE, inputs.lengths)
