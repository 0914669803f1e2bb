"""`TFXLMWithLMHeadModel`: the encoder with word prediction, and generation.

Shapes: B sequences, L positions, E width, V words.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from xlmkit.huggingface.configuration import XLMConfig
from xlmkit.keras.base import TFXLMPreTrainedModel
from xlmkit.keras.generation import Generation
from xlmkit.keras.layers import Embedding, array_of
from xlmkit.keras.losses import token_cross_entropy
from xlmkit.keras.outputs import TFXLMWithLMHeadModelOutput

Tensor = Any


class PredictionLayer(keras.layers.Layer):
    """Scores of all words: states times the embeddings (or a table of its own), plus a bias."""

    def __init__(self, config: XLMConfig, embeddings: Embedding) -> None:
        super().__init__(name="pred_layer")
        self.tied = bool(config.tie_word_embeddings)
        self.proj = (
            embeddings
            if self.tied
            else Embedding(config.vocab_size, config.emb_dim, config.init_std, name="proj")
        )

    @property
    def weight(self) -> Any:  # noqa: ANN401 - a Keras variable
        """The table, if it is not the embeddings'."""
        return None if self.tied else self.proj.weight

    def build(self, input_shape: object = None) -> None:
        """Make the bias, and the table if it is not the embeddings'."""
        if not self.tied:
            self.proj.build()
        self._make_bias()

    def _make_bias(self) -> None:
        self.bias = self.add_weight(shape=(self.proj.rows,), initializer="zeros", name="bias")

    def call(self, states: Tensor) -> Tensor:
        """Return the scores of all words, (..., E) to (..., V)."""
        return self.proj.scores(states) + self.bias

    def resize(self, n_words: int) -> None:
        """Follow the vocabulary; new words have no bias."""
        old = self.bias
        if not self.tied:
            self.proj.resize(n_words)
        self._untrack_variable(old)
        self._tracker.unlock()  # Keras allows no new weights after build() otherwise
        self._make_bias()
        kept = min(n_words, old.shape[0])
        fresh = np.zeros(n_words, dtype="float32")
        fresh[:kept] = array_of(old)[:kept]
        self.bias.assign(fresh)


@keras.saving.register_keras_serializable(package="xlmkit")
class TFXLMWithLMHeadModel(Generation, TFXLMPreTrainedModel):
    """XLM with word prediction: masked, or, with `causal`, of the next word.

    Unlike Hugging Face's TensorFlow class it takes labels, those of its PyTorch class: the word
    that each position's scores are for, not shifted; -100 where there is none.
    """

    label_names = ("labels",)
    output_kind = TFXLMWithLMHeadModelOutput

    def make_head(self) -> None:
        """Make the word scores."""
        self.pred_layer = PredictionLayer(self.config, self.transformer.embeddings)

    def named_head_layers(self) -> dict[str, keras.layers.Layer]:
        """Return the prediction layer."""
        return {"pred_layer.proj": self.pred_layer}

    def apply_head(
        self, states_BLE: Tensor, inputs: Mapping[str, Tensor], training: bool
    ) -> dict[str, Tensor]:
        """Return the scores of all words, (B, L, V)."""
        return {"logits": self.pred_layer(states_BLE)}

    def hf_compute_loss(
        self, labels: Tensor, logits: Tensor, sample_weight: Tensor = None
    ) -> Tensor:
        """Return the mean of -log p(label) over all labels but the negative ones, (1,)."""
        return token_cross_entropy(labels, logits, sample_weight)

    def get_output_embeddings(self) -> keras.layers.Layer:
        """Return the layer whose table scores words: that of the word embeddings, if tied."""
        return self.pred_layer.proj

    def get_lm_head(self) -> keras.layers.Layer:
        """Return the prediction layer."""
        return self.pred_layer

    def get_bias(self) -> dict[str, Any]:
        """Return the bias of the word scores, by name."""
        return {"bias": self.pred_layer.bias}

    def _resize(self, n_words: int) -> None:
        super()._resize(n_words)
        self.pred_layer.resize(n_words)
