"""What sits on the Transformer: word prediction and classification.

Parameters carry Hugging Face's names (`transformer`, `pred_layer`, `sequence_summary`).
Shapes: B sequences, L positions, E width, N predicted positions, V words, C classes.
"""

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from xlmkit.core.errors import UserError
from xlmkit.model.attention import real_tokens
from xlmkit.model.config import Architecture
from xlmkit.model.cross_entropy import linear_cross_entropy
from xlmkit.model.dropout import dropout
from xlmkit.model.transformer import Transformer


class PredictionLayer(nn.Module):
    """A linear layer onto the vocabulary; its owner may tie the weight to the word embeddings."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.proj = nn.Linear(architecture.emb_dim, architecture.n_words)
        nn.init.zeros_(self.proj.bias)

    def forward(self, hidden_NE: Tensor) -> Tensor:
        """Return the scores of all words, (..., E) to (..., V)."""
        scores_NV: Tensor = self.proj(hidden_NE)
        return scores_NV

    def loss(
        self, hidden_NE: Tensor, targets_N: Tensor, smoothing: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Return -log p(target) of each position, (N,), and whether it was the best word, (N,).

        With `smoothing`, so much of the target's probability is spread evenly over all words.
        """
        weight_VE, bias_V = self.proj.weight, self.proj.bias
        return linear_cross_entropy(hidden_NE, weight_VE, bias_V, targets_N, smoothing)


class AdaptivePredictionLayer(nn.Module):
    """Word prediction by adaptive softmax: rare words in clusters of smaller width.

    Grave et al. 2017, "Efficient softmax approximation for GPUs". Not tied to the embeddings.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.proj = nn.AdaptiveLogSoftmaxWithLoss(
            architecture.emb_dim,
            architecture.n_words,
            list(architecture.asm_cutoffs),
            div_value=architecture.asm_div_value,
            head_bias=True,
        )

    def forward(self, hidden_NE: Tensor) -> Tensor:
        """Return the log-probabilities of all words, (..., E) to (..., V)."""
        scores_NV = self.proj.log_prob(hidden_NE.flatten(0, -2))
        return scores_NV.view(*hidden_NE.shape[:-1], -1)

    def loss(
        self, hidden_NE: Tensor, targets_N: Tensor, smoothing: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Return -log p(target) of each position, (N,), and whether it was the best word, (N,).

        Raises:
            UserError: `smoothing` is asked for, which would need the scores of all words.
        """
        if smoothing:
            raise UserError(
                "A model with an adaptive softmax cannot be trained with label smoothing; set "
                "label_smoothing: 0."
            )
        target_log_probability_N = self.proj(hidden_NE, targets_N).output
        best_N = self.proj.predict(hidden_NE.detach())
        return -target_log_probability_N.float(), best_N == targets_N


def prediction_layer(architecture: Architecture) -> PredictionLayer | AdaptivePredictionLayer:
    """Return the kind of word prediction that the architecture asks for."""
    return (AdaptivePredictionLayer if architecture.asm else PredictionLayer)(architecture)


class LanguageModel(nn.Module):
    """Transformer and word prediction; the projection runs only where a word is asked for."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.transformer = Transformer(architecture)
        self.pred_layer = prediction_layer(architecture)
        if architecture.tied:
            self.pred_layer.proj.weight = self.transformer.embeddings.weight

    @classmethod
    def of(
        cls, transformer: Transformer, pred_layer: PredictionLayer | AdaptivePredictionLayer
    ) -> Self:
        """Join modules of another model, which keeps them as well."""
        model = cls.__new__(cls)
        nn.Module.__init__(model)
        model.transformer, model.pred_layer = transformer, pred_layer
        return model

    def forward(
        self,
        tokens_BL: Tensor,
        lengths_B: Tensor,
        positions_BL: Tensor | None,
        languages_BL: Tensor | None,
        predict_N: Tensor,
        targets_N: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return the loss at the flat positions `predict_N` of the (B * L) tokens.

        Returns:
            -log p(target) in nats, (N,), float32; whether the target was the best word, (N,), bool.
        """
        hidden_BLE = self.transformer(tokens_BL, lengths_B, positions_BL, languages_BL)
        # index_select, since its gradient on a CPU is several times faster than indexing's.
        hidden_NE = hidden_BLE.flatten(0, 1).index_select(0, predict_N)
        return self.pred_layer.loss(hidden_NE, targets_N)


