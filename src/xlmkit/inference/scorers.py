"""The scores of whole texts, single or in pairs, from finetuned models of every family."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.data.batch import Inputs
from xlmkit.data.measures import normalize
from xlmkit.evaluate.joining import join_windows
from xlmkit.evaluate.scoring import Scoring
from xlmkit.huggingface.finetuned import FinetunedModel
from xlmkit.inference.model import InferencePrecision, Reader, prepare


class TextScorer(Protocol):
    """A model that scores texts, each in its language."""

    def scores(
        self,
        texts: Sequence[str],
        seconds: Sequence[str] | None,
        codes: Sequence[str],
        batch_tokens: int,
    ) -> NDArray[np.float32]:
        """Return the scores of every text, before any softmax, (texts, C).

        Args:
            texts: single texts, or the first of each pair.
            seconds: the second of each pair.
            codes: the language of each.
            batch_tokens: tokens of a batch.
        """
        ...


class PlainScorer:
    """One of xlmkit's classifiers.

    Args:
        bundle: a sequence classifier.
        precision: see `xlmkit.inference.model.prepare`.
        scoring: how it is asked.
    """

    def __init__(self, bundle: Bundle, precision: InferencePrecision, scoring: Scoring) -> None:
        self._model = prepare(bundle.classifier(), precision)
        longest = bundle.architecture.max_position_embeddings
        longest = min(scoring.max_length or longest, longest)
        stride = scoring.long_texts.stride if scoring.long_texts else None
        self._join = scoring.long_texts.join if scoring.long_texts else "first"
        self._several = scoring.decides == "several"
        self._reader = Reader(self._model, bundle.tokenizer, longest, stride, scoring.pair_form)

    def scores(
        self,
        texts: Sequence[str],
        seconds: Sequence[str] | None,
        codes: Sequence[str],
        batch_tokens: int,
    ) -> NDArray[np.float32]:
        """Return the scores of every text, (texts, C)."""
        windows = self._reader.read(texts, codes, self._compute, batch_tokens, seconds)
        return join_windows(windows.values, windows.owners, self._join, several=self._several)

    def _compute(self, inputs: Inputs) -> Tensor:
        scores_BC: Tensor = inputs.fed_to(self._model)
        return scores_BC


class FamilyScorer:
    """A classifier of another family; arguments as `PlainScorer`."""

    def __init__(
        self, model: FinetunedModel, precision: InferencePrecision, scoring: Scoring
    ) -> None:
        self._model, self._scoring = model, scoring
        self._weights = model.weights(precision)

    def scores(
        self,
        texts: Sequence[str],
        seconds: Sequence[str] | None,
        codes: Sequence[str],
        batch_tokens: int,
    ) -> NDArray[np.float32]:
        """Return the scores of every text, (texts, C)."""
        languages, scoring = list(dict.fromkeys(codes)), self._scoring
        classifier = self._model.classifier(
            languages,
            self._weights,
            scoring.max_length,
            scoring.long_texts,
            batch_tokens,
            several=scoring.decides == "several",
        )
        found = np.zeros((len(texts), len(self._model.labels)), np.float32)
        for code in languages:
            mine = [place for place, other in enumerate(codes) if other == code]
            ends = None if seconds is None else [normalize(seconds[place]) for place in mine]
            own = [normalize(texts[place]) for place in mine]
            found[mine] = classifier.scores(own, code, ends)
        return found
