"""A task of one's own, in one file: ratings, such as the stars of a review.

Copy it to src/xlmkit/tasks/rating.py and add the line `"rating",` to KINDS in
src/xlmkit/tasks/kinds.py; then a recipe may say:

    finetune:
      stars:
        kind: rating
        best: 5
        train: [{kind: tsv, path: reviews.en.tsv, text: 0, label_column: 1, language: en}]
        test: [{kind: tsv, path: "reviews.{language}.tsv", text: 0, label_column: 1}]

A rating is learned as a number, so that 4 for 5 is a smaller mistake than 1 for 5, and judged by
how far off the answers are.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from xlmkit.core.errors import UserError
from xlmkit.evaluate.outcomes import Columns
from xlmkit.evaluate.score import bootstrap_mean
from xlmkit.tasks.base import Scores, TaskInputs
from xlmkit.tasks.left_out import check_tested, tell_left_out
from xlmkit.tasks.reading import Example
from xlmkit.tasks.sequences import (
    LabelledTexts,
    Loss,
    SequenceConfig,
    SequenceData,
    by_language,
    labelled_texts,
)


class RatingConfig(SequenceConfig):
    """A task whose texts are rated from 1 to `best`."""

    kind: Literal["rating"]
    """The kind of task."""
    decides: ClassVar[Loss] = "number"
    best: int = Field(5, ge=2)
    """The highest rating."""

    def load(self, inputs: TaskInputs) -> "RatingData":
        """Read a task's examples.

        Raises:
            UserError: there are no ratings to learn from.
        """

        def rating(example: Example) -> int | None:
            known = example.label.isdecimal() and 1 <= int(example.label) <= self.best
            return int(example.label) if known else None

        learned, tested = self.read(inputs)
        train, test = (
            labelled_texts(by_language(part, rating), np.int64) for part in (learned, tested)
        )
        without = "Texts without a rating"
        for code, labels in tell_left_out(learned, rating, inputs.task, without).items():
            inputs.bad.add("train", code, "no rating", sum(labels.values()))
        left_out = tell_left_out(tested, rating, inputs.task, without)
        if not train:
            raise UserError(f"no label of its train files is a number from 1 to {self.best}.")
        check_tested(self, test, map(str, range(1, self.best + 1)))
        return RatingData(["rating"], train, test, self.best, left_out=left_out)


@dataclass(frozen=True)
class RatingData(SequenceData):
    """Texts with their ratings."""

    best: int

    loss: ClassVar[Loss] = "number"
    metrics: ClassVar[tuple[str, ...]] = ("within_one", "exact")

    def judge(self, part: LabelledTexts, scores: Scores) -> dict[str, Any]:
        """Return how many ratings are right, and how many at most one step off."""
        distance = np.abs(self._ratings(scores) - part.labels)
        return {
            "within_one": bootstrap_mean("within-one", distance <= 1).to_json(),
            "exact": bootstrap_mean("exact", distance == 0).to_json(),
        }

    def columns(self, part: LabelledTexts, scores: Scores) -> Columns:
        """Return what both metrics are means of, by which `xlmkit compare` tests models."""
        distance = np.abs(self._ratings(scores) - part.labels)
        return {"within_one": distance <= 1, "exact": distance == 0}

    def answers(self, part: LabelledTexts, scores: Scores) -> list[dict[str, Any]]:
        """Return of each text the right rating and the predicted one."""
        return [
            {"label": str(label), "predicted": str(rating)}
            for label, rating in zip(part.labels, self._ratings(scores), strict=True)
        ]

    def _ratings(self, scores: Scores) -> np.ndarray:
        return scores[:, 0].round().clip(1, self.best).astype(np.int64)


SECTION = RatingConfig