class SequenceSummary(nn.Module):
    """One vector or class scores for a sequence, as Hugging Face's module of this name.

    Args:
        emb_dim: width of the states.
        n_outputs: width of the result; None keeps the state as it is.
        summary_type: the `first` state, the `last`, the one at `cls_index`, or the `mean`.
        activation: applied to the result.
        dropout: before the projection.
        last_dropout: after the activation.
    """

    def __init__(
        self,
        emb_dim: int,
        n_outputs: int | None,
        dropout: float = 0.1,
        summary_type: str = "first",
        activation: Callable[[Tensor], Tensor] | None = None,
        last_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.summary = nn.Identity() if n_outputs is None else nn.Linear(emb_dim, n_outputs)
        self.activation = activation
        self.dropout, self.last_dropout = dropout, last_dropout
        self.summary_type = summary_type

    def forward(
        self, hidden_BLE: Tensor, keep_BL: Tensor | None = None, cls_index_B: Tensor | None = None
    ) -> Tensor:
        """Return the results, (B, n_outputs).

        Args:
            hidden_BLE: states, (B, L, E).
            keep_BL: True at the tokens that count, (B, L); None counts all.
            cls_index_B: the state to take for the type `cls_index`; None takes the last.
        """
        pooled_BE = self._pool(hidden_BLE, keep_BL, cls_index_B)
        pooled_BE = dropout(pooled_BE, self.dropout, training=self.training)
        scores_BC: Tensor = self.summary(pooled_BE)
        if self.activation is not None:
            scores_BC = self.activation(scores_BC)
        return dropout(scores_BC, self.last_dropout, training=self.training)

    def _pool(
        self, hidden_BLE: Tensor, keep_BL: Tensor | None, cls_index_B: Tensor | None
    ) -> Tensor:
        rows = torch.arange(hidden_BLE.shape[0], device=hidden_BLE.device)
        if self.summary_type == "mean":
            if keep_BL is None:
                return hidden_BLE.mean(dim=1)
            return masked_mean(hidden_BLE, keep_BL).to(hidden_BLE.dtype)
        if self.summary_type == "first":
            return hidden_BLE[:, 0] if keep_BL is None else hidden_BLE[rows, first_kept(keep_BL)]
        if self.summary_type == "cls_index" and cls_index_B is not None:
            return hidden_BLE[rows, cls_index_B]
        if keep_BL is None:
            return hidden_BLE[:, -1]
        return hidden_BLE[rows, keep_BL.shape[1] - 1 - first_kept(keep_BL.flip(1))]


class SequenceClassifier(nn.Module):
    """Transformer and class scores from the first state (or the mean of the states)."""

    def __init__(
        self,
        architecture: Architecture,
        n_classes: int,
        *,
        dropout: float = 0.1,
        summary_type: str = "first",
    ) -> None:
        super().__init__()
        self.transformer = Transformer(architecture)
        self.sequence_summary = SequenceSummary(
            architecture.emb_dim, n_classes, dropout, summary_type
        )

    def forward(
        self,
        tokens_BL: Tensor,
        lengths_B: Tensor,
        positions_BL: Tensor | None = None,
        languages_BL: Tensor | None = None,
    ) -> Tensor:
        """Return class scores, (B, C)."""
        hidden_BLE = self.transformer(tokens_BL, lengths_B, positions_BL, languages_BL)
        keep_BL = real_tokens(lengths_B, tokens_BL.shape[1])
        scores_BC: Tensor = self.sequence_summary(hidden_BLE, keep_BL)
        return scores_BC


class TokenClassifier(nn.Module):
    """Transformer and class scores of every token, by Hugging Face's names of parameters."""

    def __init__(self, architecture: Architecture, n_classes: int, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.transformer = Transformer(architecture)
        self.dropout = dropout
        self.classifier = nn.Linear(architecture.emb_dim, n_classes)

    def forward(
        self,
        tokens_BL: Tensor,
        lengths_B: Tensor,
        positions_BL: Tensor | None = None,
        languages_BL: Tensor | None = None,
    ) -> Tensor:
        """Return class scores, (B, L, C)."""
        hidden_BLE = self.transformer(tokens_BL, lengths_B, positions_BL, languages_BL)
        scores_BLC: Tensor = self.classifier(
            dropout(hidden_BLE, self.dropout, training=self.training)
        )
        return scores_BLC


def first_kept(keep_BL: Tensor) -> Tensor:
    """Return the place of the first True in each row, 0 if there is none, (B,)."""
    return keep_BL.int().argmax(dim=1)


def mean_pool(hidden_BLE: Tensor, lengths_B: Tensor) -> Tensor:
    """Average the states of the real tokens, (B, L, E) to (B, E), in float32."""
    return masked_mean(hidden_BLE, real_tokens(lengths_B, hidden_BLE.shape[1]))


def masked_mean(hidden_BLE: Tensor, keep_BL: Tensor) -> Tensor:
    """Average the states of the tokens that are kept, (B, L, E) to (B, E), in float32."""
    total_BE = torch.einsum("ble,bl->be", hidden_BLE.float(), keep_BL.to(torch.float32))
    return total_BE / keep_BL.sum(dim=1, keepdim=True).clamp(min=1)
