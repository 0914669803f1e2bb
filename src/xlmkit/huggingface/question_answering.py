"""Answers in a text as Hugging Face's classes; arguments as in `XLMModel`, and the positions."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.cache_utils import Cache
from transformers.modeling_outputs import QuestionAnsweringModelOutput

from xlmkit.huggingface.base import XLMHeadedModel, XLMModel
from xlmkit.huggingface.configuration import XLMConfig
from xlmkit.huggingface.outputs import XLMForQuestionAnsweringOutput, XLMModelOutput
from xlmkit.model.span_heads import BeamSpanHead


class XLMForQuestionAnsweringSimple(XLMHeadedModel):
    """Scores of every token for beginning and for ending the answer."""

    def __init__(self, config: XLMConfig) -> None:
        super().__init__(config)
        self.transformer = XLMModel(self.config)
        self.qa_outputs = nn.Linear(self.config.emb_dim, self.config.n_labels)
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
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> QuestionAnsweringModelOutput | tuple[Any, ...]:
        """Return scores of starts and ends, (B, L) each, and with positions the loss.

        Args:
            start_positions: place of the answer's first token, (B,); one beyond the text does not
                count.
            end_positions: place of its last, (B,).
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
        start_BL, end_BL = self.qa_outputs(states.last_hidden_state).unbind(dim=-1)
        loss = None
        if start_positions is not None and end_positions is not None:
            loss = (_place_loss(start_BL, start_positions) + _place_loss(end_BL, end_positions)) / 2
        output = QuestionAnsweringModelOutput(
            loss=loss,
            start_logits=start_BL.contiguous(),
            end_logits=end_BL.contiguous(),
            hidden_states=states.hidden_states,
            attentions=states.attentions,
        )
        return self._result(output, return_dict)


class XLMForQuestionAnswering(XLMHeadedModel):
    """The best starts, their best ends, and whether there is an answer (the beam head of XLNet)."""

    def __init__(self, config: XLMConfig) -> None:
        super().__init__(config)
        self.transformer = XLMModel(self.config)
        self.qa_outputs = BeamSpanHead(
            self.config.emb_dim,
            layer_norm_eps=self.config.layer_norm_eps,
            start_n_top=self.config.start_n_top,
            end_n_top=self.config.end_n_top,
        )
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
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        is_impossible: Tensor | None = None,
        cls_index: Tensor | None = None,
        p_mask: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> XLMForQuestionAnsweringOutput | tuple[Any, ...]:
        """Return the best spans, or with positions the loss.

        Args:
            start_positions: place of the answer's first token, (B,).
            end_positions: place of its last, (B,).
            is_impossible: 1 where there is no answer, (B,).
            cls_index: place of the state that tells whether there is one, (B,); else the last.
            p_mask: 1 at tokens that can be no answer, (B, L).
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
        found = self._answers(
            states.last_hidden_state,
            start_positions,
            end_positions,
            _flat(is_impossible),
            _flat(cls_index),
            self._no_answers(p_mask, input_ids, attention_mask, lengths, states),
        )
        output = XLMForQuestionAnsweringOutput(
            **found, hidden_states=states.hidden_states, attentions=states.attentions
        )
        return self._result(output, return_dict)

    def _no_answers(
        self,
        p_mask: Tensor | None,
        input_ids: Tensor | None,
        attention_mask: Tensor | None,
        lengths: Tensor | None,
        states: XLMModelOutput,
    ) -> Tensor | None:
        """Return the mask with the padding in front of rows, which must not change a result."""
        B, L, _ = states.last_hidden_state.shape
        padding = self.transformer.padding(input_ids, attention_mask, lengths, (B, L))
        leading_BL = None if padding is None else padding.leading()
        if leading_BL is None:
            return p_mask
        return (
            leading_BL.float() if p_mask is None else torch.maximum(p_mask, leading_BL.to(p_mask))
        )

    def _answers(
        self,
        hidden_BLE: Tensor,
        start: Tensor | None,
        end: Tensor | None,
        is_impossible_B: Tensor | None,
        cls_index_B: Tensor | None,
        p_mask_BL: Tensor | None,
    ) -> dict[str, Tensor]:
        """Return the loss if the answer is given, else the best spans, by Hugging Face's names."""
        if start is not None and end is not None:
            loss = self.qa_outputs.loss(
                hidden_BLE,
                start.reshape(-1),
                end.reshape(-1),
                cls_index_B=cls_index_B,
                is_impossible_B=is_impossible_B,
                p_mask_BL=p_mask_BL,
            )
            return {"loss": loss}
        spans = self.qa_outputs(hidden_BLE, cls_index_B=cls_index_B, p_mask_BL=p_mask_BL)
        return {
            "start_top_log_probs": spans.start_probability,
            "start_top_index": spans.start,
            "end_top_log_probs": spans.end_probability,
            "end_top_index": spans.end,
            "cls_logits": spans.answerable,
        }


def _flat(tensor: Tensor | None) -> Tensor | None:
    """Take away the axis of 1 that parallel wrappers add."""
    return None if tensor is None else tensor.reshape(-1)


def _place_loss(scores_BL: Tensor, places: Tensor) -> Tensor:
    """Return the cross-entropy of places, of which those beyond the text do not count."""
    beyond = scores_BL.shape[1]
    return functional.cross_entropy(
        scores_BL, places.reshape(-1).clamp(0, beyond), ignore_index=beyond
    )
