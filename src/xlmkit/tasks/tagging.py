"""Tagging: a tag for every word of a sentence (parts of speech, named entities).

Tags in one language (or a few) are learned; sentences in all languages are tagged. A word is judged
by its first sub-token (Devlin et al. 2019, section 5.3). Where tags are of entities, these are
scored as well, see `xlmkit.evaluate.spans`.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.evaluate.calibration import Calibration, top_probability
from xlmkit.evaluate.metrics import class_scores, confusion_matrix
from xlmkit.evaluate.outcomes import Outcomes, example_ids
from xlmkit.evaluate.scoring import Scoring
from xlmkit.evaluate.spans import OUTSIDE, Reading, illegal_tags, scheme
from xlmkit.evaluate.tagging import (
    entity_counts,
    entity_scores,
    sums_by_sentence,
    word_accuracy,
    word_macro_f1,
)
from xlmkit.objectives.balance import Balance, balanced_weights
from xlmkit.tasks.base import (
    Backbone,
    Done,
    TaskConfig,
    TaskData,
    TaskInputs,
    chosen_examples,
    figures,
    ignored,
)
from xlmkit.tasks.entity_tags import Entities, entity_reading
from xlmkit.tasks.few_shots import few_shots
from xlmkit.tasks.rare_classes import RARE_CLASSES, RareClasses
from xlmkit.tasks.reading import check_sources, tell_untested
from xlmkit.tasks.tagged_checks import tell_without_entities, without_unlearned
from xlmkit.tasks.tagged_reading import TaggedSentence, files_of, read_tagged
from xlmkit.tasks.tagged_sources import MAY_BE_NONE, ConlluSource, ListsHubSource, TaggedSourceKind

if TYPE_CHECKING:
    from xlmkit.train.adaptation import Adaptation

_EXAMPLE_WORDS = 25  # of the longest sentence shown, where there are shorter ones


class TaggingConfig(RareClasses, TaskConfig):
    """A task of giving each word of a sentence a tag."""

    kind: Literal["tagging"]
    """The kind of task."""
    train: tuple[TaggedSourceKind, ...] = Field(min_length=1)
    """Tagged sentences to learn from."""
    test: tuple[TaggedSourceKind, ...] = Field(min_length=1)
    """Tagged sentences to test on, in any of the languages."""
    valid: tuple[TaggedSourceKind, ...] = ()
    """Tagged sentences that choose the best step, in any of the languages."""
    entities: Entities = "auto"
    """Whether tags are of entities: bio scores them as conlleval and seqeval do, iob2 strictly, so
    that an I- that continues nothing is left out; auto takes bio where all tags are O, B- or I-,
    or also E- or S-."""
    max_length: int = Field(256, ge=8)
    """Longest part of a sentence in tokens; longer sentences are read in overlapping windows."""

    later: ClassVar[frozenset[str]] = TaskConfig.later | RARE_CLASSES | {"valid"}

    def inputs(self) -> dict[str, Any]:
        """Return what decides the result; models of when untagged words were others are made anew.

        No features were none, and -1 in a dataset was its last tag.
        """
        told_apart = any(
            source.column == MAY_BE_NONE
            if isinstance(source, ConlluSource)
            else isinstance(source, ListsHubSource)
            for source in (*self.train, *self.valid, *self.test)
        )
        return {**super().inputs(), **({"untagged": "told apart"} if told_apart else {})}

    @property
    def needs_corpus(self) -> bool:
        """Whether the examples are records of the recipe's data: never."""
        return False

    def files(self, inputs: TaskInputs) -> list[Path]:
        """Return the task's own files."""
        return files_of((*self.train, *self.valid, *self.test), inputs.base)

    def load(self, inputs: TaskInputs) -> "TaggingData":
        """Read a task's sentences.

        Raises:
            UserError: there is nothing to learn, or nothing to test on.
        """
        given = list(read_tagged(self.train, inputs, inputs.learned(self)))
        check_sources({sentence.language for sentence in given}, self, inputs)
        left, held_out = self.parted(
            given, inputs.sources(self), lambda s: (s.language, " ".join(s.words))
        )
        learned = few_shots(left, self, inputs, lambda s: (s.language, "", " ".join(s.words)))
        tested = held_out
        if not self._validates:
            tested = list(read_tagged(self.test, inputs, inputs.languages, "test"))
        names = sorted({tag for sentence in learned for tag in sentence.tags})
        if len(names) < 2:
            raise UserError(
                f"its train files have {len(names)} different tags in "
                f"{', '.join(inputs.sources(self))}, at least two are needed; see the columns."
            )
        if not tested:
            told = "files have no sentence in any of the recipe's languages."
            raise UserError(f"its {self.measured} {told}")
        tell_untested({sentence.language for sentence in tested}, self, inputs)
        tested, left_out = without_unlearned(tested, names, self.measured, inputs.task)
        reading = entity_reading(names, self.entities, inputs.task)
        if reading is not None:
            tell_without_entities(tested, self.measured)
        unseen = sorted({tag for sentence in tested for tag in sentence.tags} - set(names))
        numbers = {tag: number for number, tag in enumerate([*names, *unseen])}
        train, test = (_by_language(part, numbers) for part in (learned, tested))
        self.check_weights(names)
        data = TaggingData(names, unseen, train, test, reading, left_out=left_out)
        data.tell_oddities(self.measured)
        return data


