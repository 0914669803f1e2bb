"""What the classes return: `transformers`' output classes, and those that it lacks for XLM."""

from dataclasses import dataclass

from torch import Tensor
from transformers.cache_utils import Cache
from transformers.modeling_outputs import BaseModelOutput, MaskedLMOutput
from transformers.utils.generic import ModelOutput

States = tuple[Tensor, ...]


class _WithCache:
    """The cache by its older name as well."""

    cache: Cache | None

    @property
    def past_key_values(self) -> Cache | None:
        """The cache, as it was called before."""
        return self.cache


@dataclass
class XLMModelOutput(_WithCache, BaseModelOutput):
    """`BaseModelOutput` with what a decoder adds.

    Attributes:
        last_hidden_state: (B, L, E).
        hidden_states: the embeddings' output and every layer's, (B, L, E) each.
        attentions: of every layer, (B, H, L, K).
        cross_attentions: of a decoder, to its source, (B, H, L, S).
        cache: keys and values, if asked for.
    """

    last_hidden_state: Tensor = None  # type: ignore[assignment]
    cross_attentions: States | None = None
    cache: Cache | None = None


@dataclass
class XLMLanguageModelOutput(_WithCache, MaskedLMOutput):
    """`MaskedLMOutput` with the cache of a causal model."""

    cache: Cache | None = None


@dataclass
class XLMConditionalGenerationOutput(_WithCache, ModelOutput):
    """What the encoder-decoder returns; names as in `transformers`' `Seq2SeqLMOutput`.

    Attributes:
        loss: mean over the labels that count.
        logits: scores of words, (B, L, V).
        cache: keys and values of target and source, if asked for.
        decoder_hidden_states: the decoder's embeddings' output and every layer's, (B, L, E).
        decoder_attentions: of every layer to the target, (B, H, L, K).
        cross_attentions: of every layer to the source, (B, H, L, S).
        encoder_last_hidden_state: (B, S, E).
        encoder_hidden_states: the encoder's embeddings' output and every layer's.
        encoder_attentions: of the encoder's layers, (B, H, S, S).
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    cache: Cache | None = None
    decoder_hidden_states: States | None = None
    decoder_attentions: States | None = None
    cross_attentions: States | None = None
    encoder_last_hidden_state: Tensor | None = None
    encoder_hidden_states: States | None = None
    encoder_attentions: States | None = None


@dataclass
class XLMForQuestionAnsweringOutput(ModelOutput):
    """Spans that the beam head found, or the loss.

    Attributes:
        loss: mean of the start's and the end's, plus half of the answerability's; only if start and
            end positions were given, and then only this is given besides states and attentions.
        start_top_log_probs: probabilities of the best starts, (B, start_n_top). Hugging Face's name
            says logarithms, its values are none.
        start_top_index: their places.
        end_top_log_probs: probabilities of the best ends of each start, (B, start_n_top *
            end_n_top), by end and then by start.
        end_top_index: their places.
        cls_logits: score for there being no answer, (B,).
        hidden_states: as in `XLMModelOutput`.
        attentions: as in `XLMModelOutput`.
    """

    loss: Tensor | None = None
    start_top_log_probs: Tensor | None = None
    start_top_index: Tensor | None = None
    end_top_log_probs: Tensor | None = None
    end_top_index: Tensor | None = None
    cls_logits: Tensor | None = None
    hidden_states: States | None = None
    attentions: States | None = None
