"""The XLM encoder: token, position and language embeddings, then post-norm Transformer layers.

Conneau & Lample 2019, "Cross-lingual Language Model Pretraining". Parameters carry the names of the
original and of Hugging Face, so that a state dictionary is a checkpoint.

Shapes: B sequences, L positions, E width, V words.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from xlmkit.model.attention import Attend, MultiHeadAttention, attention_mask
from xlmkit.model.cache import Past
from xlmkit.model.config import Architecture
from xlmkit.model.dropout import dropout, normed_sum
from xlmkit.model.look_up import look_up
from xlmkit.model.memory import ProductKeyMemory
from xlmkit.model.packing import Packing
from xlmkit.model.positions import sinusoidal_positions


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every layer is given beside the states.

    Attributes:
        mask: which keys a query may see, True where allowed, (B, 1, L or 1, K); None for all.
        causal: without a mask, see nothing later.
        keep: 1 at real tokens, (B, L, 1); the states of others become zero. None leaves them.
        source_mask: which positions of a source may be seen, (B, 1, 1, K); None for all.
        past: what was computed for earlier positions.
        attend: how attention is computed; None chooses by the device.
    """

    mask: Tensor | None
    causal: bool
    keep: Tensor | None = None
    source_mask: Tensor | None = None
    past: Past | None = None
    attend: Attend | None = None


class TransformerLayers:
    """The embeddings and layers of XLM, for a class that is an `nn.Module` as well.

    Apart from `Transformer`, since Hugging Face's classes hold the same modules under the same
    names, but are made by another constructor.
    """

    architecture: Architecture
    training: bool
    gradient_checkpointing = False

    def build(self, architecture: Architecture) -> None:
        """Make the modules."""
        a = self.architecture = architecture
        self.position_embeddings = nn.Embedding(a.max_position_embeddings, a.emb_dim)
        if a.n_langs > 1 and a.use_lang_emb:
            self.lang_embeddings = nn.Embedding(a.n_langs, a.emb_dim)
        self.embeddings = nn.Embedding(a.n_words, a.emb_dim, padding_idx=a.pad_index)
        self.layer_norm_emb = nn.LayerNorm(a.emb_dim, eps=a.layer_norm_eps)
        layers = range(a.n_layers)
        self.attentions = nn.ModuleList(
            MultiHeadAttention(a.n_heads, a.emb_dim, a.attention_dropout, layer) for layer in layers
        )
        self.layer_norm1 = _norms(a)
        if a.is_decoder:
            self.encoder_attn = nn.ModuleList(
                MultiHeadAttention(a.n_heads, a.emb_dim, a.attention_dropout, layer)
                for layer in layers
            )
            self.layer_norm15 = _norms(a)
        inside = {layer for layer, place in a.memory.positions if place == "in"} if a.memory else ()
        # Keyed by the layer's number, since a memory may stand in a layer's place.
        self.ffns = nn.ModuleDict(
            {
                str(layer): FeedForward(a.emb_dim, gelu=a.gelu_activation)
                for layer in layers
                if layer not in inside
            }
        )
        self.layer_norm2 = _norms(a)
        self.memories = nn.ModuleDict()
        if a.memory is not None:
            for layer, place in a.memory.positions:
                self.memories[f"{layer}_{place}"] = ProductKeyMemory(a.emb_dim, a.memory)
        if a.sinusoidal_embeddings:
            self.position_embeddings.weight.requires_grad_(False)

    def embed(
        self,
        embedded_BLE: Tensor,
        positions_BL: Tensor | None,
        languages_BL: Tensor | None,
    ) -> Tensor:
        """Add positions and languages to the embeddings of words, (B, L, E).

        Args:
            embedded_BLE: words, (B, L, E).
            positions_BL: position ids, (B, L); by default 0 to L - 1.
            languages_BL: language ids, (B, L); without them no language embedding is added.
        """
        if positions_BL is None:
            positions_BL = torch.arange(embedded_BLE.shape[1], device=embedded_BLE.device)[None]
        hidden_BLE = embedded_BLE + look_up(self.position_embeddings, positions_BL, "position")
        if languages_BL is not None and hasattr(self, "lang_embeddings"):
            hidden_BLE = hidden_BLE + look_up(self.lang_embeddings, languages_BL, "language")
        return self._dropout(self.layer_norm_emb(hidden_BLE))

    def layer(
        self, number: int, hidden_BLE: Tensor, source_BKE: Tensor | None, around: Surroundings
    ) -> Tensor:
        """Apply one layer, (B, L, E) to (B, L, E); `source_BKE` is what a decoder attends to."""
        attended = self.attentions[number](
            hidden_BLE,
            around.mask,
            causal=around.causal,
            past=around.past,
            attend=around.attend,
        )
        hidden_BLE = self._normed(self.layer_norm1[number], hidden_BLE, attended)
        if source_BKE is not None:
            attended = self.encoder_attn[number](
                hidden_BLE,
                around.source_mask,
                causal=False,
                source_BKE=source_BKE,
                past=around.past,
                attend=around.attend,
            )
            hidden_BLE = self._normed(self.layer_norm15[number], hidden_BLE, attended)
        if (memory := f"{number}_in") in self.memories:
            hidden_BLE = self.layer_norm2[number](hidden_BLE + self.memories[memory](hidden_BLE))
        else:
            inner = self.ffns[str(number)](hidden_BLE)
            hidden_BLE = self._normed(self.layer_norm2[number], hidden_BLE, inner)
        if (memory := f"{number}_after") in self.memories:
            hidden_BLE = hidden_BLE + self.memories[memory](hidden_BLE)
        return hidden_BLE if around.keep is None else hidden_BLE * around.keep

    def layers(
        self, hidden_BLE: Tensor, source_BKE: Tensor | None, around: Surroundings
    ) -> Iterator[Tensor]:
        """Yield the states after every layer, (B, L, E)."""
        for number in range(len(self.attentions)):
            if self.gradient_checkpointing and self.training and around.past is None:
                hidden_BLE = self.recompute(self.layer, number, hidden_BLE, source_BKE, around)
            else:
                hidden_BLE = self.layer(number, hidden_BLE, source_BKE, around)
            yield hidden_BLE

    def recompute(self, function: Callable[..., Tensor], *arguments: object) -> Tensor:
        """Call a function and forget what it computed inside until the gradient asks for it."""
        result: Tensor = checkpoint(function, *arguments, use_reentrant=False)
        return result

    def _normed(self, norm: nn.Module, hidden: Tensor, added: Tensor) -> Tensor:
        rate = self.architecture.dropout
        return normed_sum(norm, hidden, added, rate, training=self.training)

    def _dropout(self, hidden: Tensor) -> Tensor:
        return dropout(hidden, self.architecture.dropout, training=self.training)


