"""What finetuned models say of whole texts: a class, several, a number, or the best of choices."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.data.text_windows import LongTexts
from xlmkit.evaluate.calibration import softmax
from xlmkit.evaluate.scoring import Decision, Scoring
from xlmkit.huggingface.finetuned import FinetunedModel
from xlmkit.inference.finetuned import AnyModel, open_finetuned
from xlmkit.inference.model import BATCH_TOKENS, InferencePrecision, Languages, languages_of
from xlmkit.inference.scorers import FamilyScorer, PlainScorer, TextScorer

Text = str | Sequence[str]
"""A text; a pair of texts; or a text and those to choose from."""

_PROBLEMS: dict[str, Decision] = {
    "multi_label_classification": "several",
    "regression": "number",
}
"""What `transformers` calls the problem of a model that says nothing else."""


class SequencePredictor:
    """What a model says of texts, by the kind of task that it learned.

    Args:
        model: a sequence classifier: a bundle, or a model of another family.
        precision: see `xlmkit.inference.model.prepare`.
        long_texts: how texts longer than the model are read; None does as the model was measured.
        scoring: what the scores mean; None takes classes.

    Raises:
        UserError: the model is none, int8 cannot be computed here, or windows are to vote for
            numbers or choices.
    """

    def __init__(
        self,
        model: AnyModel,
        precision: InferencePrecision = "auto",
        long_texts: LongTexts | None = None,
        scoring: Scoring | None = None,
    ) -> None:
        self.labels = list(model.labels)
        self.scoring = scoring or Scoring(decides=_decides(model))
        if long_texts is not None:
            self.scoring = self.scoring.model_copy(update={"long_texts": long_texts})
        voting = self.scoring.long_texts is not None and self.scoring.long_texts.join == "vote"
        if voting and self.scoring.decides in ("number", "choice"):
            raise UserError(
                "A vote needs classes, and this model has none; take --join mean, max or first."
            )
        self.known = model.tokenizer.lang2id if isinstance(model, Bundle) else None
        self._scorer: TextScorer = (
            PlainScorer(model, precision, self.scoring)
            if isinstance(model, Bundle)
            else FamilyScorer(model, precision, self.scoring)
        )

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        precision: InferencePrecision = "auto",
        long_texts: LongTexts | None = None,
    ) -> Self:
        """Open a model's folder, of any family; errors as for the class."""
        path = Path(folder)
        return cls(open_finetuned(path), precision, long_texts, Scoring.load(path))

    @property
    def columns(self) -> list[str]:
        """The label or labels, then the classes; a value; or a choice and its probability."""
        return {
            "classes": ["label", *self.labels],
            "several": ["labels", *self.labels],
            "number": ["value"],
            "choice": ["choice", "probability"],
        }[self.scoring.decides]

    def predict(
        self, texts: Sequence[Text], lang: Languages, *, batch_tokens: int = BATCH_TOKENS
    ) -> list[dict[str, Any]]:
        """Return what is said of each text.

        Args:
            texts: texts; pairs, where the model learned pairs; or a text and those to choose from.
            lang: their language, or one for each.
            batch_tokens: tokens of a batch.

        Returns:
            Of each `label` and `probabilities`; `labels` (those of a half or more) and
            `probabilities`; `value`; or `choice` (from 0) and `probabilities`, in their order.

        Raises:
            UserError: the model does not know a language, there are not as many as texts, or texts
                are single where pairs were learned, or the other way round.
        """
        codes = languages_of(texts, lang, self.known)
        for text in texts:
            self._check(text)
        if self.scoring.decides == "choice":
            return self._choices(texts, codes, batch_tokens)
        pairs = any(not isinstance(text, str) for text in texts)
        firsts = [text if isinstance(text, str) else text[0] for text in texts]
        seconds = [text[1] for text in texts] if pairs else None
        scores = self._scorer.scores(firsts, seconds, codes, batch_tokens)
        say: Callable[[NDArray[np.float32]], dict[str, Any]] = {
            "classes": self._label,
            "several": self._several,
            "number": self._number,
        }[self.scoring.decides]
        return [say(row) for row in scores] if len(texts) else []

    def cells(self, prediction: Mapping[str, Any]) -> list[str]:
        """Return one prediction as the cells of a table."""
        if "value" in prediction:
            return [f"{prediction['value']:.6f}"]
        probabilities = prediction["probabilities"]
        if "choice" in prediction:
            return [str(prediction["choice"]), f"{max(probabilities):.6f}"]
        said = prediction.get("label") or ", ".join(prediction.get("labels", ()))
        return [said, *(f"{probabilities[name]:.6f}" for name in self.labels)]

    def _check(self, text: Text) -> None:
        single, choices = isinstance(text, str), self.scoring.decides == "choice"
        if choices and (single or len(text) < 3):
            raise UserError(
                "This model chooses between texts; give each with two or more to choose from, on "
                "the command line by --second-column, once for each."
            )
        if self.scoring.pairs and single:
            raise UserError(
                "This model reads pairs of texts; give two, on the command line by --second-column."
            )
        if not choices and not single and (self.scoring.pairs is False or len(text) != 2):
            raise UserError(
                "This model reads pairs of texts, and not more; give --second-column once."
                if self.scoring.pairs is not False
                else "This model reads single texts, and no pairs; leave out --second-column."
            )

    def _label(self, scores_C: NDArray[np.float32]) -> dict[str, Any]:
        row = softmax(scores_C)
        return {"label": self.labels[int(row.argmax())], "probabilities": self._named(row)}

    def _several(self, scores_C: NDArray[np.float32]) -> dict[str, Any]:
        row = 1 / (1 + np.exp(-scores_C.astype(np.float64)))
        given = [name for name, score in zip(self.labels, scores_C, strict=True) if score >= 0]
        return {"labels": given, "probabilities": self._named(row)}

    def _number(self, scores_C: NDArray[np.float32]) -> dict[str, Any]:
        return {"value": float(scores_C[0]) * self.scoring.deviation + self.scoring.mean}

    def _named(self, row: NDArray[np.float64]) -> dict[str, float]:
        return dict(zip(self.labels, map(float, row), strict=True))

    def _choices(
        self, texts: Sequence[Text], codes: Sequence[str], batch_tokens: int
    ) -> list[dict[str, Any]]:
        counts = [len(text) - 1 for text in texts]
        firsts = [text[0] for text in texts for _ in text[1:]]
        seconds = [choice for text in texts for choice in text[1:]]
        each = [code for code, n in zip(codes, counts, strict=True) for _ in range(n)]
        rows = self._scorer.scores(firsts, seconds, each, batch_tokens) if texts else np.empty(0)
        ends, made = np.cumsum(counts), []
        for n, end in zip(counts, ends.tolist(), strict=True):
            row = softmax(rows[end - n : end, 0])
            made.append({"choice": int(row.argmax()), "probabilities": row.tolist()})
        return made


def _decides(model: AnyModel) -> Decision:
    problem = model.config.problem_type if isinstance(model, FinetunedModel) else None
    return _PROBLEMS.get(str(problem), "classes")
