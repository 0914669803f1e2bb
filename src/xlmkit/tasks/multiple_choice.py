"""Multiple choice: which of several texts goes with a first one (XCOPA: cause or effect).

Every choice is read together with the first text and gets one score; the scores of an example's
choices are made probabilities, as Radford et al. 2018 do.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from xlmkit.core.errors import UserError
from xlmkit.evaluate.calibration import Calibration, softmax
from xlmkit.evaluate.metrics import accuracy
from xlmkit.evaluate.outcomes import Columns
from xlmkit.tasks.base import Scores, TaskInputs
from xlmkit.tasks.left_out import check_tested, tell_left_out
from xlmkit.tasks.reading import Example
from xlmkit.tasks.sequences import (
    LabelledTexts,
    Loss,
    SequenceConfig,
    SequenceData,
    by_language,
)

_LEFT_OUT = "Texts whose labels name no choice"
_COUNTED = "labels count the choices from 0"


class MultipleChoiceConfig(SequenceConfig):
    """A task of choosing; sources name the columns of the `choices`, labels count from 0."""

    kind: Literal["multiple_choice"]
    """The kind of task."""
    decides: ClassVar[Loss] = "choice"

    def inputs(self) -> dict[str, Any]:
        """Return what decides the result; models that learned long texts cut are made anew."""
        return {**super().inputs(), **({"learned": "in windows"} if self.long_texts else {})}

    def load(self, inputs: TaskInputs) -> "MultipleChoiceData":
        """Read a task's examples.

        Raises:
            UserError: there are no choices, or not equally many everywhere.
        """
        learned, tested = self.read(inputs)
        counts = {len(example.others) for example in (*learned, *tested)}
        if len(counts) != 1 or min(counts) < 2:
            raise UserError(
                "every example of a multiple choice needs the same number of choices, two or more; "
                "name their columns with `choices` in every source."
            )
        n = counts.pop()

        def place(example: Example) -> int | None:
            known = example.label.isdecimal() and int(example.label) < n
            return int(example.label) if known else None

        train, test = (_laid_out(by_language(part, place)) for part in (learned, tested))
        for code, labels in tell_left_out(learned, place, inputs.task, _LEFT_OUT, _COUNTED).items():
            inputs.bad.add("train", code, "a label that names no choice", sum(labels.values()))
        left_out = tell_left_out(tested, place, inputs.task, _LEFT_OUT, _COUNTED)
        if not train:
            raise UserError(f"no label of its train files is a number from 0 to {n - 1}.")
        check_tested(self, test, map(str, range(n)))
        return MultipleChoiceData(["choice"], train, test, n, left_out=left_out)


def _laid_out(gathered: dict[str, list[tuple[Example, int]]]) -> dict[str, LabelledTexts]:
    return {
        language: LabelledTexts(
            [example.text for example, _ in part for _ in example.others],
            np.array([label for _, label in part], np.int64),
            [choice for example, _ in part for choice in example.others],
        )
        for language, part in gathered.items()
    }


@dataclass(frozen=True)
class MultipleChoiceData(SequenceData):
    """Examples with the number of the right choice; `choices` sequences are one example."""

    choices: int  # type: ignore[misc]

    loss: ClassVar[Loss] = "choice"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)

    def judge(self, part: LabelledTexts, scores: Scores) -> dict[str, Any]:
        """Return the share of right choices, and whether probabilities can be trusted."""
        scores = scores.reshape(-1, self.choices)
        return {
            "accuracy": accuracy(part.labels, scores.argmax(axis=1)).to_json(),
            "calibration": Calibration.of(softmax(scores), part.labels).to_json(),
        }

    def columns(self, part: LabelledTexts, scores: Scores) -> Columns:
        """Return the right choices and the predicted ones."""
        predicted = scores.reshape(-1, self.choices).argmax(axis=1)
        return {"references": part.labels, "predictions": predicted}

    def answers(self, part: LabelledTexts, scores: Scores) -> list[dict[str, Any]]:
        """Return of each example the right choice, the predicted one, and its probability."""
        made = []
        probabilities = softmax(scores.reshape(-1, self.choices))
        for number, (label, row) in enumerate(zip(part.labels, probabilities, strict=True)):
            texts = (part.seconds or [])[number * self.choices : (number + 1) * self.choices]
            made.append(
                {
                    "label": texts[label],
                    "predicted": texts[row.argmax()],
                    "probability": round(float(row.max()), 4),
                }
            )
        return made


SECTION = MultipleChoiceConfig
