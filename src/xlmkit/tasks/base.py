"""What a task is, to all that adapts, measures and reports: one section, and the data it loads.

A task is one file of this folder. Its section is a `TaskConfig`, which reads files and gives the
task's data; the data say what a model is asked (through a method of `Backbone`) and how good the
answers are. Nothing here needs torch, so that a recipe is checked at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from xlmkit.data.permutation import key_of
from xlmkit.data.questions import Question
from xlmkit.data.source_base import LanguageCode
from xlmkit.evaluate.answers import Answering
from xlmkit.evaluate.outcomes import Outcomes
from xlmkit.evaluate.protocols import (
    QuestionAnswerer,
    SequenceScorer,
    WordEncoder,
    WordScorer,
)
from xlmkit.tasks.bad_input import BadInput
from xlmkit.tasks.choosing import ChoosingConfig
from xlmkit.train.config import OptimizerConfig

if TYPE_CHECKING:
    from xlmkit.tasks.sequences import SequenceData
    from xlmkit.tasks.tagging import TaggingData
    from xlmkit.train.adaptation import Adaptation

_EXAMPLES = 3  # of each kind and language


def _some_seeds(seeds: int | tuple[int, ...]) -> int | tuple[int, ...]:
    if seeds in (0, ()) or min(seeds if isinstance(seeds, tuple) else (seeds,)) < 0:
        raise ValueError("give a number of seeds from 1, or a list of seeds from 0")
    if isinstance(seeds, tuple) and len(set(seeds)) < len(seeds):
        raise ValueError("a seed is listed twice")
    return seeds


class TaskConfig(ChoosingConfig, ABC):
    """A task, and how models are adapted to it: what the sections of all kinds have in common."""

    kind: str
    """The kind of task."""
    title: str | None = None
    """What the report calls the task."""
    source_languages: tuple[LanguageCode, ...] = ()
    """Languages whose labels are learned; by default the recipe's first."""
    max_length: int = Field(256, ge=8)
    """Longest text in tokens; longer ones lose their ends."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout of the head and, in finetuning, of the whole model."""
    epochs: float = Field(3.0, gt=0)
    """How often each example is seen."""
    tokens_per_batch: int = Field(1024, ge=16)
    """Tokens of a batch."""
    optimizer: OptimizerConfig = OptimizerConfig(lr=1e-4, warmup=100, betas=(0.9, 0.999))
    """Rates of learning."""
    few_shot: int | None = Field(None, ge=1)
    """So many labelled examples of each other language of the train files are learned as well,
    drawn by the seed; of a classification so many of each class."""
    language_alpha: float = Field(1.0, ge=0, le=1)
    """How often examples come by their language, where those of several are learned: 1 as they
    are, 0 from all languages alike."""
    freeze: Literal["embeddings"] | Annotated[int, Field(ge=1)] | None = None
    """Keep the embeddings as they are, or these and so many of the lowest layers."""
    layer_decay: float = Field(1.0, gt=0, le=1)
    """The learning rate of each layer as a share of that above it; 0.8 to 0.95 are usual."""
    seeds: Annotated[int | tuple[int, ...], AfterValidator(_some_seeds)] = 1
    """With how many seeds the adaptation is done, from the recipe's own upward, or with which; the
    first stands for the task, and the mean and deviation of all are reported."""

    later: ClassVar[frozenset[str]] = frozenset(
        {"freeze", "layer_decay", "few_shot", "language_alpha", "sweep", "validate_steps"}
        | {"valid_share"}
    )
    """Keys that stages made before there were such keys know nothing of."""

    def inputs(self) -> dict[str, Any]:
        """Return what decides the result, as plain values.

        A key that came later is left out where it has its default, so that what was made before
        still holds. Seeds are left out, since each has a stage of its own.
        """
        unchanged = {
            name
            for name, field in type(self).model_fields.items()
            if name in self.later and getattr(self, name) == field.default
        }
        return self.model_dump(mode="json", exclude={"title", "seeds", *unchanged})

    def seeds_from(self, first: int) -> tuple[int, ...]:
        """Return the seeds of the adaptation.

        Args:
            first: the recipe's.
        """
        given = self.seeds
        return tuple(range(first, first + given)) if isinstance(given, int) else given

    @property
    @abstractmethod
    def needs_corpus(self) -> bool:
        """Whether the examples are records of the recipe's data."""

    @abstractmethod
    def files(self, inputs: "TaskInputs") -> list[Path]:
        """Return the files that the task reads.

        Raises:
            UserError: one is missing.
        """

    def files_learned_and_tested(self, inputs: "TaskInputs") -> list[Path]:
        """Return the files that are among those to learn from and those to test on."""

        def of(part: str) -> set[Path]:
            others = {name: () for name in ("train", "valid", "test") if name != part}
            return set(self.model_copy(update=others).files(inputs))

        return sorted(of("train") & of("test"))

    @abstractmethod
    def load(self, inputs: "TaskInputs") -> "TaskData":
        """Read the examples.

        Raises:
            UserError: there are none to learn from, or none to test on.
        """


