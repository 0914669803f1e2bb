"""What all tasks have in common that score whole texts, single, in pairs, or as choices.

A kind of task says how a label is read (`SequenceConfig.load`), which loss teaches it
(`SequenceData.loss`) and how the scores of the test texts are judged (`SequenceData.judge`).
"""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from xlmkit.core.errors import UserError
from xlmkit.data.records import Record
from xlmkit.data.sources import HubSource, Source
from xlmkit.data.text_windows import LongTexts, PairForm
from xlmkit.evaluate.outcomes import Columns, Outcomes, example_ids
from xlmkit.evaluate.scoring import Decision, Scoring
from xlmkit.objectives.balance import Balance
from xlmkit.tasks.base import (
    Backbone,
    Done,
    Scores,
    TaskConfig,
    TaskData,
    TaskInputs,
    chosen_examples,
    figures,
    ignored,
)
from xlmkit.tasks.few_shots import few_shots
from xlmkit.tasks.reading import (
    Example,
    check_sources,
    examples,
    files_of,
    read_split,
    tell_untested,
)

if TYPE_CHECKING:
    from xlmkit.train.adaptation import Adaptation

Loss = Decision
"""What teaches a task is named by what its scores decide."""

Label = TypeVar("Label")


class SequenceConfig(TaskConfig):
    """What the sections of all tasks with a label for a text have in common."""

    train: tuple[Source, ...] = ()
    """Labelled files to learn from; without any, the labelled records of `data` are used."""
    test: tuple[Source, ...] = ()
    """Labelled files to test on, in any of the languages."""
    valid: tuple[Source, ...] = ()
    """Labelled files that choose the best step, in any of the languages; without any, the last."""
    summary_type: Literal["first", "mean"] = "first"
    """Judge by the first state, as the original does, or by the mean of all."""
    pair_form: PairForm = "apart"
    """How xlmkit's own models read pairs: apart, positions restarting as in TLM, where nothing
    tells which text came first; or joined, positions going on, as the original reads XNLI."""
    long_texts: LongTexts | None = None
    """Read texts longer than max_length in overlapping windows; without it they lose their
    ends."""

    later: ClassVar[frozenset[str]] = TaskConfig.later | {"pair_form"}

    decides: ClassVar[Loss] = "classes"
    """What the scores decide; see `SequenceData.loss`."""

    @model_validator(mode="after")
    def _votes_for_classes(self) -> Self:
        voting = self.long_texts is not None and self.long_texts.join == "vote"
        if voting and self.decides in ("number", "choice"):
            raise ValueError("join: vote needs classes to vote for; take mean, max or first")
        return self

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if bool(self.train) != bool(self.test):
            raise ValueError(
                "give both train and test files, or neither to use the records of data"
            )
        return self

    @property
    def parted_by(self) -> str:
        """What parts the labels of a text, where it may have several, or none."""
        return ""

    @property
    def _numbered(self) -> bool:
        """Whether labels are numbers, and no names of classes."""
        return self.decides in ("number", "choice")

    def inputs(self) -> dict[str, Any]:
        """Return what decides the result; models of when datasets gave no names are made anew."""
        sources = (*self.train, *self.valid, *self.test)
        named = not self._numbered and any(isinstance(source, HubSource) for source in sources)
        return {**super().inputs(), **({"classes": "by name"} if named else {})}

    @property
    def needs_corpus(self) -> bool:
        """Whether the examples are records of the recipe's data."""
        return not self.train

    def files(self, inputs: TaskInputs) -> list[Path]:
        """Return the task's own files."""
        return files_of((*self.train, *self.valid, *self.test), inputs)

    def read(self, inputs: TaskInputs) -> tuple[list[Example], list[Example]]:
        """Return the examples to learn, and those to test on.

        Raises:
            UserError: a file is missing or damaged, or has no language of which few are learned, or
                what stands beside the texts is not what this kind of task reads.
        """
        learned, tested = self._read(inputs)
        if self.decides != "choice":
            _check_beside((*learned, *tested))
        return learned, tested

    def _read(self, inputs: TaskInputs) -> tuple[list[Example], list[Example]]:
        given = list(examples(self._split("train", inputs), inputs.learned(self)))
        check_sources({one.language for one in given}, self, inputs)
        left, held_out = self.parted(
            given, inputs.sources(self), lambda one: (one.language, one.text, *one.others)
        )
        learned = few_shots(left, self, inputs, self._described)
        if self._validates:
            return learned, held_out
        tested = list(examples(self._split("test", inputs), inputs.languages))
        tell_untested({one.language for one in tested}, self, inputs)
        return learned, tested

    def _split(self, name: Literal["train", "test"], inputs: TaskInputs) -> Iterator[Record]:
        sources = self.train if name == "train" else self.test
        return read_split(sources, name, inputs, separator=self.parted_by, numbers=self._numbered)

    def _described(self, example: Example) -> tuple[str, str, str]:
        """Return language, class and text of an example; only one class each tells them apart."""
        label = example.label if self.decides == "classes" else ""
        return example.language, label, " | ".join((example.text, *example.others))


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Texts of one language with their labels.

    Attributes:
        texts: the texts; each example's choices one after the other.
        labels: numbers of classes, (examples,), int64; or of several, (examples, classes), 0 or 1;
            or values, (examples,); or numbers of choices.
        seconds: the second texts of pairs.
    """

    texts: list[str]
    labels: NDArray[Any]
    seconds: list[str] | None = None

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.labels)


@dataclass(frozen=True)
class SequenceData(TaskData):
    """A task's examples.

    Attributes:
        labels: names of the scores that a sequence gets, in their order.
        train: language to texts, the source languages only.
        test: language to texts, every language that has labels.
        left_out: language to label to test texts that cannot be judged, as it was not learned.
    """

    labels: list[str]
    train: Mapping[str, LabelledTexts]
    test: Mapping[str, LabelledTexts]
    left_out: Mapping[str, Mapping[str, int]] = field(default_factory=dict, kw_only=True)

    loss: ClassVar[Loss]
    metrics: ClassVar[tuple[str, ...]]
    """Names of the scores that `judge` returns, that which decides first."""
    choices: ClassVar[int] = 1
    """Sequences of an example."""

    @property
    def train_languages(self) -> NDArray[np.int64]:
        """Number of the language of each example to learn, (examples,)."""
        counts = [len(part.labels) for part in self.train.values()]
        return np.repeat(np.arange(len(counts)), counts)

    def texts(self, language: str) -> list[str]:
        """Return the test texts of a language, and what is read beside them."""
        part = self.test[language]
        return [*part.texts, *(part.seconds or ())]

    @abstractmethod
    def judge(self, part: LabelledTexts, scores: Scores) -> dict[str, Any]:
        """Return a language's scores by metric, in JSON, and what else is told of it.

        Args:
            part: the test texts.
            scores: of the sequences, (sequences, labels), before any softmax.
        """

    @abstractmethod
    def answers(self, part: LabelledTexts, scores: Scores) -> list[dict[str, Any]]:
        """Return of each example its `label` and what was `predicted`, as people read them."""

    def columns(self, part: LabelledTexts, scores: Scores) -> Columns:
        """Return what `xlmkit.evaluate.resampling` makes the metrics of resamples from.

        Where a kind of task gives nothing, its models are not compared in pairs.
        """
        return {}

    def balance(self, config: Any) -> Balance:  # noqa: ANN401 - the section of the kind
        """Return what is done about rare classes; by default nothing."""
        del config
        return Balance()

    def scoring(self, config: SequenceConfig) -> Scoring:
        """Return how the model is asked, and what its scores mean, for `xlmkit predict`."""
        return Scoring(
            decides=self.loss,
            pairs=any(part.seconds is not None for part in self.train.values()),
            append=_appended(config.train),
            max_length=config.max_length,
            pair_form=config.pair_form,
            long_texts=config.long_texts,
        )

    def adapt(self, backbone: Backbone, config: SequenceConfig, seed: object) -> "Adaptation":
        """Return the model with a fresh head, and what it learns.

        When it is saved, what its scores mean is kept beside it.
        """
        adaptation = backbone.classification(self, config, config.tokens_per_batch, seed)

        def save(folder: Path, weights: Mapping[str, Any], made_by: Mapping[str, Any]) -> None:
            adaptation.save(folder, weights, made_by)
            self.scoring(config).save(folder)

        return replace(adaptation, save=save)

    def measure(
        self,
        backbone: Backbone,
        folder: Path,
        config: SequenceConfig,
        sources: Sequence[str],
        done: Done = ignored,
    ) -> dict[str, Any]:
        """Score the adapted model in every language."""
        return self.measured(backbone.classifier(folder, config), config, sources, done)

    def measured(
        self,
        scorer: Any,  # noqa: ANN401 - a SequenceScorer
        config: SequenceConfig,
        sources: Sequence[str],
        done: Done = ignored,
    ) -> dict[str, Any]:
        """Score any model that answers as a `SequenceScorer`."""
        languages, shown, outcomes, seconds = {}, {}, {}, 0.0
        for language, part in self.parts(scorer.languages, done):
            began = time.perf_counter()
            scores = scorer.scores(part.texts, language, part.seconds)
            seconds += time.perf_counter() - began
            languages[language] = {**self.judge(part, scores), "n": len(part.labels)}
            answers = self._with_texts(part, scores)
            shown[language] = chosen_examples(answers)
            outcomes[language] = Outcomes(
                example_ids([a["text"] for a in answers], [a["label"] for a in answers]),
                self.columns(part, scores),
            )
        n = sum(len(part.labels) for part in self.train.values())
        found = figures(
            config, self.labels, n, sources, languages, shown, self.metrics, outcomes, seconds
        )
        return {**found, **({"left_out": self.left_out} if self.left_out else {})}

    def _with_texts(self, part: LabelledTexts, scores: Scores) -> list[dict[str, Any]]:
        answers = self.answers(part, scores)
        return [{"text": self._text(part, number), **one} for number, one in enumerate(answers)]

    def _text(self, part: LabelledTexts, number: int) -> str:
        first = number * self.choices
        if part.seconds is None:
            return part.texts[first]
        return " | ".join([part.texts[first], *part.seconds[first : first + self.choices]])


def by_language(
    found: Iterable[Example], read: Callable[[Example], Label | None]
) -> dict[str, list[tuple[Example, Label]]]:
    """Gather examples by language, without those whose label cannot be read.

    Args:
        found: the examples.
        read: from an example to its label, None where it is none.
    """
    gathered: dict[str, list[tuple[Example, Label]]] = {}
    for example in found:
        if (label := read(example)) is not None:
            gathered.setdefault(example.language, []).append((example, label))
    return gathered


def labelled_texts(
    gathered: Mapping[str, list[tuple[Example, Label]]], dtype: type
) -> dict[str, LabelledTexts]:
    """Return single texts or pairs by language."""
    return {
        language: LabelledTexts(
            [example.text for example, _ in part],
            np.array([label for _, label in part], dtype),
            [example.others[0] for example, _ in part if example.others] or None,
        )
        for language, part in gathered.items()
    }


def _appended(sources: Iterable[Source]) -> tuple[str, ...]:
    """Return the names of the columns that stand behind the text in any of the sources."""
    columns = (column for source in sources for column in getattr(source, "append", ()))
    return tuple(dict.fromkeys(map(str, columns)))


def _check_beside(found: Iterable[Example]) -> None:
    """See that all examples, to learn and to test on, are single texts, or all pairs.

    Raises:
        UserError: some are pairs and some are not, or there are choices.
    """
    widths = {len(example.others) for example in found}
    if max(widths, default=0) > 1:
        raise UserError(
            "its sources name `choices`, which only a task of kind: multiple_choice reads; give it "
            "that kind, or name the second text of a pair with `second`."
        )
    if len(widths) > 1:
        raise UserError(
            "some of its texts are pairs and some are not; give `second` in every source, of "
            "train, valid and test, or in none."
        )
