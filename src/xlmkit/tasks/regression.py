"""Regression: a number for a text or a pair, such as how alike two sentences are (STS).

The values of training are brought to mean 0 and deviation 1, and learned by squared error;
correlation, by which they are judged, does not know the scale.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from xlmkit.core.errors import UserError
from xlmkit.evaluate.correlation import pearson, spearman
from xlmkit.evaluate.outcomes import Columns
from xlmkit.evaluate.scoring import Scoring
from xlmkit.tasks.base import Scores, TaskInputs
from xlmkit.tasks.left_out import tell_left_out
from xlmkit.tasks.reading import Example
from xlmkit.tasks.sequences import (
    LabelledTexts,
    Loss,
    SequenceConfig,
    SequenceData,
    by_language,
    labelled_texts,
)

_LEFT_OUT = "Texts whose labels are no numbers"


class RegressionConfig(SequenceConfig):
    """A task whose texts, or pairs of texts, each have a number."""

    kind: Literal["regression"]
    """The kind of task."""
    decides: ClassVar[Loss] = "number"

    def load(self, inputs: TaskInputs) -> "RegressionData":
        """Read a task's examples.

        Raises:
            UserError: there are no numbers to learn from, or all are the same.
        """
        learned, tested = self.read(inputs)
        train, test = (
            labelled_texts(by_language(part, _number), np.float64) for part in (learned, tested)
        )
        for code, labels in tell_left_out(learned, _number, inputs.task, _LEFT_OUT).items():
            inputs.bad.add("train", code, "a label that is no number", sum(labels.values()))
        left_out = tell_left_out(tested, _number, inputs.task, _LEFT_OUT)
        values = np.concatenate([part.labels for part in train.values()]) if train else np.empty(0)
        if len(values) == 0 or values.std() == 0:
            raise UserError("its train files have no two different numbers as labels to learn.")
        if self.test and not test:
            raise UserError("no label of its test files is a number.")
        mean, deviation = float(values.mean()), float(values.std())
        scaled = {
            code: LabelledTexts(part.texts, (part.labels - mean) / deviation, part.seconds)
            for code, part in train.items()
        }
        return RegressionData(["value"], scaled, test, mean, deviation, left_out=left_out)


def _number(example: Example) -> float | None:
    try:
        value = float(example.label)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


@dataclass(frozen=True)
class RegressionData(SequenceData):
    """Texts with their values, those of training scaled.

    Attributes:
        mean: of the values of training.
        deviation: of the values of training.
    """

    mean: float
    deviation: float

    loss: ClassVar[Loss] = "number"
    metrics: ClassVar[tuple[str, ...]] = ("spearman", "pearson")

    def scoring(self, config: SequenceConfig) -> Scoring:
        """Return what the scores mean: numbers, scaled."""
        scale = {"mean": self.mean, "deviation": self.deviation}
        return super().scoring(config).model_copy(update=scale)

    def judge(self, part: LabelledTexts, scores: Scores) -> dict[str, Any]:
        """Return both correlations of the given values with the predicted ones."""
        return {
            "spearman": spearman(part.labels, scores[:, 0]).to_json(),
            "pearson": pearson(part.labels, scores[:, 0]).to_json(),
        }

    def columns(self, part: LabelledTexts, scores: Scores) -> Columns:
        """Return the given values and the predicted ones, those as they were learned."""
        return {"references": part.labels, "predictions": scores[:, 0]}

    def answers(self, part: LabelledTexts, scores: Scores) -> list[dict[str, Any]]:
        """Return of each text its value and the predicted one."""
        predicted = scores[:, 0] * self.deviation + self.mean
        digits = max(0, 1 - math.floor(math.log10(self.deviation)))  # a tenth of it can be told
        return [
            {"label": f"{label:.{digits}f}", "predicted": f"{value:.{digits}f}"}
            for label, value in zip(part.labels, predicted, strict=True)
        ]


SECTION = RegressionConfig