@dataclass(frozen=True, slots=True)
class TaskInputs:
    """Where examples come from.

    Attributes:
        corpus: the prepared corpus, for tasks without files of their own.
        base: where relative paths start.
        languages: the recipe's languages.
        seed: draws the examples that few are learned of.
        task: what messages call the task.
        bad: counts what is wrong in the files.
    """

    corpus: Path
    base: Path
    languages: tuple[str, ...]
    seed: int = 0
    task: str = ""
    bad: BadInput = field(default_factory=BadInput, compare=False)

    def sources(self, config: TaskConfig) -> tuple[str, ...]:
        """Return the languages whose labels are learned."""
        return config.source_languages or self.languages[:1]

    def learned(self, config: TaskConfig) -> tuple[str, ...]:
        """Return the languages of which labels are learned, all or few."""
        return self.sources(config) if config.few_shot is None else self.languages


Done = Callable[[int], object]
"""Is told how many examples more are done."""


def ignored(count: int) -> None:
    """Take no notice of how far it is."""
    del count


class TaskData(ABC):
    """A task's examples, and how a model learns and answers them: a dataclass.

    Attributes:
        test: language to the examples to test on.
    """

    test: Mapping[str, Any]

    def of(self, languages: Collection[str]) -> Self:
        """Return the task with the test examples of these languages only."""
        test = {code: part for code, part in self.test.items() if code in languages}
        return replace(self, test=test)  # type: ignore[type-var]

    @property
    def test_size(self) -> int:
        """The number of test examples in all languages."""
        return sum(map(len, self.test.values()))

    def parts(self, languages: Iterable[str], done: Done = ignored) -> Iterator[tuple[str, Any]]:
        """Yield each of these languages that has test examples, with them, and say when it is done.

        Args:
            languages: those that a model knows.
            done: is told how many examples were answered.
        """
        for language in languages:
            if part := self.test.get(language):
                yield language, part
                done(len(part))

    @abstractmethod
    def texts(self, language: str) -> list[str]:
        """Return all that a model reads of a language's test examples."""

    @abstractmethod
    def adapt(self, backbone: "Backbone", config: Any, seed: object) -> "Adaptation":  # noqa: ANN401
        """Return the model with a fresh head, and what it learns.

        Args:
            backbone: the pretrained model.
            config: the task's section, of the class that loaded the data.
            seed: fixes the order of the examples.
        """

    @abstractmethod
    def measure(
        self,
        backbone: "Backbone",
        folder: Path,
        config: Any,  # noqa: ANN401
        sources: Sequence[str],
        done: Done = ignored,
    ) -> dict[str, Any]:
        """Score the adapted model in `folder`, in every language.

        Args:
            backbone: what it was adapted from.
            folder: what `adapt` has saved.
            config: the task's section.
            sources: languages whose labels it learned; the average is over the others.
            done: is told how many examples were answered, language by language.

        Returns:
            What `figures` makes: plain values for results.json, and, below `outcomes`, what was
            answered to every example, which goes to a file of its own.
        """


