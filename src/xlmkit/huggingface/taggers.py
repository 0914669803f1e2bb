"""Taggers of other families: their own head for tokens, trained and measured as xlmkit's."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.core.errors import UserError
from xlmkit.data.words import Sentences
from xlmkit.evaluate.word_scores import word_scores
from xlmkit.huggingface.sequences import EncoderInputs, TextEncoder
from xlmkit.huggingface.words import encode_native_words

TAGGER = "AutoModelForTokenClassification"


def check_tagger(config: Any) -> None:  # noqa: ANN401 - their class
    """See that there is a tagger of a family.

    Raises:
        UserError: there is none.
    """
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING

    if type(config) not in MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING:
        raise UserError(
            f"the model is of the family {config.model_type!r}, of which transformers "
            f"{transformers.__version__} has no tagger; leave it out, or take an encoder."
        )


class HuggingFaceTagger:
    """A finetuned model as a `WordScorer`.

    Args:
        model: a token classifier of `transformers`.
        encoder: its tokenizer.
        languages: what it is asked about.
        max_length: longest sequence in tokens.
        types: whether the model reads token type ids.
        batch_tokens: tokens of a batch, padding included.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - their class
        encoder: TextEncoder,
        languages: Sequence[str],
        max_length: int,
        *,
        types: bool,
        batch_tokens: int | None = None,
    ) -> None:
        self.model, self.encoder, self.languages = model, encoder, languages
        self.max_length, self.types, self.batch_tokens = max_length, types, batch_tokens

    def word_scores(self, sentences: Sentences, language: str) -> NDArray[np.float32]:
        """Return the score of every tag before any softmax, (words, C)."""

        def compute(inputs: EncoderInputs) -> Tensor:
            scores_BLC: Tensor = inputs.fed_to(self.model).logits
            return scores_BLC

        words = encode_native_words(
            self.encoder, {language: sentences}, self.max_length, types=self.types
        )
        return word_scores(self.model, words, compute, self.batch_tokens)
