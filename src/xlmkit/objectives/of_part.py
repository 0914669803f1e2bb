"""MLM, TLM and CLM of one half of a translator."""

from collections.abc import Callable
from typing import Any

from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.base import LossOutput, Objective


class OfPart:
    """An objective of a language model, learned by the encoder or the decoder of a translator.

    Args:
        inner: the objective.
        part: gives the language model to train, such as `EncoderDecoder.encoder_language_model`.
    """

    def __init__(self, inner: Objective, part: Callable[[EncoderDecoder], LanguageModel]) -> None:
        self.inner, self.part = inner, part
        self.name, self.groups = inner.name, inner.groups

    def batch(self, number: int) -> Any:  # noqa: ANN401 - of the inner objective
        """Draw batch `number`."""
        return self.inner.batch(number)

    def tokens(self, batch: Any) -> int:  # noqa: ANN401
        """Return how many tokens are read."""
        return self.inner.tokens(batch)

    def loss(self, model: EncoderDecoder, batch: Any) -> LossOutput:  # noqa: ANN401
        """Return the loss of the part."""
        return self.inner.loss(self.part(model), batch)
