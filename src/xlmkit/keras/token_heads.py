"""The models that score every token: token classification and question answering.

Shapes: B sequences, L positions, C classes.
"""

from collections.abc import Mapping
from typing import Any

import keras

from xlmkit.keras.base import TFXLMPreTrainedModel
from xlmkit.keras.layers import Linear
from xlmkit.keras.losses import span_loss, token_cross_entropy, weighted
from xlmkit.keras.outputs import TFQuestionAnsweringModelOutput, TFTokenClassifierOutput

Tensor = Any


@keras.saving.register_keras_serializable(package="xlmkit")
class TFXLMForTokenClassification(TFXLMPreTrainedModel):
    """XLM with a classifier over every token."""

    label_names = ("labels",)
    output_kind = TFTokenClassifierOutput

    def make_head(self) -> None:
        """Make the classifier."""
        self.num_labels = int(self.config.num_labels or 0)
        self.dropout = keras.layers.Dropout(self.config.dropout)
        c = self.config
        self.classifier = Linear(c.emb_dim, self.num_labels, c.init_std, name="classifier")

    def named_head_layers(self) -> dict[str, keras.layers.Layer]:
        """Return the classifier."""
        return {"classifier": self.classifier}

    def apply_head(
        self, states_BLE: Tensor, inputs: Mapping[str, Tensor], training: bool
    ) -> dict[str, Tensor]:
        """Return the scores of the classes, (B, L, C)."""
        return {"logits": self.classifier(self.dropout(states_BLE, training=training))}

    def hf_compute_loss(
        self, labels: Tensor, logits: Tensor, sample_weight: Tensor = None
    ) -> Tensor:
        """Return the mean cross-entropy over all labels but the negative ones, (1,)."""
        return token_cross_entropy(labels, logits, sample_weight)


@keras.saving.register_keras_serializable(package="xlmkit")
class TFXLMForQuestionAnsweringSimple(TFXLMPreTrainedModel):
    """XLM that scores every token as the first and as the last of the answer."""

    label_names = ("start_positions", "end_positions")
    output_kind = TFQuestionAnsweringModelOutput
    predicted = ("start_logits", "end_logits")

    def make_head(self) -> None:
        """Make the two scores.

        Raises:
            ValueError: `num_labels` is not 2.
        """
        if self.config.num_labels != 2:
            raise ValueError(
                "A model for answers scores start and end; set num_labels=2, "
                f"not {self.config.num_labels}."
            )
        self.qa_outputs = Linear(self.config.emb_dim, 2, self.config.init_std, name="qa_outputs")

    def named_head_layers(self) -> dict[str, keras.layers.Layer]:
        """Return the two scores' layer."""
        return {"qa_outputs": self.qa_outputs}

    def apply_head(
        self, states_BLE: Tensor, inputs: Mapping[str, Tensor], training: bool
    ) -> dict[str, Tensor]:
        """Return the scores of start and end, both (B, L)."""
        scores_BL2 = self.qa_outputs(states_BLE)
        return {"start_logits": scores_BL2[..., 0], "end_logits": scores_BL2[..., 1]}

    def hf_compute_loss(
        self,
        labels: Mapping[str, Tensor],
        logits: tuple[Tensor, Tensor],
        sample_weight: Tensor = None,
    ) -> Tensor:
        """Return the mean of the losses of start and end for each sequence, (B,)."""
        losses = []
        for label, output, scores_BL in zip(self.label_names, self.predicted, logits, strict=True):
            # Keras makes weights for each label where there are several.
            weight = sample_weight[output] if isinstance(sample_weight, Mapping) else sample_weight
            losses.append(weighted(span_loss(labels[label], scores_BL), weight))
        return (losses[0] + losses[1]) / 2
