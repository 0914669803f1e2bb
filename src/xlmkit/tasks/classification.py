"""Sequence classification: what its data are, how they are read, and its examples.

Labels in one language (or a few) are learned; texts in all languages are classified.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from xlmkit.core.config import Config
from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.data.clean import normalize
from xlmkit.data.corpus import read_corpus
from xlmkit.data.inputs import Reading
from xlmkit.data.readers import read_source
from xlmkit.data.records import Record
from xlmkit.data.sources import LanguageCode, Source


class ClassificationConfig(Config):
    """A classification task of the recipe."""

    kind: Literal["classification"] = "classification"
    """The kind of task."""
    title: str | None = None
    """What the report calls the task."""
    source_languages: tuple[LanguageCode, ...] = ()
    """Languages whose labels are learned; by default the recipe's first."""
    train: tuple[Source, ...] = ()
    """Labelled files to learn from; without any, the labelled records of `data` are used."""
    test: tuple[Source, ...] = ()
    """Labelled files to test on, in any of the languages."""
    max_length: int = Field(256, ge=8)
    """Longest text in tokens; longer ones lose their ends."""
    summary_type: Literal["first", "mean"] = "first"
    """Classify from the first state, as the original does, or from the mean of all."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout of the classifier and, in finetuning, of the whole model."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> "ClassificationConfig":
        if bool(self.train) != bool(self.test):
            raise ValueError(
                "give both train and test files, or neither to use the records of data"
            )
        return self


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Texts of one language with the numbers of their classes, (texts,)."""

    texts: list[str]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassificationData:
    """A task's examples.

    Attributes:
        labels: class names, in order of their numbers.
        train: language to texts, the source languages only.
        test: language to texts, every language that has labels.
    """

    labels: list[str]
    train: Mapping[str, LabelledTexts]
    test: Mapping[str, LabelledTexts]


def load_classification(
    config: ClassificationConfig, corpus: Path, base: Path, languages: tuple[str, ...]
) -> ClassificationData:
    """Read a task's examples.

    Args:
        config: the task.
        corpus: the prepared corpus, for tasks without files of their own.
        base: where relative paths start.
        languages: the recipe's languages.

    Raises:
        UserError: there are no labels, only one class, or no label in a source language.
    """
    sources = config.source_languages or languages[:1]
    if config.train:
        train, test = (_read(part, base, languages) for part in (config.train, config.test))
    else:
        train, test = (read_corpus(corpus, split) for split in ("train", "test"))
    learned = list(_labelled(train, sources))
    names = sorted({label for _, _, label in learned})
    if len(names) < 2:
        raise UserError(
            f"There are {len(names)} different labels in {', '.join(sources)} to learn from, at "
            "least two are needed; give `label` in a source of data, or train and test files."
        )
    number = {name: place for place, name in enumerate(names)}
    unknown: Counter[str] = Counter()
    return ClassificationData(
        names,
        _by_language(learned, number, unknown),
        _by_language(_labelled(test, languages), number, unknown),
    )


def _read(sources: Iterable[Source], base: Path, languages: tuple[str, ...]) -> Iterator[Record]:
    for source in sources:
        reading = Reading(base, languages)
        yield from read_source(source, reading)
        for reason, places in reading.bad.places.items():
            say(f"{source.title}: {reading.bad.counts[reason]} lines left out ({reason}): {places}")


def _labelled(
    records: Iterable[Record], languages: Iterable[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield language, text and label of every labelled text."""
    wanted = set(languages)
    for record in records:
        if record.label is not None:
            for language, text in record.texts.items():
                if language in wanted:
                    yield language, normalize(text), record.label


def _by_language(
    examples: Iterable[tuple[str, str, str]], number: Mapping[str, int], unknown: Counter[str]
) -> dict[str, LabelledTexts]:
    texts: dict[str, list[str]] = {}
    labels: dict[str, list[int]] = {}
    for language, text, label in examples:
        if label not in number:
            unknown[label] += 1
            continue
        texts.setdefault(language, []).append(text)
        labels.setdefault(language, []).append(number[label])
    if unknown:
        listed = ", ".join(f"{label} ({count})" for label, count in unknown.most_common(5))
        say(f"Test texts whose labels were never learned are left out: {listed}.")
    return {code: LabelledTexts(texts[code], np.array(labels[code])) for code in texts}
