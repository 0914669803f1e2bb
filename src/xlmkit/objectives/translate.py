"""Machine translation (MT): write a sentence in another language, word by word.

L = - sum over i of log p(y_i | y_<i, x), with y the translation of x; Vaswani et al. 2017, and for
XLM's initialisation Conneau & Lample 2019, section 5.3. With label smoothing (Szegedy et al. 2016)
each target keeps 1 - e of the probability and all words share e evenly; a model in evaluation mode
is measured without.

The original draws batches of one direction at a time; here batches mix directions.
"""

from xlmkit.data.sampler import Sampler
from xlmkit.data.translations import DirectedPairs, TranslationBatch
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.objectives.base import LossOutput, grouped


class Translation:
    """MT over pairs of any directions.

    Args:
        pairs: what is translated.
        languages: of the model, in the order of their numbers; a loss counts to the target's.
        tokens: tokens of a batch, those of both sides.
        seed: fixes the order.
        smoothing: of the labels.
    """

    name = "mt"

    def __init__(
        self,
        pairs: DirectedPairs,
        languages: list[str],
        *,
        tokens: int,
        seed: object,
        smoothing: float = 0.0,
    ) -> None:
        self.pairs, self.groups, self.smoothing = pairs, languages, smoothing
        self.sampler = Sampler(pairs.groups, tokens, (seed, self.name))

    def batch(self, number: int) -> TranslationBatch:
        """Draw and lay out batch `number`."""
        return self.pairs.batch(self.sampler.batch(number))

    def tokens(self, batch: TranslationBatch) -> int:
        """Return how many tokens of both sides are read, padding not counted."""
        return batch.n_tokens

    def loss(self, model: EncoderDecoder, batch: TranslationBatch) -> LossOutput:
        """Return the loss of all target words."""
        return translation_loss(model, batch, len(self.groups), self.smoothing)


def translation_loss(
    model: EncoderDecoder, batch: TranslationBatch, n_groups: int, smoothing: float = 0.0
) -> LossOutput:
    """Return the sum over target words of -log p(word), in nats; smoothed only while training."""
    device = next(model.parameters()).device
    source, target = batch.source.to(device), batch.target.inputs.to(device)
    loss_N, correct_N = model(
        source.tokens,
        source.lengths,
        source.languages,
        target.tokens,
        target.languages,
        batch.target.predict.to(device),
        batch.target.targets.to(device),
        smoothing if model.training else 0.0,
    )
    parts = grouped(loss_N, correct_N, batch.target.groups.to(device), n_groups)
    return LossOutput(loss_N.sum(), len(batch.target.targets), parts)
