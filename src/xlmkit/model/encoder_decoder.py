"""XLM's translator: an encoder, and a decoder that also attends to what was encoded.

Conneau & Lample 2019, section 3 and 5.2: both are XLM Transformers with language embeddings; the
decoder is causal, and each of its layers attends to the source between itself and its feed-forward
part, with a layer norm of its own. Embeddings are each one's own, as in the original; words are
predicted with the decoder's.

Shapes: B sequences, L target positions, S source positions, E width, V words.
"""

import torch
from torch import Tensor, nn

from xlmkit.model.attention import attention_mask
from xlmkit.model.cache import Past
from xlmkit.model.config import Architecture
from xlmkit.model.heads import prediction_layer
from xlmkit.model.look_up import look_up
from xlmkit.model.transformer import Surroundings, Transformer


class EncoderDecoder(nn.Module):
    """Encoder, decoder and word prediction; `architecture` is the encoder's."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.encoder = Transformer(architecture)
        self.decoder = Transformer(architecture.decoder)
        self.pred_layer = prediction_layer(architecture)
        if architecture.tied:
            self.pred_layer.proj.weight = self.decoder.embeddings.weight

    def decode(
        self,
        tokens_BL: Tensor,
        languages_BL: Tensor | None,
        source_BSE: Tensor,
        source_lengths_B: Tensor,
        past: Past | None = None,
    ) -> Tensor:
        """Return the decoder's states, (B, L, E).

        Padding on the right of the target needs no mask: nothing real attends to what follows it.

        Args:
            tokens_BL: `</s>` and the words so far, or with `past` only the new ones, (B, L).
            languages_BL: language ids of these, (B, L).
            source_BSE: the encoder's states, (B, S, E).
            source_lengths_B: real positions among them, (B,).
            past: what was computed for earlier words; then L is 1.
        """
        decoder = self.decoder
        n_past = 0 if past is None else past.length
        positions = None
        if n_past:
            places = torch.arange(n_past, n_past + tokens_BL.shape[1], device=tokens_BL.device)
            positions = places[None]
        words_BLE = look_up(decoder.embeddings, tokens_BL, "token")
        hidden_BLE = decoder.embed(words_BLE, positions, languages_BL)
        around = Surroundings(
            mask=None,
            causal=True,
            source_mask=attention_mask(source_lengths_B, source_BSE.shape[1], causal=False),
            past=past,
        )
        for state_BLE in decoder.layers(hidden_BLE, source_BSE, around):
            hidden_BLE = state_BLE
        return hidden_BLE
