"""By which texts a translator is judged: translations, or else text of single languages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np

from xlmkit.core.errors import UserError
from xlmkit.core.log import say_once
from xlmkit.data.corpus import read_corpus
from xlmkit.data.shards import Shards
from xlmkit.evaluate.language_identifier import TEXTS, LanguageIdentifier
from xlmkit.objectives.config import SummaryConfig
from xlmkit.plan import RunPlan
from xlmkit.tasks.summaries import load_summaries
from xlmkit.tasks.translation import TranslatedTexts, load_translations
from xlmkit.text.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Watched:
    """What is translated in one direction to see how a translator does.

    Attributes:
        sources: the texts.
        references: their translations, or summaries; None where there are none.
        summary: how the texts are summarised; None where they are translated.
    """

    sources: list[str]
    references: list[str] | None = None
    summary: SummaryConfig | None = None

    def first(self, most: int) -> "Watched":
        """Return a part of the texts."""
        return replace(
            self,
            sources=self.sources[:most],
            references=self.references and self.references[:most],
        )


def watched(plan: RunPlan, name: str, split: str) -> dict[str, Watched]:
    """Return what is translated in each direction of a translator, of the valid or test split.

    A learned direction without translations has the split's text in its source language. Texts to
    be summarised come from the files of the translator's own section.
    """
    found = {
        direction: Watched(part.sources, part.references)
        for direction, part in held_out(plan, name, split).items()
    }
    for direction in learned_directions(plan, name):
        if direction not in found and (texts := _single(plan, direction, split)):
            found[direction] = Watched(texts)
    return {**found, **_summarised(plan, plan.translator(name).summary, split)}


def _summarised(plan: RunPlan, section: SummaryConfig | None, split: str) -> dict[str, Watched]:
    """Return texts to be summarised, with their summaries, where any are learned."""
    if section is None:
        return {}
    sources = section.valid if split == "valid" else section.test
    texts = load_summaries(sources, plan.base, plan.recipe.languages, section.directions)
    return {
        direction: Watched(part.sources, part.references, section)
        for direction, part in texts.items()
    }


def held_out(plan: RunPlan, name: str, split: str) -> Mapping[str, TranslatedTexts]:
    """Return the valid or test translations by which a translator is judged.

    Those of `valid` choose a step, so they are in directions that are learned; those of `test` may
    go beyond, to see what became of others. Without any direction to learn it is all.
    """
    config, learned = plan.translation, plan.translator(name)
    if learned.only_summarises:
        return {}
    sources = config.valid if split == "valid" else config.test
    texts = load_translations(sources, plan.corpus.folder, split, plan.base, plan.recipe.languages)
    wanted = _wanted(plan, name, split, texts)
    return {direction: part for direction, part in texts.items() if direction in wanted}


def _wanted(plan: RunPlan, name: str, split: str, there: Iterable[str]) -> set[str]:
    """Return the directions by which a translator is judged, where texts of some are there."""
    learned, wanted = plan.translator(name), set(learned_directions(plan, name))
    if split == "test":
        for section in (learned.mt, learned.bt):
            if section is not None:
                wanted |= set(section.directions or there)
    return wanted or set(there)


def check_translations(plan: RunPlan) -> None:
    """See that files of translations to be judged by have some, before hours of training.

    Languages between which no translator translates are told.

    Raises:
        UserError: a source has texts of no two of the recipe's languages.
    """
    languages = plan.recipe.languages
    for split, sources in (("valid", plan.translation.valid), ("test", plan.translation.test)):
        for source in sources:
            there = load_translations([source], plan.corpus.folder, split, plan.base, languages)
            if there:
                _tell_of_idle(plan, split, source.title, there)
            else:
                raise UserError(
                    f"translation.{split}: {source.title} has no translations between two of the "
                    f"recipe's languages ({', '.join(languages)}); name files with both sides."
                )


def _tell_of_idle(plan: RunPlan, split: str, title: str, there: Iterable[str]) -> None:
    """Say between which languages of some translations no translator is judged."""
    judged = {
        frozenset(direction.split("-"))
        for name, translator in plan.translators().items()
        if not translator.only_summarises
        for direction in _wanted(plan, name, split, there)
    }
    idle = {frozenset(direction.split("-")) for direction in there} - judged
    if idle:
        pairs = " and ".join(sorted("-".join(sorted(pair)) for pair in idle))
        say_once(
            f"translation.{split}: the translations of {title} between {pairs} are not used, since "
            "no translator learns either direction."
        )


def learned_directions(plan: RunPlan, name: str) -> list[str]:
    """Return the directions that MT and BT of a translator learn from what there is."""
    translator, languages = plan.translator(name), plan.recipe.languages
    found: list[str] = []
    if translator.mt is not None:
        pairs = learned_text(plan, name, "mt").pairs("train")
        both = [f"{a}-{b}" for pair in pairs for a, b in permutations(pair)]
        found += translator.mt.directions or both
    if translator.bt is not None:
        found += translator.bt.directions or back_translated(languages)
    return list(dict.fromkeys(found))


def learned_text(plan: RunPlan, name: str, objective: str) -> Shards:
    """Return the text that an objective of a translator learns from.

    Raises:
        UserError: nothing came from one of its sources.
    """
    section, shards = plan.translator(name).objectives[objective], Shards(plan.shards.folder)
    if isinstance(section, SummaryConfig):  # which has files of its own
        return shards
    try:
        return shards.part(section.sources)
    except UserError as error:
        place = f"translation.models.{name}.{objective}.sources"
        raise UserError(f"{place}: {error}") from None


def back_translated(languages: Sequence[str]) -> list[str]:
    """Return the directions that BT learns by default: from and to the first language."""
    return [f"{a}-{b}" for a, b in permutations(languages, 2) if languages[0] in (a, b)]


def identifier_of(plan: RunPlan, tokenizer: Tokenizer) -> LanguageIdentifier | None:
    """Learn to tell the recipe's languages apart from the training text; None for one language.

    The text is taken from the shards, evenly over each language: so it is as the models write it.
    """
    shards, samples = Shards(plan.shards.folder), {}
    for code in plan.recipe.languages:
        sentences = shards.sentences("train", code)
        numbers = np.linspace(0, len(sentences), min(TEXTS, len(sentences)), endpoint=False)
        samples[code] = [tokenizer.decode(sentences[int(n)].tolist(), code) for n in numbers]
    with_text = {code: texts for code, texts in samples.items() if texts}
    return LanguageIdentifier.learn(with_text) if len(with_text) > 1 else None


def _single(plan: RunPlan, direction: str, split: str) -> list[str]:
    """Return at most `max_valid` texts of the split in the source language, spread over it."""
    source, most = direction.partition("-")[0], plan.translation.max_valid
    texts = [r.texts[source] for r in read_corpus(plan.corpus.folder, split) if source in r.texts]
    return [texts[len(texts) * i // most] for i in range(most)] if len(texts) > most else texts
