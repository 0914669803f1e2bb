"""A tag for every word of many texts."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.data.batch import Inputs
from xlmkit.data.measures import normalize
from xlmkit.data.words import Sentences, encode_words
from xlmkit.evaluate.calibration import softmax
from xlmkit.evaluate.scoring import Scoring
from xlmkit.evaluate.word_scores import word_scores
from xlmkit.huggingface.finetuned import FinetunedModel
from xlmkit.inference.finetuned import AnyModel, open_finetuned
from xlmkit.inference.model import (
    BATCH_TOKENS,
    InferencePrecision,
    Languages,
    languages_of,
    prepare,
)
from xlmkit.inference.words import spans_by_rules, word_spans

Text = str | Sequence[str]
"""A text, or its words."""

ScoreWords = Callable[[Sentences, str, int], NDArray[np.float32]]
"""From sentences, their language and tokens of a batch to scores of all words, (words, C)."""


class TaggingPredictor:
    """Tags and probabilities of the words of every text.

    Args:
        model: a token classifier: a bundle, or a model of another family.
        precision: see `xlmkit.inference.model.prepare`.
        spaces: that spaces alone stand between the words of a text; else they are found by the
            rules of its language, as the tokenizer of XLM does.
        scoring: how it is asked; None takes windows as long as the model reads.

    Raises:
        UserError: the model is none, or int8 cannot be computed here.
    """

    def __init__(
        self,
        model: AnyModel,
        precision: InferencePrecision = "auto",
        *,
        spaces: bool = False,
        scoring: Scoring | None = None,
    ) -> None:
        max_length = None if scoring is None else scoring.max_length
        self.labels, self.spaces = list(model.labels), spaces
        self.known = model.tokenizer.lang2id if isinstance(model, Bundle) else None
        self._spans = (
            partial(word_spans, model.tokenizer) if isinstance(model, Bundle) else spans_by_rules
        )
        self._scores = (
            _plain(model, precision, max_length)
            if isinstance(model, Bundle)
            else partial(_family, model, model.weights(precision), max_length)
        )

    @property
    def columns(self) -> list[str]:
        """The words, their tags, and the tags' probabilities."""
        return ["words", "tags", "probabilities"]

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, *, precision: InferencePrecision = "auto", spaces: bool = False
    ) -> Self:
        """Open a tagger's folder, to be asked as it was measured; errors as for the class."""
        path = Path(folder)
        return cls(open_finetuned(path), precision, spaces=spaces, scoring=Scoring.load(path))

    def predict(
        self, texts: Sequence[Text], lang: Languages, *, batch_tokens: int = BATCH_TOKENS
    ) -> list[dict[str, Any]]:
        """Return `words`, `tags` and `probabilities` of each text, three lists of equal length.

        Args:
            texts: texts, or lists of words.
            lang: their language, or one for each.
            batch_tokens: tokens of a batch.

        Raises:
            UserError: the model does not know a language, or there are not as many as texts.
        """
        codes = languages_of(texts, lang, self.known)
        words = [self.words(text, code) for text, code in zip(texts, codes, strict=True)]
        found: list[dict[str, Any]] = [{column: [] for column in self.columns} for _ in texts]
        for code in dict.fromkeys(codes):
            places = [i for i, other in enumerate(codes) if other == code and words[i]]
            sentences = [[normalize(word) for word in words[i]] for i in places]
            scores = self._scores(sentences, code, batch_tokens)
            rows = softmax(scores) if len(scores) else scores
            ends = np.cumsum([len(sentence) for sentence in sentences])
            for place, end in zip(places, ends.tolist(), strict=True):
                own = rows[end - len(words[place]) : end]
                found[place] = {
                    "words": words[place],
                    "tags": [self.labels[number] for number in own.argmax(axis=1)],
                    "probabilities": [round(float(p), 6) for p in own.max(axis=1)],
                }
        return found

    def words(self, text: Text, language: str) -> list[str]:
        """Return the words of a text as they are written in it."""
        if not isinstance(text, str):
            return list(text)
        spans = self._spans(text, language, spaces=self.spaces)
        return [text[start:end] for start, end in spans]

    def cells(self, prediction: Mapping[str, Any]) -> list[str]:
        """Return words, tags and probabilities, each with spaces between."""
        probabilities = [f"{one:.6f}" for one in prediction["probabilities"]]
        columns = (prediction["words"], prediction["tags"], probabilities)
        return [" ".join(part) for part in columns]


def _plain(bundle: Bundle, precision: InferencePrecision, max_length: int | None) -> ScoreWords:
    model = prepare(bundle.token_classifier(), precision)
    tokenizer, longest = bundle.tokenizer, bundle.architecture.max_position_embeddings
    longest = min(max_length or longest, longest)

    def compute(inputs: Inputs) -> Tensor:
        scores_BLC: Tensor = inputs.fed_to(model)
        return scores_BLC

    def scores(sentences: Sentences, language: str, batch_tokens: int) -> NDArray[np.float32]:
        encoded = encode_words({language: sentences}, tokenizer, longest)
        return word_scores(model, encoded, compute, batch_tokens)

    return scores


def _family(
    model: FinetunedModel,
    weights: Any,  # noqa: ANN401 - their class
    max_length: int | None,
    sentences: Sentences,
    language: str,
    batch_tokens: int,
) -> NDArray[np.float32]:
    tagger = model.tagger([language], weights, batch_tokens, max_length)
    return tagger.word_scores(sentences, language)
