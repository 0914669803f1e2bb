"""The Transformer with either head that finds answers, by the names of Hugging Face's classes."""

from torch import Tensor, nn

from xlmkit.model.config import Architecture
from xlmkit.model.span_heads import BeamSpanHead
from xlmkit.model.transformer import Transformer


class SimpleAnswerer(nn.Module):
    """Scores of every token for beginning and for ending the answer (Devlin et al. 2019)."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.transformer = Transformer(architecture)
        self.qa_outputs = nn.Linear(architecture.emb_dim, 2)

    def forward(
        self,
        tokens_BL: Tensor,
        lengths_B: Tensor,
        positions_BL: Tensor | None = None,
        languages_BL: Tensor | None = None,
    ) -> Tensor:
        """Return the scores of starts and ends, (B, L, 2)."""
        scores_BLS: Tensor = self.qa_outputs(
            self.transformer(tokens_BL, lengths_B, positions_BL, languages_BL)
        )
        return scores_BLS


class BeamAnswerer(nn.Module):
    """The best starts, their best ends, and whether there is an answer (Yang et al. 2019)."""

    def __init__(self, architecture: Architecture, *, start_n_top: int, end_n_top: int) -> None:
        super().__init__()
        self.transformer = Transformer(architecture)
        self.qa_outputs = BeamSpanHead(
            architecture.emb_dim,
            layer_norm_eps=architecture.layer_norm_eps,
            start_n_top=start_n_top,
            end_n_top=end_n_top,
        )

    def forward(
        self,
        tokens_BL: Tensor,
        lengths_B: Tensor,
        positions_BL: Tensor | None = None,
        languages_BL: Tensor | None = None,
    ) -> Tensor:
        """Return the states that the head reads, (B, L, E)."""
        hidden_BLE: Tensor = self.transformer(tokens_BL, lengths_B, positions_BL, languages_BL)
        return hidden_BLE


Answerer = SimpleAnswerer | BeamAnswerer
