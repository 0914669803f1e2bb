"""Classification with several classes for a text, or none: emotions, topics that go together.

Each class is a question of its own, learned by binary cross-entropy and answered by a probability
of a half or more.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.data.records import classes_in, labels_in
from xlmkit.evaluate.calibration import Calibration, decision_probability
from xlmkit.evaluate.multilabel import (
    label_sets_accuracy,
    multilabel_class_scores,
    multilabel_f1,
)
from xlmkit.evaluate.outcomes import Columns
from xlmkit.objectives.balance import Balance
from xlmkit.tasks.base import Scores, TaskInputs
from xlmkit.tasks.left_out import check_tested, renaming, tell_left_out, unlearned
from xlmkit.tasks.rare_classes import RARE_CLASSES, RareClasses
from xlmkit.tasks.reading import Example
from xlmkit.tasks.sequences import (
    LabelledTexts,
    Loss,
    SequenceConfig,
    SequenceData,
    by_language,
    labelled_texts,
)

_BARE = "of no class, but kept"
_SEPARATORS = (",", ";", "|", "/", " ")


class MultilabelConfig(RareClasses, SequenceConfig):
    """A task whose texts are of any number of classes."""

    kind: Literal["multilabel"]
    """The kind of task."""
    later: ClassVar[frozenset[str]] = SequenceConfig.later | RARE_CLASSES
    decides: ClassVar[Loss] = "several"
    separator: str = Field(",", min_length=1)
    """What stands between the classes of a text; JSON and datasets may hold lists instead."""

    def inputs(self) -> dict[str, Any]:
        """Return what decides the result; models of when a map lost texts are made anew."""
        mapped = any(source.label_map for source in (*self.train, *self.valid, *self.test))
        return {**super().inputs(), **({"label_map": "by class"} if mapped else {})}

    @property
    def parted_by(self) -> str:
        """What parts the classes of a text."""
        return self.separator

    def load(self, inputs: TaskInputs) -> "MultilabelData":
        """Read a task's examples.

        Raises:
            UserError: there are no labels, or only one class, in a source language, or classes are
                parted by something else than the separator.
        """
        learned, tested = self.read(inputs)
        _check_written((*learned, *tested))
        names = sorted({name for example in learned for name in self._names(example)})
        if len(names) < 2:
            raise UserError(
                f"There are {len(names)} different labels to learn from, at least two are needed; "
                f"the classes of a text are parted by {self.separator!r}, see `separator`."
            )
        self._check_parted(learned, names)
        self._count_bare(learned, inputs, "train", "to learn")
        self._count_bare(tested, inputs, "test", "to test on")
        number = {name: place for place, name in enumerate(names)}

        def row(example: Example) -> NDArray[np.float32] | None:
            given = self._names(example)
            if not given <= number.keys():
                return None
            flags = np.zeros(len(names), np.float32)
            flags[[number[name] for name in given]] = 1
            return flags

        train, test = (
            labelled_texts(by_language(part, row), np.float32) for part in (learned, tested)
        )
        left_out = tell_left_out(
            tested, row, inputs.task, unlearned(self), self._mend(tested, names)
        )
        check_tested(self, test, names)
        self.check_weights(names)
        return MultilabelData(names, train, test, left_out=left_out)

    def _check_parted(self, learned: Sequence[Example], names: Collection[str]) -> None:
        """See that nothing else parts classes where the separator parts none.

        Raises:
            UserError: something does.
        """
        if any(len(self._names(example)) > 1 for example in learned):
            return
        for example in learned:
            if other := _parting(example.label, names):
                raise UserError(
                    f"no text to learn from has two classes parted by {self.separator!r}, but "
                    f"{example.label!r} at {example.where} is of known ones parted by {other!r}; "
                    f"say `separator: {json.dumps(other)}`."
                )

    def _count_bare(
        self, part: Sequence[Example], inputs: TaskInputs, split: str, what: str
    ) -> None:
        """Count and say how many texts are of no class."""
        bare = Counter(example.language for example in part if not self._names(example))
        for language, n in bare.items():
            inputs.bad.add(split, language, _BARE, n)
        if bare:
            told = f"{bare.total():,} of {len(part):,} texts {what} are of no class."
            say(f"finetune.{inputs.task}: {told}")

    def _mend(self, tested: Sequence[Example], names: Sequence[str]) -> str:
        """Return what to do about labels that were not learned: part them otherwise, or rename."""
        for example in tested:
            if self._names(example) <= set(names):
                continue
            if other := _parting(example.label, names):
                told = f"classes are parted by {self.separator!r}, and these by {other!r}"
                return f"{told}; see `separator`"
        return renaming(names)

    def _names(self, example: Example) -> set[str]:
        return set(classes_in(example.label, self.separator))


def _check_written(found: Iterable[Example]) -> None:
    """See that no label is a list as a program prints it, whose brackets would be of its classes.

    Raises:
        UserError: one is.
    """
    for example in found:
        if example.label.startswith("[") and example.label.endswith("]"):
            raise UserError(
                f"the label {example.label} at {example.where} is a list in writing; give lists in "
                "JSON lines (of pandas: to_json with orient='records', lines=True), or names with "
                "`separator` between them."
            )


def _parting(label: str, names: Collection[str]) -> str | None:
    """Return what parts a label into several known names, if anything usual does."""
    for other in () if labels_in(label) else _SEPARATORS:
        parts = {name.strip() for name in label.split(other)}
        if len(parts) > 1 and parts <= set(names):
            return other
    return None


@dataclass(frozen=True)
class MultilabelData(SequenceData):
    """Texts with a 1 for each class that they are of."""

    loss: ClassVar[Loss] = "several"
    metrics: ClassVar[tuple[str, ...]] = ("macro_f1", "micro_f1", "exact_match")

    def balance(self, config: MultilabelConfig) -> Balance:
        """Return what is done about rare classes; balanced ones weigh as much as their absence."""
        return config.balance(self.labels, self._balanced)

    def _balanced(self) -> NDArray[np.float32]:
        labels = np.concatenate([part.labels for part in self.train.values()])
        present = labels.sum(axis=0)
        absent = np.maximum(len(labels) - present, 1)
        weights: NDArray[np.float32] = (absent / present).astype(np.float32)
        return weights

    def judge(self, part: LabelledTexts, scores: Scores) -> dict[str, Any]:
        """Return F1 over classes and over all decisions, and how many texts are wholly right.

        Beside them stand precision, recall and F1 of each class, and whether the probability of
        each decision can be trusted.
        """
        predicted, labels = scores >= 0, part.labels > 0.5
        sure = Calibration.of_answers(
            decision_probability(scores).ravel(), (predicted == labels).ravel()
        )
        return {
            "macro_f1": multilabel_f1(labels, predicted, "macro").to_json(),
            "micro_f1": multilabel_f1(labels, predicted, "micro").to_json(),
            "exact_match": label_sets_accuracy(labels, predicted).to_json(),
            "classes": multilabel_class_scores(labels, predicted).by_name(self.labels, every=True),
            "calibration": sure.to_json(),
            "answered": int(predicted.any(axis=1).sum()),
        }

    def columns(self, part: LabelledTexts, scores: Scores) -> Columns:
        """Return whether each text is, and is predicted to be, of each class."""
        return {"references": part.labels > 0.5, "predictions": scores >= 0}

    def answers(self, part: LabelledTexts, scores: Scores) -> list[dict[str, Any]]:
        """Return of each text its classes and the predicted ones."""
        return [
            {"label": self._listed(label > 0.5), "predicted": self._listed(row >= 0)}
            for label, row in zip(part.labels, scores, strict=True)
        ]

    def _listed(self, flags: Iterable[bool]) -> str:
        names = [name for name, flag in zip(self.labels, flags, strict=True) if flag]
        return ", ".join(names) or "none"


SECTION = MultilabelConfig
