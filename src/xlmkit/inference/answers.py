"""Answers to questions about texts, as values that JSON can hold."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.data.questions import Question
from xlmkit.evaluate.answering import PlainAnswerer
from xlmkit.evaluate.answers import Answering
from xlmkit.evaluate.protocols import QuestionAnswerer
from xlmkit.huggingface.finetuned import FinetunedModel
from xlmkit.inference.finetuned import AnyModel, open_finetuned
from xlmkit.inference.model import (
    BATCH_TOKENS,
    InferencePrecision,
    Languages,
    languages_of,
    prepare,
)

MakeAnswerer = Callable[[Sequence[str], Answering, int], QuestionAnswerer]
"""From languages, settings and tokens of a batch to what answers."""


class AnswerPredictor:
    """The answers that contexts give to questions, with an n-best list of each.

    Args:
        model: finds answers: a bundle, or a model of another family.
        precision: see `xlmkit.inference.model.prepare`.
        settings: how it is asked, such as the threshold for giving no answer.

    Raises:
        UserError: the model is none, or int8 cannot be computed here.
    """

    def __init__(
        self,
        model: AnyModel,
        precision: InferencePrecision = "auto",
        settings: Answering | None = None,
    ) -> None:
        self.settings = settings or Answering()
        self.known = model.tokenizer.lang2id if isinstance(model, Bundle) else None
        self._answerer = (
            _plain(model, precision)
            if isinstance(model, Bundle)
            else partial(_family, model, model.weights(precision))
        )

    @classmethod
    def from_pretrained(cls, folder: str | Path, *, precision: InferencePrecision = "auto") -> Self:
        """Open a model's folder; errors as for the class."""
        return cls(open_finetuned(Path(folder)), precision, Answering.load(Path(folder)))

    @property
    def columns(self) -> list[str]:
        """The answer, its probability, and its place in the context."""
        return ["answer", "probability", "start", "end"]

    def predict(
        self,
        texts: Sequence[tuple[str, str]],
        lang: Languages,
        *,
        question_lang: Languages | None = None,
        batch_tokens: int = BATCH_TOKENS,
    ) -> list[dict[str, Any]]:
        """Return the answer to each question.

        Args:
            texts: questions with their contexts.
            lang: the language of the contexts and of the questions, or one for each.
            question_lang: the language of the questions, or one for each, where it is another.
            batch_tokens: tokens of a batch.

        Returns:
            Of each `answer`, "" where there is said to be none, `probability`, `start` and `end` in
            characters, `no_answer`, the score of there being none, and `n_best`.

        Raises:
            UserError: the model does not know a language, or there are not as many as questions.
        """
        codes = languages_of(texts, lang, self.known)
        asked_in = codes
        if question_lang is not None:
            asked_in = languages_of(texts, question_lang, self.known)
        questions = [
            Question(str(number), code, *text, asked_in=asked)
            for number, (text, code, asked) in enumerate(zip(texts, codes, asked_in, strict=True))
        ]
        answerer = self._answerer(list(dict.fromkeys(codes)), self.settings, batch_tokens)
        threshold = self.settings.null_threshold
        return [found.to_json(threshold) for found in answerer.answers(questions)]

    def cells(self, prediction: Mapping[str, Any]) -> list[str]:
        """Return one prediction as the cells of a table; white space in answers is one space."""
        place = [
            "" if prediction[key] is None else str(prediction[key]) for key in ("start", "end")
        ]
        answer = " ".join(prediction["answer"].split())
        return [answer, f"{prediction['probability']:.6f}", *place]


def _plain(bundle: Bundle, precision: InferencePrecision) -> MakeAnswerer:
    return partial(PlainAnswerer, prepare(bundle.answerer(), precision), bundle.tokenizer)


def _family(
    model: FinetunedModel,
    weights: Any,  # noqa: ANN401 - their class
    languages: Sequence[str],
    settings: Answering,
    batch_tokens: int,
) -> QuestionAnswerer:
    return model.answerer(languages, weights, settings, batch_tokens)
