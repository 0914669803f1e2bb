"""Classification: one of several classes for a text or a pair (topics, sentiment, entailment).

Labels in one language (or a few) are learned; texts in all languages are classified. Devlin et al.
2019; Conneau & Lample 2019, section 5.1.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from xlmkit.core.errors import UserError
from xlmkit.evaluate.calibration import Calibration
from xlmkit.evaluate.metrics import accuracy, confusion_matrix, macro_f1
from xlmkit.evaluate.outcomes import Columns
from xlmkit.tasks.base import Scores, TaskInputs
from xlmkit.tasks.sequences import (
    LabelledTexts,
    Loss,
    SequenceConfig,
    SequenceData,
    by_language,
    check_tested,
    labelled_texts,
    softmax,
)


class ClassificationConfig(SequenceConfig):
    """A task whose texts, or pairs of texts, are each of one class."""

    kind: Literal["classification"] = "classification"
    """The kind of task."""

    def load(self, inputs: TaskInputs) -> "ClassificationData":
        """Read a task's examples.

        Raises:
            UserError: there are no labels, only one class, or no label in a source language.
        """
        learned, tested = self.read(inputs)
        names = sorted({example.label for example in learned})
        if len(names) < 2:
            raise UserError(
                f"There are {len(names)} different labels in {', '.join(inputs.sources(self))} to "
                "learn from, at least two are needed; give `label` in a source of data, or train "
                "and test files."
            )
        number = {name: place for place, name in enumerate(names)}
        train, test = (
            labelled_texts(by_language(part, lambda example: number.get(example.label)), np.int64)
            for part in (learned, tested)
        )
        check_tested(self, test, names)
        return ClassificationData(names, train, test)


@dataclass(frozen=True)
class ClassificationData(SequenceData):
    """Texts with the number of their class."""

    loss: ClassVar[Loss] = "classes"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy", "macro_f1")

    def judge(self, part: LabelledTexts, scores: Scores) -> dict[str, Any]:
        """Return accuracy, macro F1, the confusions, and whether probabilities can be trusted."""
        predicted = scores.argmax(axis=1)
        confusion = confusion_matrix(part.labels, predicted, len(self.labels))
        return {
            "accuracy": accuracy(part.labels, predicted).to_json(),
            "macro_f1": macro_f1(confusion).to_json(),
            "confusion": confusion.tolist(),
            "calibration": Calibration.of(softmax(scores), part.labels).to_json(),
        }

    def columns(self, part: LabelledTexts, scores: Scores) -> Columns:
        """Return the right classes and the predicted ones."""
        return {"references": part.labels, "predictions": scores.argmax(axis=1)}

    def answers(self, part: LabelledTexts, scores: Scores) -> list[dict[str, Any]]:
        """Return of each text its class, the predicted one, and its probability."""
        probabilities = softmax(scores)
        return [
            {
                "label": self.labels[label],
                "predicted": self.labels[row.argmax()],
                "probability": round(float(row.max()), 4),
            }
            for label, row in zip(part.labels, probabilities, strict=True)
        ]


SECTION = ClassificationConfig
