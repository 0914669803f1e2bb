"""The XLM encoder: token, position and language embeddings, then post-norm Transformer layers.

Conneau & Lample 2019, "Cross-lingual Language Model Pretraining". Parameters carry the names of the
original and of Hugging Face, so that a state dictionary is a checkpoint.

Shapes: B sequences, L positions, E width, V words.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlmkit.model.attention import MultiHeadAttention, attention_mask
from xlmkit.model.config import Architecture
from xlmkit.model.dropout import dropout
from xlmkit.model.memory import ProductKeyMemory

PAD_INDEX = 2


class FeedForward(nn.Module):
    """Two linear layers with a non-linearity, four times as wide inside."""

    def __init__(self, emb_dim: int, *, gelu: bool) -> None:
        super().__init__()
        self.lin1 = nn.Linear(emb_dim, 4 * emb_dim)
        self.lin2 = nn.Linear(4 * emb_dim, emb_dim)
        self.gelu = gelu

    def forward(self, hidden_BLE: Tensor) -> Tensor:
        """Transform every position by itself, (B, L, E) to (B, L, E)."""
        inner = self.lin1(hidden_BLE)  # (B, L, 4E)
        inner = functional.gelu(inner) if self.gelu else functional.relu(inner)
        output_BLE: Tensor = self.lin2(inner)
        return output_BLE


class Transformer(nn.Module):
    """XLM's encoder; with `causal` in the architecture, a left-to-right language model."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        a = self.architecture = architecture
        self.position_embeddings = nn.Embedding(a.max_position_embeddings, a.emb_dim)
        if a.n_langs > 1 and a.use_lang_emb:
            self.lang_embeddings = nn.Embedding(a.n_langs, a.emb_dim)
        self.embeddings = nn.Embedding(a.n_words, a.emb_dim, padding_idx=PAD_INDEX)
        self.layer_norm_emb = nn.LayerNorm(a.emb_dim, eps=a.layer_norm_eps)
        layers = range(a.n_layers)
        self.attentions = nn.ModuleList(
            MultiHeadAttention(a.n_heads, a.emb_dim, a.attention_dropout) for _ in layers
        )
        self.layer_norm1 = nn.ModuleList(
            nn.LayerNorm(a.emb_dim, eps=a.layer_norm_eps) for _ in layers
        )
        inside = {layer for layer, place in a.memory.positions if place == "in"} if a.memory else ()
        # Keyed by the layer's number, since a memory may stand in a layer's place.
        self.ffns = nn.ModuleDict(
            {
                str(i): FeedForward(a.emb_dim, gelu=a.gelu_activation)
                for i in layers
                if i not in inside
            }
        )
        self.layer_norm2 = nn.ModuleList(
            nn.LayerNorm(a.emb_dim, eps=a.layer_norm_eps) for _ in layers
        )
        self.memories = nn.ModuleDict()
        if a.memory is not None:
            for layer, place in a.memory.positions:
                self.memories[f"{layer}_{place}"] = ProductKeyMemory(a.emb_dim, a.memory)
        self._initialize()

    def _initialize(self) -> None:
        """Fresh embeddings as in the original; linear layers keep torch's initialisation."""
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=self.architecture.embed_init_std)
        with torch.no_grad():
            self.embeddings.weight[PAD_INDEX].zero_()
            if self.architecture.sinusoidal_embeddings:
                table = sinusoidal_positions(*self.position_embeddings.weight.shape)
                self.position_embeddings.weight.copy_(table)
                self.position_embeddings.weight.requires_grad_(False)

    def forward(
        self,
        tokens_BL: Tensor,
        lengths_B: Tensor,
        positions_BL: Tensor | None = None,
        languages_BL: Tensor | None = None,
    ) -> Tensor:
        """Return the states after the last layer.

        Args:
            tokens_BL: token ids, padded on the right, (B, L).
            lengths_B: real tokens of each sequence, (B,).
            positions_BL: position ids, (B, L); by default 0 to L - 1.
            languages_BL: language ids, (B, L); without them no language embedding is added.

        Returns:
            (B, L, E); states at padding are meaningless.
        """
        return self.states(tokens_BL, lengths_B, positions_BL, languages_BL)[-1]

    def states(
        self,
        tokens_BL: Tensor,
        lengths_B: Tensor,
        positions_BL: Tensor | None = None,
        languages_BL: Tensor | None = None,
    ) -> list[Tensor]:
        """Return the embeddings' output and every layer's, `n_layers + 1` tensors (B, L, E)."""
        a = self.architecture
        mask_B1QK = attention_mask(lengths_B, tokens_BL.shape[1], causal=a.causal)
        hidden_BLE = self._embed(tokens_BL, positions_BL, languages_BL)
        states = [hidden_BLE]
        for layer, (attention, norm1, norm2) in enumerate(
            zip(self.attentions, self.layer_norm1, self.layer_norm2, strict=True)
        ):
            attended = self._dropout(attention(hidden_BLE, mask_B1QK, causal=a.causal))
            hidden_BLE = norm1(hidden_BLE + attended)
            hidden_BLE = norm2(hidden_BLE + self._inner(layer, hidden_BLE))
            if (memory := f"{layer}_after") in self.memories:
                hidden_BLE = hidden_BLE + self.memories[memory](hidden_BLE)
            states.append(hidden_BLE)
        return states

    def _inner(self, layer: int, hidden_BLE: Tensor) -> Tensor:
        """Apply the layer's feed-forward part, or the memory that stands in its place."""
        if (memory := f"{layer}_in") in self.memories:
            read_BLE: Tensor = self.memories[memory](hidden_BLE)
            return read_BLE
        return self._dropout(self.ffns[str(layer)](hidden_BLE))

    def _embed(
        self, tokens_BL: Tensor, positions_BL: Tensor | None, languages_BL: Tensor | None
    ) -> Tensor:
        if positions_BL is None:
            positions = self.position_embeddings.weight[: tokens_BL.shape[1]]  # (L, E)
        else:
            positions = self.position_embeddings(positions_BL)  # (B, L, E)
        hidden_BLE = self.embeddings(tokens_BL) + positions
        if languages_BL is not None and hasattr(self, "lang_embeddings"):
            hidden_BLE = hidden_BLE + self.lang_embeddings(languages_BL)
        return self._dropout(self.layer_norm_emb(hidden_BLE))

    def _dropout(self, hidden: Tensor) -> Tensor:
        return dropout(hidden, self.architecture.dropout, training=self.training)


def sinusoidal_positions(n_positions: int, emb_dim: int) -> Tensor:
    """Return Vaswani et al.'s fixed position table, sines at even and cosines at odd columns.

    Returns:
        (n_positions, emb_dim), float32.
    """
    place = torch.arange(n_positions, dtype=torch.float64)[:, None]
    column = torch.arange(emb_dim) // 2 * 2
    angle = place * torch.exp(column * (-math.log(10000.0) / emb_dim))  # (n_positions, emb_dim)
    table = torch.where(torch.arange(emb_dim) % 2 == 0, angle.sin(), angle.cos())
    return table.float()
