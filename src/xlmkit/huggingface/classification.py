"""Classes of sequences and tokens, and choices among texts, as Hugging Face's classes.

Each runs `XLMModel` under the name `transformer` and puts a head on it, with the parameter names,
arguments and results of `transformers` 5. The arguments of every `forward` are those of `XLMModel`,
and the labels that are described there.
"""

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.activations import get_activation
from transformers.cache_utils import Cache
from transformers.modeling_outputs import (
    MultipleChoiceModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from transformers.utils.generic import ModelOutput

from xlmkit.huggingface.base import XLMHeadedModel, XLMModel
from xlmkit.huggingface.configuration import XLMConfig
from xlmkit.huggingface.outputs import XLMModelOutput
from xlmkit.model.heads import SequenceSummary

SUMMARY_TYPES = ("first", "last", "mean", "cls_index")


def sequence_summary(config: XLMConfig) -> SequenceSummary:
    """Return the pooling and projection that the configuration's `summary_*` fields describe.

    Raises:
        ValueError: the type is none of those that exist.
    """
    if config.summary_type not in SUMMARY_TYPES:
        raise ValueError(
            f"summary_type is {config.summary_type!r}; it must be one of "
            f"{', '.join(SUMMARY_TYPES)}."
        )
    n_outputs = None
    if config.summary_use_proj:
        to_labels = config.summary_proj_to_labels and config.n_labels > 0
        n_outputs = config.n_labels if to_labels else config.emb_dim
    return SequenceSummary(
        config.emb_dim,
        n_outputs,
        dropout=float(config.summary_first_dropout),
        summary_type=config.summary_type,
        activation=get_activation(config.summary_activation) if config.summary_activation else None,
        last_dropout=float(getattr(config, "summary_last_dropout", 0.0)),
    )


def counted_states(
    model: XLMModel,
    hidden_BLE: Tensor,
    input_ids: Tensor | None,
    attention_mask: Tensor | None,
    lengths: Tensor | None,
) -> Tensor | None:
    """Return which states a summary counts, (B, L), None for all."""
    B, L, _ = hidden_BLE.shape
    padding = model.padding(input_ids, attention_mask, lengths, (B, L))
    if padding is None:
        return None
    return padding.counted(over_padding=model.config.summary_over_padding)


class XLMForSequenceClassification(XLMHeadedModel):
    """Scores of classes for a sequence, or a number (`num_labels=1`)."""

    def __init__(self, config: XLMConfig) -> None:
        super().__init__(config)
        self.num_labels = self.config.n_labels
        self.transformer = XLMModel(self.config)
        self.sequence_summary = sequence_summary(self.config)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        langs: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        lengths: Tensor | None = None,
        cache: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> SequenceClassifierOutput | tuple[Any, ...]:
        """Return scores, (B, num_labels), and with labels the loss.

        Args:
            labels: classes, (B,), or numbers, (B,), or several classes, (B, num_labels) of 0 and 1;
                `config.problem_type` says which, else the labels' type does.
        """
        states = self._states(
            input_ids=input_ids,
            attention_mask=attention_mask,
            langs=langs,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            lengths=lengths,
            cache=cache,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        hidden_BLE = states.last_hidden_state
        counted = counted_states(self.transformer, hidden_BLE, input_ids, attention_mask, lengths)
        logits = self.sequence_summary(hidden_BLE, counted)
        loss = None if labels is None else self._loss(logits, labels)
        return self._result(_with(states, SequenceClassifierOutput, loss, logits), return_dict)

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        kind = self.config.problem_type
        if kind is None:
            whole = labels.dtype in (torch.long, torch.int)
            kind = "single_label_classification" if whole else "multi_label_classification"
            kind = "regression" if self.num_labels == 1 else kind
        if kind == "regression":
            return functional.mse_loss(logits.squeeze(), labels.squeeze())
        if kind == "single_label_classification":
            return functional.cross_entropy(logits.view(-1, self.num_labels), labels.view(-1))
        return functional.binary_cross_entropy_with_logits(logits, labels)


class XLMForTokenClassification(XLMHeadedModel):
    """Scores of classes for every token."""

    def __init__(self, config: XLMConfig) -> None:
        super().__init__(config)
        self.num_labels = self.config.n_labels
        self.transformer = XLMModel(self.config)
        self.dropout = nn.Dropout(self.config.dropout)
        self.classifier = nn.Linear(self.config.emb_dim, self.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        langs: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        lengths: Tensor | None = None,
        cache: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> TokenClassifierOutput | tuple[Any, ...]:
        """Return scores, (B, L, num_labels), and with labels the loss.

        Args:
            labels: the class of every token, (B, L), -100 where none counts.
        """
        states = self._states(
            input_ids=input_ids,
            attention_mask=attention_mask,
            langs=langs,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            lengths=lengths,
            cache=cache,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.classifier(self.dropout(states.last_hidden_state))
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.view(-1, self.num_labels), labels.view(-1))
        return self._result(_with(states, TokenClassifierOutput, loss, logits), return_dict)


class XLMForMultipleChoice(XLMHeadedModel):
    """A score for each of several texts, of which one is right."""

    def __init__(self, config: XLMConfig) -> None:
        super().__init__(config)
        self.transformer = XLMModel(self.config)
        self.sequence_summary = sequence_summary(self.config)
        self.logits_proj = nn.Linear(self.config.n_labels, 1)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        langs: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        lengths: Tensor | None = None,
        cache: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> MultipleChoiceModelOutput | tuple[Any, ...]:
        """Return the scores of C choices, (B, C), and with labels the loss.

        All inputs have the choices as their second axis, (B, C, L) or (B, C, L, E).

        Args:
            lengths: (B, C). `transformers` ignores them; so does this where the shape is another.
            labels: the right choice, (B,).
        """
        n_choices, flat = _flattened(
            {
                "input_ids": input_ids,
                "attention_mask": attention_mask,
                "langs": langs,
                "token_type_ids": token_type_ids,
                "position_ids": position_ids,
                "lengths": lengths,
                "inputs_embeds": inputs_embeds,
            }
        )
        states = self._states(
            **flat,
            cache=cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        hidden = states.last_hidden_state  # (B * C, L, E)
        told = (flat["input_ids"], flat["attention_mask"], flat["lengths"])
        summary = self.sequence_summary(hidden, counted_states(self.transformer, hidden, *told))
        logits = self.logits_proj(summary).view(-1, n_choices)
        loss = None if labels is None else functional.cross_entropy(logits, labels)
        return self._result(_with(states, MultipleChoiceModelOutput, loss, logits), return_dict)


def _with(
    states: XLMModelOutput, kind: type[ModelOutput], loss: Tensor | None, logits: Tensor
) -> ModelOutput:
    """Return an output of this kind."""
    return kind(
        loss=loss, logits=logits, hidden_states=states.hidden_states, attentions=states.attentions
    )


def _flattened(inputs: dict[str, Tensor | None]) -> tuple[int, dict[str, Tensor | None]]:
    """Return the number of choices, and the inputs with rows and choices on one axis."""
    given = inputs["input_ids"] if inputs["input_ids"] is not None else inputs["inputs_embeds"]
    if given is None:
        raise ValueError("Give either input_ids or inputs_embeds.")
    lengths = inputs["lengths"]
    if lengths is not None and lengths.shape != given.shape[:2]:
        warnings.warn(
            f"lengths is ignored: its shape is {tuple(lengths.shape)}, but multiple choice needs "
            f"{tuple(given.shape[:2])}, a length for every choice.",
            stacklevel=3,
        )
        inputs = {**inputs, "lengths": None}
    langs = inputs["langs"]
    if langs is not None and langs.dim() == 1:  # one for every row
        inputs = {**inputs, "langs": langs[:, None].expand(given.shape[:2])}
    flat = {name: None if part is None else part.flatten(0, 1) for name, part in inputs.items()}
    return given.shape[1], flat
