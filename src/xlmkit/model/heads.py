"""What sits on the Transformer: word prediction and classification.

Parameters carry Hugging Face's names (`transformer`, `pred_layer`, `sequence_summary`).
Shapes: B sequences, L positions, E width, N predicted positions, V words, C classes.
"""

import torch
from torch import Tensor, nn

from xlmkit.model.config import Architecture
from xlmkit.model.cross_entropy import linear_cross_entropy
from xlmkit.model.dropout import dropout
from xlmkit.model.transformer import Transformer


class PredictionLayer(nn.Module):
    """A linear layer onto the vocabulary, its weight tied to the word embeddings."""

    def __init__(self, embeddings: nn.Embedding) -> None:
        super().__init__()
        self.proj = nn.Linear(embeddings.embedding_dim, embeddings.num_embeddings)
        nn.init.zeros_(self.proj.bias)
        self.proj.weight = embeddings.weight

    def forward(self, hidden_NE: Tensor) -> Tensor:
        """Return the scores of all words, (N, E) to (N, V)."""
        scores_NV: Tensor = self.proj(hidden_NE)
        return scores_NV

    def loss(self, hidden_NE: Tensor, targets_N: Tensor) -> tuple[Tensor, Tensor]:
        """Return -log p(target) of each position, (N,), and whether it was the best word, (N,)."""
        return linear_cross_entropy(hidden_NE, self.proj.weight, self.proj.bias, targets_N)


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
        """Return the log-probabilities of all words, (N, V)."""
        return self.proj.log_prob(hidden_NE)

    def loss(self, hidden_NE: Tensor, targets_N: Tensor) -> tuple[Tensor, Tensor]:
        """Return -log p(target) of each position, (N,), and whether it was the best word, (N,)."""
        target_log_probability_N = self.proj(hidden_NE, targets_N).output
        best_N = self.proj.predict(hidden_NE.detach())
        return -target_log_probability_N.float(), best_N == targets_N


class LanguageModel(nn.Module):
    """Transformer and word prediction; the projection runs only where a word is asked for."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.transformer = Transformer(architecture)
        self.pred_layer: PredictionLayer | AdaptivePredictionLayer
        if architecture.asm:
            self.pred_layer = AdaptivePredictionLayer(architecture)
        else:
            self.pred_layer = PredictionLayer(self.transformer.embeddings)

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
    """Class scores from a sequence's states, as Hugging Face's module of this name."""

    def __init__(self, emb_dim: int, n_classes: int, dropout: float, summary_type: str) -> None:
        super().__init__()
        self.summary = nn.Linear(emb_dim, n_classes)
        self.dropout = dropout
        self.summary_type = summary_type

    def forward(self, hidden_BLE: Tensor, lengths_B: Tensor) -> Tensor:
        """Return class scores, (B, C)."""
        if self.summary_type == "first":
            pooled_BE = hidden_BLE[:, 0]
        else:
            pooled_BE = mean_pool(hidden_BLE, lengths_B).to(hidden_BLE.dtype)
        pooled_BE = dropout(pooled_BE, self.dropout, training=self.training)
        scores_BC: Tensor = self.summary(pooled_BE)
        return scores_BC


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
        scores_BC: Tensor = self.sequence_summary(hidden_BLE, lengths_B)
        return scores_BC


def mean_pool(hidden_BLE: Tensor, lengths_B: Tensor) -> Tensor:
    """Average the states of the real tokens, (B, L, E) to (B, E), in float32."""
    place_L = torch.arange(hidden_BLE.shape[1], device=hidden_BLE.device)
    keep_BL = (place_L < lengths_B[:, None]).to(torch.float32)
    total_BE = torch.einsum("ble,bl->be", hidden_BLE.float(), keep_BL)
    return total_BE / lengths_B[:, None]
