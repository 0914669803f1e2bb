"""The models that score a sequence as a whole: classification and multiple choice.

Shapes: B sequences, L positions, E width, C classes or choices.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from xlmkit.keras.base import TFXLMPreTrainedModel
from xlmkit.keras.layers import Linear
from xlmkit.keras.losses import cross_entropy, sequence_loss, weighted
from xlmkit.keras.masks import real_tokens
from xlmkit.keras.outputs import (
    ModelOutput,
    TFMultipleChoiceModelOutput,
    TFSequenceClassifierOutput,
)
from xlmkit.keras.summary import SequenceSummary

Tensor = Any


@keras.saving.register_keras_serializable(package="xlmkit")
class TFXLMForSequenceClassification(TFXLMPreTrainedModel):
    """XLM with a classifier, or a regression, over a summary of the sequence."""

    label_names = ("labels",)
    output_kind = TFSequenceClassifierOutput

    def make_head(self) -> None:
        """Make the summary, whose projection gives the scores."""
        self.num_labels = self.config.num_labels
        self.sequence_summary = SequenceSummary(self.config)

    def named_head_layers(self) -> dict[str, keras.layers.Layer]:
        """Return the projection of the summary."""
        return _of_summary(self.sequence_summary)

    def apply_head(
        self, states_BLE: Tensor, inputs: Mapping[str, Tensor], training: bool
    ) -> dict[str, Tensor]:
        """Return the scores of the classes, (B, C)."""
        mask_BL = real_tokens(dict(inputs), self.transformer.pad_index)
        return {"logits": self.sequence_summary(states_BLE, mask_BL, training=training)}

    def hf_compute_loss(
        self, labels: Tensor, logits: Tensor, sample_weight: Tensor = None
    ) -> Tensor:
        """Return cross-entropy, or the squared error of a regression, of each sequence, (B,)."""
        loss_B = sequence_loss(labels, logits, self.config.problem_type)
        return weighted(loss_B, sample_weight)


@keras.saving.register_keras_serializable(package="xlmkit")
class TFXLMForMultipleChoice(TFXLMPreTrainedModel):
    """XLM that scores several sequences and picks one; inputs are (B, choices, L)."""

    label_names = ("labels",)
    output_kind = TFMultipleChoiceModelOutput

    def make_head(self) -> None:
        """Make the summary and a score of it."""
        self.sequence_summary = SequenceSummary(self.config)
        width, stddev = self.sequence_summary.width, self.config.init_std
        self.logits_proj = Linear(width, 1, stddev, name="logits_proj")

    def named_head_layers(self) -> dict[str, keras.layers.Layer]:
        """Return the projection of the summary, and the score."""
        return {**_of_summary(self.sequence_summary), "logits_proj": self.logits_proj}

    def encode(self, inputs: dict[str, Tensor], **flags: bool) -> ModelOutput:
        """Run the encoder over all choices, (B * choices) sequences.

        `lengths` are ignored with a warning, as Hugging Face's class does.
        """
        if inputs.pop("lengths", None) is not None:
            warnings.warn(
                "Multiple choice ignores lengths; give an attention_mask instead.", stacklevel=2
            )
        return super().encode(_flat(inputs), **flags)

    def apply_head(
        self, states_BLE: Tensor, inputs: Mapping[str, Tensor], training: bool
    ) -> dict[str, Tensor]:
        """Return the scores of the choices, (B, choices)."""
        first = inputs["input_ids"] if "input_ids" in inputs else inputs["inputs_embeds"]
        mask_BL = real_tokens(_flat(inputs), self.transformer.pad_index)
        summary = self.sequence_summary(states_BLE, mask_BL, training=training)
        return {"logits": ops.reshape(self.logits_proj(summary), ops.shape(first)[:2])}

    def hf_compute_loss(
        self, labels: Tensor, logits: Tensor, sample_weight: Tensor = None
    ) -> Tensor:
        """Return the cross-entropy of each question, (B,)."""
        return weighted(cross_entropy(ops.reshape(labels, (-1,)), logits), sample_weight)

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """A small batch that the model takes: three questions with two choices."""
        return {
            name: ops.repeat(value[:, None], 2, axis=1)
            for name, value in super().dummy_inputs.items()
        }


def _of_summary(summary: SequenceSummary) -> dict[str, keras.layers.Layer]:
    return {} if summary.summary is None else {"sequence_summary.summary": summary.summary}


def _flat(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return inputs (B, choices, L, ...) as (B * choices, L, ...); a mask of heads stays."""
    return {
        name: value if name == "head_mask" else ops.reshape(value, (-1, *ops.shape(value)[2:]))
        for name, value in inputs.items()
    }
