"""The labelled records of a task: from its own files, or from the prepared corpus."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.data.corpus import read_corpus
from xlmkit.data.corpus_report import read_report
from xlmkit.data.inputs import Reading
from xlmkit.data.measures import normalize
from xlmkit.data.readers import local_files, read_source
from xlmkit.data.records import Record, labels_in
from xlmkit.data.source_base import LANGUAGE_MARK
from xlmkit.data.sources import Source
from xlmkit.tasks.base import TaskConfig, TaskInputs


class Limited(Protocol):
    """Any source of a task, of whatever kind."""

    @property
    def title(self) -> str:
        """What messages call it."""

    @property
    def languages(self) -> tuple[str, ...] | None:
        """The languages that alone are read of it."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text, or pair of texts.

    Attributes:
        language: of both.
        text: the text, or the first of a pair.
        others: what is read beside it: the second of a pair, the choices.
        label: as the file has it.
        where: "file:line".
    """

    language: str
    text: str
    others: tuple[str, ...]
    label: str
    where: str = ""


def read_split(
    sources: Iterable[Source],
    split: str,
    inputs: TaskInputs,
    *,
    labelled: bool = True,
    separator: str = "",
    numbers: bool = False,
) -> Iterator[Record]:
    """Yield records of a task's files, or, if it has none, of a split of the corpus.

    What cannot be read is counted and told.

    Args:
        sources: the files.
        split: of the corpus.
        inputs: where files are, and what counts.
        labelled: whether every text of the files needs a label.
        separator: what parts the labels of a text, where it may have several, or none.
        numbers: whether labels are numbers, those of a dataset's classes too.

    Raises:
        UserError: a file is missing or damaged, or has no label where labels are needed.
    """
    sources = tuple(sources)
    if not sources:
        records = read_corpus(inputs.corpus, split)
        yield from _numbered(records, inputs.corpus) if numbers else records
    for source in sources:
        reading = replace(reading_of(source, inputs), separator=separator, numbers=numbers)
        n = without = 0
        for record in read_source(source, reading):
            n += 1
            if record.label is not None and not separator and labels_in(record.label) is not None:
                raise UserError(
                    f"The source {source.title!r} has a list of labels at {record.where}; a task "
                    "whose texts are of several classes is of kind: multilabel."
                )
            if labelled and record.label is None:
                without += 1
                if source.label_map is None:  # else told already
                    reading.bad.add("no label", record.where, record.texts)
            yield record
        for sentence in reading.bad.sentences(source.title):
            say(sentence)
        inputs.bad.take(split, reading.bad)
        if n and without == n and not source.label_map:
            raise UserError(
                f"The source {source.title!r} has no label in any of its {n:,} texts; name the "
                "right column with label_column."
            )


def _numbered(records: Iterable[Record], corpus: Path) -> Iterator[Record]:
    """Yield records of the corpus, those of classes that have names with their numbers."""
    classes = {name: source.classes for name, source in read_report(corpus).sources.items()}
    for record in records:
        label = record.label
        number = None if label is None else classes[record.source].get(label, label)
        yield replace(record, label=number)


def reading_of(source: Limited, inputs: TaskInputs, first: Sequence[str] = ()) -> Reading:
    """Return in which languages of the recipe a source may have files, however few are wanted.

    Args:
        source: tells the languages that it is limited to, if any.
        inputs: the recipe's languages.
        first: those to read before the others.

    Raises:
        UserError: it is in a language that the recipe does not have.
    """
    code = getattr(source, "language", None)
    if code not in (None, *inputs.languages):
        raise UserError(
            f"its source {source.title!r} is in {code}, which `languages` of the recipe does not "
            "name; add it there, or leave the source out."
        )
    order = dict.fromkeys((*first, *inputs.languages))
    limited_to = source.languages
    known = tuple(code for code in order if limited_to is None or code in limited_to)
    return Reading(inputs.base, known)


def tell_untested(found: Collection[str], config: TaskConfig, inputs: TaskInputs) -> None:
    """Say which languages have no test file, where each is to have one.

    Args:
        found: languages that are tested.
        config: the task.
        inputs: the languages.
    """
    missing = [code for code in inputs.languages if code not in found]
    if config.measured == "test" and missing and any(map(_is_for_every_language, config.test)):
        before = f"finetune.{inputs.task}: " if inputs.task else ""
        say(
            f"{before}There is no test file, or nothing to be used in it, for {', '.join(missing)}."
        )


def _is_for_every_language(source: Limited) -> bool:
    places = (getattr(source, key, None) for key in ("path", "dataset", "subset"))
    return source.languages is None and any(LANGUAGE_MARK in str(place) for place in places)


def examples(records: Iterable[Record], languages: Iterable[str]) -> Iterator[Example]:
    """Yield every labelled text in one of the languages, normalised as in pretraining."""
    wanted = set(languages)
    for record in records:
        if record.label is not None:
            others = tuple(map(normalize, record.others))
            for language, text in record.texts.items():
                if language in wanted:
                    yield Example(language, normalize(text), others, record.label, record.where)


def check_sources(found: Collection[str], config: TaskConfig, inputs: TaskInputs) -> None:
    """See that every language whose labels are to be learned has some.

    Args:
        found: languages of the examples to learn; where there are none, others say so.
        config: the task.
        inputs: the languages.

    Raises:
        UserError: one has none.
    """
    missing = [code for code in inputs.sources(config) if code not in found]
    if found and missing:
        raise UserError(
            f"no label to learn from is in {', '.join(missing)}, which source_languages names; "
            "give a train file of it, or leave it out there."
        )


def files_of(sources: Iterable[Source], inputs: TaskInputs) -> list[Path]:
    """Return the files that sources read.

    Raises:
        UserError: one is missing.
    """
    return [path for source in sources for path in local_files(source, inputs.base)]