@dataclass(frozen=True, slots=True)
class TaggedSentences:
    """Sentences of one language.

    Attributes:
        sentences: their words.
        tags: numbers of the tags of all words, sentence by sentence, (words,), int64.
    """

    sentences: list[list[str]]
    tags: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of sentences."""
        return len(self.sentences)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Words of each sentence, (sentences,)."""
        return np.array([len(words) for words in self.sentences], np.int64)

    def parted(self, tags: Iterable[str]) -> list[list[str]]:
        """Part tags of all words by sentence."""
        rest = iter(tags)
        return [[next(rest) for _ in words] for words in self.sentences]


def _by_language(
    found: Iterable[TaggedSentence], numbers: Mapping[str, int]
) -> dict[str, TaggedSentences]:
    gathered: dict[str, list[TaggedSentence]] = {}
    for sentence in found:
        gathered.setdefault(sentence.language, []).append(sentence)
    return {
        language: TaggedSentences(
            [sentence.words for sentence in part],
            np.array([numbers[tag] for sentence in part for tag in sentence.tags], np.int64),
        )
        for language, part in gathered.items()
    }


@dataclass(frozen=True)
class TaggingData(TaskData):
    """Sentences with the numbers of their words' tags.

    Attributes:
        labels: names of the tags that are learned, in the order of the scores.
        unseen: tags of test sentences that are never learned; their numbers follow.
        train: language to sentences, the source languages only.
        test: language to sentences.
        reading: how entities are read from tags, None where they are none.
        left_out: language to tag to words of test files of which no tag was learned.
    """

    labels: list[str]
    unseen: list[str]
    train: Mapping[str, TaggedSentences]
    test: Mapping[str, TaggedSentences]
    reading: Reading | None = None
    left_out: Mapping[str, Mapping[str, int]] = field(default_factory=dict, kw_only=True)

    def balance(self, config: TaggingConfig) -> Balance:
        """Return what is done about rare tags."""
        balance = config.balance(
            self.labels, lambda: balanced_weights(self.train_tags, len(self.labels))
        )
        entities = self.reading is not None and OUTSIDE in self.labels
        return replace(balance, outside=self.labels.index(OUTSIDE) if entities else None)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the scores, that which decides first."""
        entities = ("entity_f1", "entity_precision", "entity_recall") if self.reading else ()
        return (*entities, "accuracy", "macro_f1")

    @property
    def _begins_alike(self) -> bool:
        """Whether an I- may begin an entity: the tags are in IOB1."""
        return scheme(self.labels) == "IOB1"

    @cached_property
    def train_tags(self) -> NDArray[np.int64]:
        """Tags of all words to learn, (words,)."""
        return np.concatenate([part.tags for part in self.train.values()])

    @property
    def train_languages(self) -> NDArray[np.int64]:
        """Number of the language of each word to learn, (words,)."""
        counts = [len(part.tags) for part in self.train.values()]
        return np.repeat(np.arange(len(counts)), counts)

    def texts(self, language: str) -> list[str]:
        """Return the words of a language's test sentences."""
        return [word for sentence in self.test[language].sentences for word in sentence]

    def adapt(self, backbone: Backbone, config: TaggingConfig, seed: object) -> "Adaptation":
        """Return the model with a fresh head, and what it learns.

        When it is saved, how long its windows are is kept beside it.
        """
        adaptation = backbone.tagging(self, config, config.tokens_per_batch, seed)

        def save(folder: Path, weights: Mapping[str, Any], made_by: Mapping[str, Any]) -> None:
            adaptation.save(folder, weights, made_by)
            Scoring(max_length=config.max_length).save(folder)

        return replace(adaptation, save=save)

    def measure(
        self,
        backbone: Backbone,
        folder: Path,
        config: TaggingConfig,
        sources: Sequence[str],
        done: Done = ignored,
    ) -> dict[str, Any]:
        """Score the adapted model in every language."""
        return self.measured(backbone.tagger(folder, config), config, sources, done)

    def measured(
        self,
        scorer: Any,  # noqa: ANN401 - a WordScorer
        config: TaggingConfig,
        sources: Sequence[str],
        done: Done = ignored,
    ) -> dict[str, Any]:
        """Score any model that answers as a `WordScorer`."""
        languages, shown, outcomes, seconds = {}, {}, {}, 0.0
        for language, part in self.parts(scorer.languages, done):
            began = time.perf_counter()
            scores = scorer.word_scores(part.sentences, language)
            seconds += time.perf_counter() - began
            predicted = scores.argmax(axis=1)
            sure = Calibration.of_answers(top_probability(scores), predicted == part.tags)
            judged = self.judge(part, predicted)
            languages[language] = {**judged, "calibration": sure.to_json()}
            shown[language] = self._shown(part, predicted)
            outcomes[language] = self._outcomes(part, predicted)
        n = sum(len(part.sentences) for part in self.train.values())
        found = figures(
            config, self.labels, n, sources, languages, shown, self.metrics, outcomes, seconds
        )
        left_out = {"left_out": self.left_out} if self.left_out else {}
        return {**found, "unit": "words", **left_out}

    def _outcomes(self, part: TaggedSentences, predicted: NDArray[np.int64]) -> Outcomes:
        """Return of each sentence what its share in the metrics is made from."""
        names = [*self.labels, *self.unseen]
        texts = [" ".join(words) for words in part.sentences]
        right = list(part.parted(names[i] for i in part.tags))
        hits = sums_by_sentence(part.tags == predicted, part.lengths)
        columns = {"accuracy": np.stack([hits, part.lengths], axis=1)}
        if self.reading is not None:
            given = part.parted(names[i] for i in predicted)
            columns["entity_f1"] = entity_counts(right, list(given), self.reading)[0]
        return Outcomes(example_ids(texts, [" ".join(tags) for tags in right]), columns)

    def judge(self, part: TaggedSentences, predicted: NDArray[np.int64]) -> dict[str, Any]:
        """Return a language's scores by metric, in JSON, and what else is told of it.

        Words whose tag was never learned count as wrong.

        Args:
            part: the test sentences.
            predicted: number of the tag given to each word, (words,).
        """
        lengths, learned = part.lengths, len(self.labels)
        names = [*self.labels, *self.unseen]
        confusion = confusion_matrix(part.tags, predicted, len(names))
        f1 = word_macro_f1(part.tags, predicted, lengths, len(names))
        told = {
            "accuracy": word_accuracy(part.tags, predicted, lengths).to_json(),
            "macro_f1": f1.to_json(),
            "n": len(part.sentences),
            "words": len(part.tags),
            "confusion": confusion[:learned, :learned].tolist(),
            "tags": class_scores(confusion).by_name(names, every=False),
            "unseen": {names[i]: n for i in range(learned, len(names)) if (n := _n(part, i))},
        }
        if self.reading is None:
            return told
        right, given = (part.parted(names[i] for i in tags) for tags in (part.tags, predicted))
        scores = entity_scores(right, given, self.reading)
        illegal = {
            "gold": sum(map(illegal_tags, right)),
            "predicted": sum(map(illegal_tags, given)),
        }
        return {
            "entity_f1": scores.f1.to_json(),
            "entity_precision": scores.precision.to_json(),
            "entity_recall": scores.recall.to_json(),
            **told,
            "types": {kind: asdict(one) for kind, one in scores.types.items()},
            **({} if self._begins_alike else {"illegal": illegal}),
        }

    def tell_oddities(self, measured: str = "test") -> None:
        """Say how many test tags were never learned, and how many tags are not legal.

        Args:
            measured: which files are measured, test or valid.
        """
        if self.unseen:
            told = []
            for language, part in self.test.items():
                counts = Counter(
                    {tag: _n(part, len(self.labels) + i) for i, tag in enumerate(self.unseen)}
                )
                listed = ", ".join(f"{tag} ({n})" for tag, n in counts.most_common(5) if n)
                told += [f"{listed} in {language}"] if listed else []
            what = f"{measured.capitalize()} words whose tags were never learned"
            say(f"{what} count as wrong: {'; '.join(told)}.")
        if self.reading is None or self._begins_alike:
            return
        names = [*self.labels, *self.unseen]
        for what, parts in (("train", self.train), (measured, self.test)):
            found = {
                language: sum(map(illegal_tags, part.parted(names[i] for i in part.tags)))
                for language, part in parts.items()
            }
            if listed := ", ".join(f"{code} {count}" for code, count in found.items() if count):
                reading = "are left out" if self.reading == "iob2" else "begin an entity"
                say(f"Tags I- of the {what} files that continue no entity {reading}: {listed}.")

    def _shown(
        self, part: TaggedSentences, predicted: NDArray[np.int64]
    ) -> list[Mapping[str, Any]]:
        """Choose a few right and wrong sentences by the hash of their text, short ones first."""
        names = [*self.labels, *self.unseen]
        right, given = (part.parted(names[i] for i in tags) for tags in (part.tags, predicted))
        made = (
            {
                "text": " ".join(words),
                "label": self._tagged(words, gold),
                "predicted": self._tagged(words, answer),
            }
            for words, gold, answer in zip(part.sentences, right, given, strict=True)
        )
        return chosen_examples(made, lambda one: one["text"].count(" ") >= _EXAMPLE_WORDS)

    def _tagged(self, words: Sequence[str], tags: Sequence[str]) -> str:
        """Return words with their tags behind them; those outside of entities stand alone."""
        bare = OUTSIDE if self.reading else None
        return " ".join(w if t == bare else f"{w}/{t}" for w, t in zip(words, tags, strict=True))


def _n(part: TaggedSentences, number: int) -> int:
    return int((part.tags == number).sum())


SECTION = TaggingConfig