class Backbone(WordEncoder, Protocol):
    """A pretrained model of any family. A task that asks in another way adds its question here."""

    @property
    def unknown_languages(self) -> Sequence[str]:
        """Languages that it is asked about, though it names its own and these are not of them."""
        ...

    @property
    def n_parameters(self) -> int:
        """Parameters without any head."""
        ...

    def classification(
        self,
        data: "SequenceData",
        config: Any,  # noqa: ANN401 - a SequenceConfig
        tokens: int,
        seed: object,
    ) -> "Adaptation":
        """Return the model with a head that scores sequences, and what it learns.

        A fresh head is drawn from torch's generator, which the caller has seeded.

        Args:
            data: the task's examples.
            config: the task.
            tokens: tokens of a batch.
            seed: fixes the order of the examples.
        """
        ...

    def classifier(self, folder: Path, config: Any) -> SequenceScorer:  # noqa: ANN401
        """Open what `classification` has saved."""
        ...

    def tagging(
        self,
        data: "TaggingData",
        config: Any,  # noqa: ANN401 - a TaggingConfig
        tokens: int,
        seed: object,
    ) -> "Adaptation":
        """Return the model with a fresh head that scores words; arguments as `classification`."""
        ...

    def tagger(self, folder: Path, config: Any) -> WordScorer:  # noqa: ANN401
        """Open what `tagging` has saved."""
        ...

    def question_answering(
        self,
        questions: Sequence[Question],
        config: Any,  # noqa: ANN401 - a QuestionAnsweringConfig
        seed: object,
    ) -> "Adaptation":
        """Return the model with a fresh head that finds answers, and what it learns.

        Args:
            questions: with their answers.
            config: the task.
            seed: fixes the order of the examples.
        """
        ...

    def answerer(self, folder: Path, settings: Answering) -> QuestionAnswerer:
        """Open what `question_answering` has saved."""
        ...


def figures(
    config: TaskConfig,
    labels: Sequence[str],
    n_train: int,
    sources: Sequence[str],
    languages: Mapping[str, Mapping[str, Any]],
    examples: Mapping[str, Sequence[Mapping[str, Any]]],
    metrics: Sequence[str],
    outcomes: Mapping[str, Outcomes] | None = None,
    seconds: float | None = None,
) -> dict[str, Any]:
    """Return a task's part of results.json, and its outcomes.

    Args:
        config: the task.
        labels: names of what is predicted.
        n_train: examples that were learned.
        sources: languages whose labels were learned.
        languages: language to its scores by metric, in JSON, and what else is told of it.
        examples: language to a few answers.
        metrics: the metrics, that which decides first.
        outcomes: language to what was answered to each example, for comparison in pairs.
        seconds: how long the model took for the answers in all languages.
    """
    others = [language for language in languages if language not in sources]
    counted = [x for x in others if languages[x][metrics[0]]["value"] is not None]
    values = {m: [languages[code][m]["value"] for code in others] for m in metrics if others}
    known = {m: [value for value in found if value is not None] for m, found in values.items()}
    average = {m: float(np.mean(found)) for m, found in known.items() if found}
    return {
        "kind": config.kind,
        "title": config.title,
        "labels": list(labels),
        "metrics": list(metrics),
        "source_language": sources[0],
        "source_languages": list(sources),
        "few_shot": config.few_shot,
        "train_examples": n_train,
        "languages": dict(languages),
        "average": {**average, "over": counted},
        "seconds": seconds,
        "examples": dict(examples),
        "outcomes": dict(outcomes or {}),
    }


def chosen_examples(
    answers: Iterable[Mapping[str, Any]], is_long: Callable[[Mapping[str, Any]], bool] | None = None
) -> list[Mapping[str, Any]]:
    """Choose a few right and wrong answers by the hash of their text, so not by beauty.

    Args:
        answers: each with its `text`, its `label` and what was `predicted`.
        is_long: tells those that are shown only if there are no others.
    """
    order = sorted(answers, key=lambda one: (bool(is_long and is_long(one)), key_of(one["text"])))
    right = [one for one in order if one["label"] == one["predicted"]]
    wrong = [one for one in order if one["label"] != one["predicted"]]
    return right[:_EXAMPLES] + wrong[:_EXAMPLES]


Scores = NDArray[np.float32]
"""What a model gives, before any softmax."""
