"""Question answering: which words of a context answer a question, if any (SQuAD, XQuAD, MLQA).

The questions of one language (or a few) are learned, those of all languages are answered. Rajpurkar
et al. 2016 and 2018; Artetxe et al. 2020; Lewis et al. 2020.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.data.permutation import key_of
from xlmkit.data.questions import Question, QuestionSource
from xlmkit.data.squad import question_files, read_questions
from xlmkit.data.text_windows import PairForm
from xlmkit.evaluate.answers import SPECIAL_TOKENS, Answering, Answers
from xlmkit.evaluate.outcomes import Outcomes, example_ids
from xlmkit.evaluate.protocols import QuestionAnswerer
from xlmkit.evaluate.question_answering import (
    Normalisation,
    answer_scores,
    best_threshold,
    judge_answers,
)
from xlmkit.tasks.answer_examples import answer_examples, by_question_language
from xlmkit.tasks.base import (
    Backbone,
    Done,
    TaskConfig,
    TaskData,
    TaskInputs,
    figures,
    ignored,
)
from xlmkit.tasks.few_shots import few_shots
from xlmkit.tasks.reading import check_sources, reading_of, tell_untested

if TYPE_CHECKING:
    from collections.abc import Mapping as Weights

    from xlmkit.train.adaptation import Adaptation

_HELD_OUT = 10  # one context in so many finds the threshold, where no files are given for it
_LOST = "answer not in its context"
_UNANSWERABLE = "no answer, which the model never learned to give, but counted as any other"
_SPLIT_METRICS = ("has_answer_f1", "has_answer_exact_match", "no_answer_accuracy")


class QuestionAnsweringConfig(TaskConfig):
    """A task of finding the answers to questions in texts."""

    kind: Literal["question_answering"]
    """The kind of task."""
    train: tuple[QuestionSource, ...] = Field(min_length=1)
    """Files or datasets to learn from."""
    valid: tuple[QuestionSource, ...] = ()
    """Those that choose the best step, in any of the languages, and on which `null_threshold` is
    found; by default the last step, and a tenth of the contexts of `train`."""
    test: tuple[QuestionSource, ...] = Field(min_length=1)
    """Those to test on, in any of the languages."""
    head: Literal["simple", "beam"] = "simple"
    """Starts and ends by themselves, or the best starts and their ends (xlmkit's models only)."""
    max_length: int = Field(384, ge=16)
    """Longest window of question and context in tokens."""
    max_question: int = Field(64, ge=1)
    """Longest question in tokens; longer ones lose their ends."""
    stride: int = Field(128, ge=0)
    """Tokens that neighbouring windows of a long context have in common."""
    max_answer: int = Field(30, ge=1)
    """Longest answer in tokens."""
    n_best: int = Field(20, ge=1)
    """Answers that are kept of each question."""
    null_threshold: float | None = None
    """Score of there being no answer above which none is given, a logit; by default found on data
    of the source languages, where some of their questions have no answer."""
    start_n_top: int = Field(5, ge=1)
    """Starts that a beam head follows up."""
    end_n_top: int = Field(5, ge=1)
    """Ends of each start that a beam head follows up."""
    pair_form: PairForm = "apart"
    """How xlmkit's own models read the question with the context: apart, positions restarting as in
    TLM; or joined, positions going on, so that the model knows which is which."""
    normalisation: Normalisation = "squad"
    """How answers are compared: as SQuAD's script does, or as MLQA's, by language."""

    later: ClassVar[frozenset[str]] = TaskConfig.later | {"pair_form"}

    @model_validator(mode="after")
    def _room_for_the_context(self) -> Self:
        if 2 * self.max_question > self.max_length:
            default = "" if "max_question" in self.model_fields_set else ", its default"
            raise ValueError(
                f"max_question ({self.max_question}{default}) must be at most half of max_length "
                f"({self.max_length})"
            )
        if self.stride >= self.max_length - self.max_question - SPECIAL_TOKENS:
            raise ValueError(
                f"stride must be less than max_length - max_question - {SPECIAL_TOKENS}, the room "
                "that a question leaves for its context"
            )
        return self

    @property
    def needs_corpus(self) -> bool:
        """Whether the examples are records of the recipe's data: never."""
        return False

    @property
    def answering(self) -> Answering:
        """How models of this task are asked."""
        return Answering.model_validate(self.model_dump(include=set(Answering.model_fields)))

    def files(self, inputs: TaskInputs) -> list[Path]:
        """Return the task's own files."""
        sources = (*self.train, *self.valid, *self.test)
        return [path for source in sources for path in question_files(source, inputs.base)]

    def inputs(self) -> dict[str, Any]:
        """Return what decides the result; models of when `valid` chose no step are made anew."""
        return {**super().inputs(), **({"chosen_by": "valid"} if self.valid else {})}

    def load(self, inputs: TaskInputs) -> "QuestionAnsweringData":
        """Read the questions.

        Raises:
            UserError: a file is missing or damaged, or nothing can be learned from.
        """
        sources = inputs.sources(self)
        given = list(_read(self.train, inputs.learned(self), inputs, "train"))
        if not given:
            told = f"its train files have no question in {', '.join(inputs.learned(self))}."
            raise UserError(told)
        check_sources({question.language for question in given}, self, inputs)
        left, held_out = self.parted(given, sources, lambda one: (one.language, one.context))
        train = few_shots(left, self, inputs, lambda one: (one.language, "", one.text))
        valid = [*_read(self.valid, sources, inputs, "valid"), *held_out]
        test = held_out
        if not self._validates:
            test = list(_read(self.test, inputs.languages, inputs, "test"))
        if not test:
            told = "files have no question in any of the recipe's languages."
            raise UserError(f"its {self.measured} {told}")
        tell_untested({question.language for question in test}, self, inputs)
        told = (
            f"{self.measured.capitalize()} questions count as any other whose answers do not occur "
        )
        told += "in their contexts"
        for language, n in _lost(test, told).items():
            inputs.bad.add("test", language, f"{_LOST}, but counted as any other", n)
        refusing = any(not question.answers for question in (*train, *valid))
        if not refusing and self.null_threshold is None and not self._validates:
            _tell_unanswerable(test, inputs)
        if refusing and self.null_threshold is None and not valid:
            valid = [q for q in train if _finds_threshold(q, sources)]
            train = [q for q in train if not _finds_threshold(q, sources)]
        told = "Training questions left out, as no answer occurs in their contexts"
        for language, n in _lost(train, told).items():
            inputs.bad.add("train", language, _LOST, n)
        train = [question for question in train if not question.answers or question.place()]
        if not any(question.answers for question in train):
            raise UserError("no question of its train files has an answer that is in its context.")
        return QuestionAnsweringData(train, valid if refusing else [], _by_language(test))


def _finds_threshold(question: Question, sources: Collection[str]) -> bool:
    return question.language in sources and key_of(question.context) % _HELD_OUT == 0


def _read(
    sources: Iterable[QuestionSource], languages: Sequence[str], inputs: TaskInputs, split: str
) -> Iterable[Question]:
    """Yield the questions of these languages; what is damaged is counted and told."""
    for source in sources:
        reading = reading_of(source, inputs, languages)
        if source.language is not None and source.language not in languages:
            continue  # as of texts: other languages of the files are left
        if source.question_language not in (None, *inputs.languages):
            told = f"asks in {source.question_language}, which is none of the recipe's languages"
            raise UserError(f"its source {source.title!r} {told}; add it, or leave the source out.")
        yield from read_questions(source, reading, languages)
        for sentence in reading.bad.sentences(source.title, "questions"):
            say(sentence)
        inputs.bad.take(split, reading.bad)


def _lost(questions: Iterable[Question], told: str) -> Counter[str]:
    """Count the questions whose answers are not in their contexts, by language, and say so."""
    lost = Counter(q.language for q in questions if q.answers and not q.place())
    if lost:
        say(f"{told}: {', '.join(f'{code} {n}' for code, n in lost.items())}.")
    return lost


def _tell_unanswerable(questions: Sequence[Question], inputs: TaskInputs) -> None:
    """Count the questions that a model which learned to answer all has wrong, and say so."""
    asked = Counter(question.language for question in questions)
    for language, n in Counter(q.language for q in questions if not q.answers).items():
        inputs.bad.add("test", language, _UNANSWERABLE, n)
        say(
            f"{n:,} of {asked[language]:,} test questions in {language} have no answer, but the "
            "model never learned to give none; train on such questions."
        )


def _by_language(questions: Iterable[Question]) -> dict[str, list[Question]]:
    found: dict[str, list[Question]] = {}
    for question in questions:
        found.setdefault(question.language, []).append(question)
    return found


@dataclass(frozen=True)
class QuestionAnsweringData(TaskData):
    """Questions to learn, to find the threshold on, and to be tested on.

    Attributes:
        train: of the source languages; every answer is in its context.
        valid: of the source languages; empty where no threshold is to be found.
        test: language to questions.
    """

    train: Sequence[Question]
    valid: Sequence[Question]
    test: Mapping[str, Sequence[Question]]

    def texts(self, language: str) -> list[str]:
        """Return a language's contexts, each once, and the questions that are asked in it."""
        questions = self.test[language]
        asked = [one.text for one in questions if one.asked_in == language]
        return [*asked, *dict.fromkeys(one.context for one in questions)]

    def adapt(
        self, backbone: Backbone, config: QuestionAnsweringConfig, seed: object
    ) -> "Adaptation":
        """Return the model with a fresh head, and what it learns.

        When it is saved, the threshold is found and kept beside it.
        """
        adaptation = backbone.question_answering(self.train, config, seed)

        def save(folder: Path, weights: "Weights[str, Any]", made_by: Mapping[str, Any]) -> None:
            adaptation.save(folder, weights, made_by)
            settings = config.answering
            if settings.null_threshold is None and self.valid:
                threshold = self._threshold(backbone.answerer(folder, settings), config)
                settings = settings.model_copy(update={"null_threshold": threshold})
            settings.save(folder)

        return replace(adaptation, save=save)

    def _threshold(self, answerer: QuestionAnswerer, config: QuestionAnsweringConfig) -> float:
        """Return the threshold that is best on the held-out questions, and tell it."""
        found = answerer.answers(self.valid)
        _, f1 = _scored(self.valid, found, None, config.normalisation)
        answerable = np.array([bool(question.answers) for question in self.valid])
        threshold = best_threshold(np.array([one.no_answer for one in found]), f1, answerable)
        say(
            f"No answer is given where its score is above {threshold:.2f}, which is best on "
            f"{len(self.valid)} held-out questions of the source languages, "
            f"{int((~answerable).sum())} of them without an answer."
        )
        return threshold

    def measure(
        self,
        backbone: Backbone,
        folder: Path,
        config: QuestionAnsweringConfig,
        sources: Sequence[str],
        done: Done = ignored,
    ) -> dict[str, Any]:
        """Score the adapted model in every language."""
        answerer = backbone.answerer(folder, Answering.load(folder))
        return self.measured(answerer, config, sources, done)

    def measured(
        self,
        answerer: QuestionAnswerer,
        config: QuestionAnsweringConfig,
        sources: Sequence[str],
        done: Done = ignored,
    ) -> dict[str, Any]:
        """Score any model that answers questions."""
        threshold, languages, shown = answerer.settings.null_threshold, {}, {}
        outcomes, asked_in, seconds = {}, {}, 0.0
        for language, questions in self.parts(answerer.languages, done):
            began = time.perf_counter()
            found = answerer.answers(questions)
            seconds += time.perf_counter() - began
            exact, f1 = _scored(questions, found, threshold, config.normalisation)
            answerable = np.array([bool(question.answers) for question in questions])
            judged = judge_answers(exact, f1, answerable, config.normalisation)
            answered = sum(bool(one.best(threshold)) for one in found)
            languages[language] = {**judged, "n": len(questions), "answered": answered}
            asked_in[language] = by_question_language(questions, exact, f1)
            shown[language] = answer_examples(questions, found, exact, threshold)
            texts = [f"{one.text} | {one.context}" for one in questions]
            right = [" | ".join(answer.text for answer in one.answers) for one in questions]
            columns = {"f1": f1, "exact_match": exact}
            outcomes[language] = Outcomes(example_ids(texts, right), columns)
        everywhere = [m for m in _SPLIT_METRICS if all(m in one for one in languages.values())]
        metrics = ("f1", "exact_match", *everywhere)
        n = len(self.train)
        made = figures(config, ["span"], n, sources, languages, shown, metrics, outcomes, seconds)
        mixed = any([*one] != [code] for code, one in asked_in.items())
        return {**made, "null_threshold": threshold, **({"asked_in": asked_in} if mixed else {})}


def _scored(
    questions: Sequence[Question],
    found: Sequence[Answers],
    threshold: float | None,
    normalisation: Normalisation,
) -> tuple[Any, Any]:
    """Return exact match and F1 of questions of one language or several, (questions,) each."""
    exact, f1 = np.zeros(len(questions)), np.zeros(len(questions))
    codes = np.array([question.language for question in questions])
    for code in dict.fromkeys(codes.tolist()):
        mine = np.flatnonzero(codes == code).tolist()
        given = [found[i].best(threshold) for i in mine]
        right = [[answer.text for answer in questions[i].answers] for i in mine]
        exact[mine], f1[mine] = answer_scores(given, right, code, normalisation)
    return exact, f1


SECTION = QuestionAnsweringConfig
