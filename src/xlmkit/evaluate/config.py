"""The recipe sections of measurement."""

from collections.abc import Iterator, Sequence
from typing import Self

from pydantic import Field, model_validator

from xlmkit.core.config import Config
from xlmkit.data.source_base import LanguageCode
from xlmkit.data.sources import Source


class SpaceConfig(Config):
    """How texts of two languages are compared."""

    layer: int | None = Field(None, ge=0)
    """Layer whose states are compared, 0 for the embeddings; by default chosen on validation."""
    centre: bool = True
    """Take each language's mean away from its vectors."""
    whiten: bool = False
    """Let all directions of the space vary alike."""
    stride: int | None = Field(None, ge=0, exclude_if=lambda stride: stride is None)
    """Read sentences longer than the model in windows that share so many tokens; without it they
    lose their ends."""


class SentencesConfig(SpaceConfig):
    """What all searches for translations have in common."""

    pivot: str | None = None
    """The language that all others are paired with; by default the recipe's first."""
    neighbours: int = Field(4, ge=1)
    """Nearest sentences by which the margin judges how near a sentence is to all others."""


class RetrievalConfig(SentencesConfig):
    """The recipe section of retrieval."""

    candidates: int = Field(1000, ge=2)
    """Sentences among which the translation is sought; fewer where there are fewer."""


class SentenceSetConfig(SentencesConfig):
    """Retrieval among the sentences of files, such as the Tatoeba test sets."""

    title: str | None = None
    """What the report calls it."""
    sources: tuple[Source, ...] = Field(min_length=1)
    """Files of translations; any number of languages."""
    valid: tuple[Source, ...] = ()
    """Translations to choose the layer on; by default the validation split of `data`."""
    candidates: int | None = Field(None, ge=2)
    """The most sentences among which a translation is sought; by default all."""


class DirectionConfig(Config):
    """From which language to which translations are found."""

    source: LanguageCode
    """Language of what is translated."""
    target: LanguageCode
    """Language of the translations."""

    @property
    def name(self) -> str:
        """Both languages, "en-de"."""
        return f"{self.source}-{self.target}"


class DictionaryConfig(DirectionConfig):
    """A list of words with their translations, such as those of MUSE."""

    path: str
    """A file; every line has a word and one translation, with a tab or a space between."""
    words: str | None = None
    """A file with the words to search among, one a line; by default all translations."""


class LexiconConfig(SpaceConfig):
    """Finding the translations of words."""

    title: str | None = None
    """What the report calls it."""
    dictionaries: tuple[DictionaryConfig, ...] = Field(min_length=1)
    """What is to be found."""
    neighbours: int = Field(10, ge=1)
    """Nearest words by which CSLS judges how near a word is to all others."""

    @model_validator(mode="after")
    def _each_direction_once(self) -> Self:
        _check_once(self.dictionaries)
        return self


class MinedFilesConfig(Config):
    """Two texts that are not aligned, and which of their sentences are translations."""

    source: str
    """A file with a sentence of the source language on each line."""
    target: str
    """The same of the target language."""
    gold: str
    """A file with a pair on each line: two ids, or numbers of lines, with a tab between."""


class MinedPairConfig(DirectionConfig):
    """A pair of languages between which translations are mined."""

    test: MinedFilesConfig
    """The texts that are scored."""
    valid: MinedFilesConfig | None = None
    """Texts to choose the threshold on; by default a part of `test`, see `tuning`."""

    @property
    def files(self) -> tuple[str, ...]:
        """All files."""
        sets = [one for one in (self.test, self.valid) if one]
        return tuple(path for one in sets for path in (one.source, one.target, one.gold))


class MiningConfig(SpaceConfig):
    """Mining translations from texts that are not aligned, such as those of BUCC."""

    title: str | None = None
    """What the report calls it."""
    pairs: tuple[MinedPairConfig, ...] = Field(min_length=1)
    """What is mined."""
    ids: bool = False
    """Lines begin with the sentence's id and a tab, as in BUCC."""
    neighbours: int = Field(4, ge=1)
    """Nearest sentences by which the margin judges how near a sentence is to all others."""
    threshold: float | None = None
    """Least margin of a pair that counts; by default that with the best F1 on `valid`, or on the
    part of `test` that is not scored."""
    tuning: float = Field(0.5, gt=0, lt=1)
    """Without `valid`: share of the source sentences whose gold pairs choose the threshold; the
    others are scored."""

    @model_validator(mode="after")
    def _each_pair_once(self) -> Self:
        _check_once(self.pairs)
        return self


def _check_once(sections: Sequence[DirectionConfig]) -> None:
    names = [section.name for section in sections]
    if again := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{again[0]} is listed twice; give it a set of its own")


class EvaluateConfig(Config):
    """What is measured besides the tasks."""

    language_modeling: bool = True
    """Perplexity and accuracy of held-out words, per language."""
    retrieval: RetrievalConfig | None = RetrievalConfig()
    """Finding the translations of held-out sentences, where there are any."""
    retrievals: dict[str, SentenceSetConfig] = Field(default_factory=dict)
    """Finding the translations of sentences in files, by name."""
    lexicons: dict[str, LexiconConfig] = Field(default_factory=dict)
    """Finding the translations of words, by name."""
    minings: dict[str, MiningConfig] = Field(
        default_factory=dict, exclude_if=lambda minings: not minings
    )
    """Mining translations from texts that are not aligned, by name."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files of sentences."""
        return tuple(s for part in self.retrievals.values() for s in (*part.sources, *part.valid))

    @property
    def paths(self) -> tuple[str, ...]:
        """The files of words, and those that are mined."""
        read = [d for lexicon in self.lexicons.values() for d in lexicon.dictionaries]
        words = [path for one in read for path in (one.path, one.words) if path]
        mined = [pair for mining in self.minings.values() for pair in mining.pairs]
        return (*words, *(path for pair in mined for path in pair.files))

    def spaces(self) -> Iterator[tuple[str, SpaceConfig]]:
        """Yield every section that compares languages, with its place in the recipe."""
        if self.retrieval:
            yield "evaluate.retrieval", self.retrieval
        yield from ((f"evaluate.retrievals.{name}", one) for name, one in self.retrievals.items())
        yield from ((f"evaluate.lexicons.{name}", one) for name, one in self.lexicons.items())
        yield from ((f"evaluate.minings.{name}", one) for name, one in self.minings.items())

    def languages_named(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the languages that each of these sections names."""
        for place, section in self.spaces():
            if isinstance(section, SentencesConfig) and section.pivot:
                yield place, (section.pivot,)
            if isinstance(section, LexiconConfig):
                for number, one in enumerate(section.dictionaries):
                    yield f"{place}.dictionaries.{number}", (one.source, one.target)
            if isinstance(section, MiningConfig):
                for number, pair in enumerate(section.pairs):
                    yield f"{place}.pairs.{number}", (pair.source, pair.target)