def _norms(a: Architecture) -> nn.ModuleList:
    return nn.ModuleList(nn.LayerNorm(a.emb_dim, eps=a.layer_norm_eps) for _ in range(a.n_layers))


class Transformer(TransformerLayers, nn.Module):
    """XLM's encoder; with `causal` in the architecture, a left-to-right language model.

    Attributes:
        packs: compute without padding; same results, faster the more the lengths differ.
    """

    packs = False

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.build(architecture)
        self._initialize()

    def _initialize(self) -> None:
        """Fresh embeddings as in the original; linear layers keep torch's initialisation."""
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=self.architecture.embed_init_std)
        with torch.no_grad():
            self.embeddings.weight[self.architecture.pad_index].zero_()
            if self.architecture.sinusoidal_embeddings:
                table = sinusoidal_positions(*self.position_embeddings.weight.shape)
                self.position_embeddings.weight.copy_(table)

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
        mask_B1QK = attention_mask(lengths_B, tokens_BL.shape[1], causal=self.architecture.causal)
        if self.packs and mask_B1QK is not None:
            packing, states = self._packed(tokens_BL, lengths_B, positions_BL, languages_BL)
            return packing.unpack(deque(states, 1)[0])
        return self.run(tokens_BL, mask_B1QK, positions_BL, languages_BL)

    def run(
        self,
        tokens_BL: Tensor,
        mask_B1QK: Tensor | None,
        positions_BL: Tensor | None,
        languages_BL: Tensor | None,
    ) -> Tensor:
        """Return the last states given a mask, (B, L, E): one whole graph for a compiler."""
        words_BLE = look_up(self.embeddings, tokens_BL, "token")
        hidden_BLE = self.embed(words_BLE, positions_BL, languages_BL)
        around = Surroundings(mask=mask_B1QK, causal=self.architecture.causal)
        for state_BLE in self.layers(hidden_BLE, None, around):
            hidden_BLE = state_BLE
        return hidden_BLE

    def states(
        self,
        tokens_BL: Tensor,
        lengths_B: Tensor,
        positions_BL: Tensor | None = None,
        languages_BL: Tensor | None = None,
    ) -> list[Tensor]:
        """Return the embeddings' output and every layer's, `n_layers + 1` tensors (B, L, E)."""
        return list(self.each_state(tokens_BL, lengths_B, positions_BL, languages_BL))

    def each_state(
        self,
        tokens_BL: Tensor,
        lengths_B: Tensor,
        positions_BL: Tensor | None = None,
        languages_BL: Tensor | None = None,
    ) -> Iterator[Tensor]:
        """Yield what `states` returns; who stops early saves the layers that follow."""
        causal = self.architecture.causal
        mask_B1QK = attention_mask(lengths_B, tokens_BL.shape[1], causal=causal)
        if self.packs and mask_B1QK is not None:
            packing, states = self._packed(tokens_BL, lengths_B, positions_BL, languages_BL)
            yield from map(packing.unpack, states)
            return
        words_BLE = look_up(self.embeddings, tokens_BL, "token")
        hidden_BLE = self.embed(words_BLE, positions_BL, languages_BL)
        yield hidden_BLE
        yield from self.layers(hidden_BLE, None, Surroundings(mask=mask_B1QK, causal=causal))

    def _packed(
        self,
        tokens_BL: Tensor,
        lengths_B: Tensor,
        positions_BL: Tensor | None,
        languages_BL: Tensor | None,
    ) -> tuple[Packing, Iterator[Tensor]]:
        """Return how the batch is packed, and its states as `each_state` yields them, (1, N, E)."""
        if positions_BL is None:
            places_L = torch.arange(tokens_BL.shape[1], device=tokens_BL.device)
            positions_BL = places_L.expand_as(tokens_BL)
        packing = Packing(lengths_B, tokens_BL.shape[1])
        hidden_1NE = self.embed(
            look_up(self.embeddings, packing.pack(tokens_BL), "token"),
            packing.pack(positions_BL),
            None if languages_BL is None else packing.pack(languages_BL),
        )
        around = Surroundings(mask=None, causal=self.architecture.causal, attend=packing.attend)
        return packing, chain([hidden_1NE], self.layers(hidden_1NE, None, around))
