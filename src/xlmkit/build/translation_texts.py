"""By which texts a translator is judged: translations, or else text of single languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from xlmkit.data.corpus import read_corpus
from xlmkit.data.shards import Shards
from xlmkit.evaluate.language_identifier import TEXTS, LanguageIdentifier
from xlmkit.plan import RunPlan
from xlmkit.tasks.translation import TranslatedTexts, load_translations
from xlmkit.text.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Watched:
    """What is translated in one direction to see how a translator does.

    Attributes:
        sources: the texts.
        references: their translations; None where there are none.
    """

    sources: list[str]
    references: list[str] | None = None

    def first(self, most: int) -> "Watched":
        """Return a part of the texts."""
        return Watched(self.sources[:most], self.references and self.references[:most])


def watched(plan: RunPlan, name: str, split: str) -> dict[str, Watched]:
    """Return what is translated in each direction of a translator, of the valid or test split.

    A learned direction without translations has the split's text in its source language.
    """
    found = {
        direction: Watched(part.sources, part.references)
        for direction, part in held_out(plan, name, split).items()
    }
    for direction in learned_directions(plan, name):
        if direction not in found and (texts := _single(plan, direction, split)):
            found[direction] = Watched(texts)
    return found


def held_out(plan: RunPlan, name: str, split: str) -> Mapping[str, TranslatedTexts]:
    """Return the valid or test translations in the directions that a translator learns."""
    config = plan.translation
    sources = config.valid if split == "valid" else config.test
    texts = load_translations(sources, plan.corpus.folder, split, plan.base, plan.recipe.languages)
    learned = plan.translator(name)
    wanted: set[str] = set()
    for section in (learned.mt, learned.bt):
        if section is not None:
            wanted |= set(section.directions or texts)
    return {name: part for name, part in texts.items() if name in wanted or not wanted}


def learned_directions(plan: RunPlan, name: str) -> list[str]:
    """Return the directions that MT and BT of a translator learn from what there is."""
    translator, languages = plan.translator(name), plan.recipe.languages
    found: list[str] = []
    if translator.mt is not None:
        pairs = Shards(plan.shards.folder).part(translator.mt.sources).pairs("train")
        both = [f"{a}-{b}" for pair in pairs for a, b in permutations(pair)]
        found += translator.mt.directions or both
    if translator.bt is not None:
        found += translator.bt.directions or back_translated(languages)
    return list(dict.fromkeys(found))


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
