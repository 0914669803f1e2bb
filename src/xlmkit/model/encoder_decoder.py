"""XLM's translator: an encoder, and a decoder that also attends to what was encoded.

Conneau & Lample 2019, section 3 and 5.2: both are XLM Transformers with language embeddings; the
decoder is causal, and each of its layers attends to the source between itself and its feed-forward
part, with a layer norm of its own. Embeddings are each one's own, as in the original, unless they
are shared for training; words are predicted with the decoder's.

Shapes: B sequences, L target positions, S source positions, E width, V words.
"""

from torch import Tensor, nn

from xlmkit.model.attention import attention_mask
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel, prediction_layer
from xlmkit.model.look_up import look_up
from xlmkit.model.transformer import Surroundings, Transformer


class EncoderDecoder(nn.Module):
    """Encoder, decoder and word prediction.

    Args:
        architecture: the encoder's.
        share_embeddings: let encoder and decoder have the same word embeddings.
        encoder_prediction: give the encoder a word prediction of its own, by which it learns MLM.
    """

    def __init__(
        self,
        architecture: Architecture,
        *,
        share_embeddings: bool = False,
        encoder_prediction: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = Transformer(architecture)
        self.decoder = Transformer(architecture.decoder)
        self.pred_layer = prediction_layer(architecture)
        if architecture.tied:
            self.pred_layer.proj.weight = self.decoder.embeddings.weight
        if share_embeddings:
            self.encoder.embeddings.weight = self.decoder.embeddings.weight
        if encoder_prediction:
            self.encoder_pred_layer = prediction_layer(architecture)
            if architecture.tied:
                self.encoder_pred_layer.proj.weight = self.encoder.embeddings.weight

    def forward(
        self,
        source_tokens_BS: Tensor,
        source_lengths_B: Tensor,
        source_languages_BS: Tensor | None,
        tokens_BL: Tensor,
        languages_BL: Tensor | None,
        predict_N: Tensor,
        targets_N: Tensor,
        smoothing: float = 0.0,
    ) -> tuple[Tensor, Tensor]:
        """Return the loss of words to write.

        Args:
            source_tokens_BS: what is read, padded on the right, (B, S).
            source_lengths_B: real tokens of each, (B,).
            source_languages_BS: language ids of these, (B, S).
            tokens_BL: `</s>` and all words but the last, padded on the right, (B, L).
            languages_BL: language ids of these, (B, L).
            predict_N: flat places among (B * L) after which a real word comes, (N,).
            targets_N: these words, (N,).
            smoothing: of the labels.

        Returns:
            Losses in nats, (N,), float32; whether the target was the best word, (N,), bool.
        """
        states_BSE = self.encoder(source_tokens_BS, source_lengths_B, None, source_languages_BS)
        hidden_BLE = self.decode(tokens_BL, languages_BL, states_BSE, source_lengths_B)
        hidden_NE = hidden_BLE.flatten(0, 1).index_select(0, predict_N)
        return self.pred_layer.loss(hidden_NE, targets_N, smoothing)

    def encoder_language_model(self) -> LanguageModel:
        """Return the encoder with its own word prediction, for MLM and TLM."""
        return LanguageModel.of(self.encoder, self.encoder_pred_layer)

    def decoder_language_model(self) -> LanguageModel:
        """Return the decoder without a source, for CLM."""
        return LanguageModel.of(self.decoder, self.pred_layer)

    def decode(
        self,
        tokens_BL: Tensor,
        languages_BL: Tensor | None,
        source_BSE: Tensor,
        source_lengths_B: Tensor,
    ) -> Tensor:
        """Return the decoder's states, (B, L, E).

        Padding on the right of the target needs no mask: nothing real attends to what follows it.

        Args:
            tokens_BL: `</s>` and the words so far, (B, L).
            languages_BL: language ids of these, (B, L).
            source_BSE: the encoder's states, (B, S, E).
            source_lengths_B: real positions among them, (B,).
        """
        decoder = self.decoder
        words_BLE = look_up(decoder.embeddings, tokens_BL, "token")
        hidden_BLE = decoder.embed(words_BLE, None, languages_BL)
        around = Surroundings(
            mask=None,
            causal=True,
            source_mask=attention_mask(source_lengths_B, source_BSE.shape[1], causal=False),
        )
        for state_BLE in decoder.layers(hidden_BLE, source_BSE, around):
            hidden_BLE = state_BLE
        return hidden_BLE
