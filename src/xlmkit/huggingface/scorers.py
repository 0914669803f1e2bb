"""Classifiers of other families: their own head for texts, trained and measured as xlmkit's."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.data.text_windows import LongTexts
from xlmkit.evaluate.inference import run_batches, tell_of_cut
from xlmkit.evaluate.joining import join_windows
from xlmkit.huggingface.limits import position_limit, reads_types
from xlmkit.huggingface.scores import Scores
from xlmkit.huggingface.sequences import EncodedTexts, EncoderInputs, TextEncoder
from xlmkit.huggingface.windows import encode_in_windows
from xlmkit.tasks.sequences import SequenceData

CLASSIFIER = "AutoModelForSequenceClassification"


class ClassScores(Scores):
    """A classifier of `transformers`, of texts or tokens, that returns the scores alone."""

    def forward(self, **inputs: Tensor) -> Tensor:
        """Return class scores, (B, C) or (B, L, C)."""
        scores: Tensor = self.model(**inputs).logits
        return scores


class HuggingFaceClassifier:
    """A finetuned model as a `SequenceScorer`.

    Args:
        model: a sequence classifier of `transformers`.
        encoder: its tokenizer.
        languages: what it is asked about.
        max_length: longest sequence in tokens.
        long_texts: how longer texts are read; None cuts off their ends.
        several: whether each class is decided by itself.
        batch_tokens: tokens of a batch, padding included.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - their class
        encoder: TextEncoder,
        languages: Sequence[str],
        max_length: int,
        long_texts: LongTexts | None = None,
        *,
        several: bool = False,
        batch_tokens: int | None = None,
    ) -> None:
        self.model, self.encoder, self.languages = model, encoder, languages
        self.max_length = min(max_length, position_limit(model, encoder.tokenizer))
        self.long_texts, self.several, self.batch_tokens = long_texts, several, batch_tokens

    def scores(
        self, texts: Sequence[str], language: str, seconds: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """Return the score of every class before any softmax, (texts, C)."""

        def compute(inputs: EncoderInputs) -> Tensor:
            scores_BC: Tensor = inputs.fed_to(self.model).logits
            return scores_BC

        types = reads_types(self.model)
        pairs = None if seconds is None else {language: seconds}
        if self.long_texts is None:
            rows = self.encoder.encode(
                {language: texts}, self.max_length, types=types, seconds=pairs
            )
            tell_of_cut(rows.n_cut, len(texts), self.max_length, f"texts in {language}")
            return run_batches(self.model, rows, compute, self.batch_tokens)
        rows, owners = encode_in_windows(
            self.encoder,
            {language: texts},
            self.max_length,
            self.long_texts.stride,
            types=types,
            seconds=pairs,
        )
        scores = run_batches(self.model, rows, compute, self.batch_tokens)
        return join_windows(scores, owners, self.long_texts.join, several=self.several)


def encode_examples(
    encoder: TextEncoder,
    data: SequenceData,
    max_length: int,
    long_texts: LongTexts | None,
    *,
    types: bool,
) -> tuple[EncodedTexts, NDArray[np.int64]]:
    """Return the texts to learn from, or windows of them, and the number of each row's text."""
    texts = {language: part.texts for language, part in data.train.items()}
    seconds = {code: part.seconds for code, part in data.train.items() if part.seconds}
    if long_texts is None:
        rows = encoder.encode(texts, max_length, types=types, seconds=seconds)
        tell_of_cut(rows.n_cut, len(rows.ids), max_length, "texts to learn from")
        return rows, np.arange(len(rows.ids))
    return encode_in_windows(
        encoder, texts, max_length, long_texts.stride, types=types, seconds=seconds
    )
