"""Classification: one of several classes for a text or a pair (topics, sentiment, entailment).

Labels in one language (or a few) are learned; texts in all languages are classified. Devlin et al.
2019; Conneau & Lample 2019, section 5.1.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.evaluate.calibration import Calibration, softmax
from xlmkit.evaluate.metrics import accuracy, confusion_matrix, macro_f1
from xlmkit.evaluate.outcomes import Columns
from xlmkit.objectives.balance import Balance, balanced_weights
from xlmkit.tasks.base import Scores, TaskInputs
from xlmkit.tasks.left_out import check_tested, renaming, tell_left_out, unlearned
from xlmkit.tasks.rare_classes import RareClasses
from xlmkit.tasks.reading import Example, examples, read_split
from xlmkit.tasks.sequences import (
    LabelledTexts,
    Loss,
    SequenceConfig,
    SequenceData,
    by_language,
    labelled_texts,
)

_MANY = 50  # classes, above which not most of them can have a single example
_SHOWN = 40  # characters of a label


class ClassificationConfig(RareClasses, SequenceConfig):
    """A task whose texts, or pairs of texts, are each of one class."""

    kind: Literal["classification"] = "classification"
    """The kind of task."""

    def load(self, inputs: TaskInputs) -> "ClassificationData":
        """Read a task's examples.

        Raises:
            UserError: there are no labels, only one class, or no label in a source language, or
                labels are texts.
        """
        learned, tested = self.read(inputs)
        names = sorted({example.label for example in learned})
        if len(names) < 2:
            raise UserError(
                f"There are {len(names)} different labels in {', '.join(inputs.sources(self))} to "
                f"learn from, at least two are needed; {self._elsewhere(inputs, bool(names))}give "
                "`label` in a source of data, or train and test files."
            )
        _check_classes(learned)
        number = {name: place for place, name in enumerate(names)}

        def read(example: Example) -> int | None:
            return number.get(example.label)

        train, test = (
            labelled_texts(by_language(part, read), np.int64) for part in (learned, tested)
        )
        left_out = tell_left_out(tested, read, inputs.task, unlearned(self), renaming(names))
        check_tested(self, test, names)
        self.check_weights(names)
        return ClassificationData(names, train, test, left_out=left_out)

    def _elsewhere(self, inputs: TaskInputs, found: bool) -> str:
        """Return in which languages there are labels, where those to learn have none."""
        texts = () if found else examples(read_split(self.train, "train", inputs), inputs.languages)
        languages = ", ".join(dict.fromkeys(example.language for example in texts))
        told = f"there are labels in {languages}: name them in source_languages, or "
        return told if languages else ""


def _check_classes(learned: Sequence[Example]) -> None:
    """See that labels are classes, and not texts of a wrong column or of a file read wrongly.

    Raises:
        UserError: there are many, and most have a single example.
    """
    counts = Counter(example.label for example in learned)
    single = [label for label, count in counts.items() if count == 1]
    if len(counts) > _MANY and 2 * len(single) > len(counts):
        shown = single[0] if len(single[0]) <= _SHOWN else f"{single[0][:_SHOWN]}…"
        raise UserError(
            f"{len(single):,} of the {len(counts):,} different labels of its train files have a "
            f"single example, as {shown!r}: these are no classes; see label_column, and take kind: "
            "csv with its separator for files with quoted fields."
        )


@dataclass(frozen=True)
class ClassificationData(SequenceData):
    """Texts with the number of their class."""

    loss: ClassVar[Loss] = "classes"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy", "macro_f1")

    def balance(self, config: ClassificationConfig) -> Balance:
        """Return what is done about rare classes."""
        return config.balance(self.labels, self._balanced)

    def _balanced(self) -> NDArray[np.float32]:
        labels = np.concatenate([part.labels for part in self.train.values()])
        return balanced_weights(labels, len(self.labels))

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
