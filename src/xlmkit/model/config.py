"""The shape of an XLM Transformer, under the names that XLM and Hugging Face give it."""

from dataclasses import dataclass, replace

from pydantic import Field

from xlmkit.core.config import Config
from xlmkit.core.errors import UserError


class ModelConfig(Config):
    """The recipe section `model`: the part of the shape that a person chooses."""

    n_layers: int = Field(6, ge=1)
    """Number of Transformer layers."""
    emb_dim: int = Field(512, ge=8)
    """Width of embeddings and layers; the feed-forward layers are four times as wide."""
    n_heads: int = Field(8, ge=1)
    """Attention heads; they divide emb_dim."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout after embeddings, attention and feed-forward layers."""
    attention_dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout on attention weights."""
    gelu_activation: bool = True
    """GELU in the feed-forward layers; otherwise ReLU."""
    sinusoidal_embeddings: bool = False
    """Fixed sinusoidal positions instead of learned ones."""
    use_lang_emb: bool = True
    """Add an embedding of its language to every token."""
    max_position_embeddings: int = Field(512, ge=8)
    """Longest sequence in tokens."""
    embed_init_std: float | None = Field(None, gt=0)
    """Standard deviation of fresh embeddings; by default emb_dim ** -0.5, as in the original."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryShape:
    """The shape of all memories of a model.

    Attributes:
        positions: (layer, "in") for a memory in place of that layer's feed-forward part, (layer,
            "after") for one after the layer.
        decoder_positions: the same in the decoder of an encoder-decoder.
        n_heads: independent queries of a token.
        n_keys: half keys, K.
        key_dim: width of a query, Q.
        n_neighbors: slots read by each head.
        query_sizes: widths of hidden layers that make the query.
        query_bias: whether these layers have a bias.
        query_batch_norm: whether each is followed by batch normalisation.
    """

    positions: tuple[tuple[int, str], ...]
    decoder_positions: tuple[tuple[int, str], ...] = ()
    n_heads: int = 4
    n_keys: int = 512
    key_dim: int = 256
    n_neighbors: int = 32
    query_sizes: tuple[int, ...] = ()
    query_bias: bool = True
    query_batch_norm: bool = True

    @property
    def all_positions(self) -> tuple[tuple[int, str], ...]:
        """Those of the encoder and of the decoder."""
        return self.positions + self.decoder_positions


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Everything that fixes the parameters of a model, and so the sizes in its checkpoint."""

    n_words: int
    n_langs: int
    n_layers: int
    emb_dim: int
    n_heads: int
    dropout: float = 0.1
    attention_dropout: float = 0.1
    gelu_activation: bool = True
    sinusoidal_embeddings: bool = False
    use_lang_emb: bool = True
    max_position_embeddings: int = 512
    embed_init_std: float = 2048**-0.5
    layer_norm_eps: float = 1e-12
    causal: bool = False
    asm: bool = False
    asm_cutoffs: tuple[int, ...] = ()
    asm_div_value: float = 4.0
    memory: MemoryShape | None = None
    pad_index: int = 2
    tie_word_embeddings: bool = True
    is_decoder: bool = False

    def __post_init__(self) -> None:
        for layer, place in () if self.memory is None else self.memory.all_positions:
            if not 0 <= layer < self.n_layers or place not in ("in", "after"):
                raise UserError(
                    f"A memory is to stand at {(layer, place)}, but it can stand only 'in' or "
                    f"'after' one of the layers 0 to {self.n_layers - 1}."
                )
        if self.n_heads < 1 or self.emb_dim % self.n_heads:
            raise UserError(
                f"model.emb_dim ({self.emb_dim}) must be a multiple of "
                f"model.n_heads ({self.n_heads})."
            )

    @classmethod
    def build(
        cls, config: ModelConfig, *, n_words: int, n_langs: int, causal: bool = False
    ) -> "Architecture":
        """Join the recipe's choices with what the tokenizer fixes."""
        choices = config.model_dump()
        if choices["embed_init_std"] is None:
            choices["embed_init_std"] = config.emb_dim**-0.5
        return cls(n_words=n_words, n_langs=n_langs, causal=causal, **choices)

    @property
    def tied(self) -> bool:
        """Whether words are predicted with the embeddings' weights; clusters have their own."""
        return self.tie_word_embeddings and not self.asm

    @property
    def decoder(self) -> "Architecture":
        """The decoder beside an encoder of this shape: causal, and with cross-attention."""
        memory = self.memory
        if memory is not None:
            memory = replace(memory, positions=memory.decoder_positions)
        return replace(self, causal=True, is_decoder=True, memory=memory)
