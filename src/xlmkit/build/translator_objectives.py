"""What a translator of the recipe learns, as objectives."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from xlmkit.build.back_translation import BackTranslator
from xlmkit.build.translation_texts import back_translated, learned_directions, learned_text
from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.data.shards import Shards
from xlmkit.data.translations import DirectedPairs, LanguageSentences, directions_of
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.objectives.backtranslate import BackTranslation
from xlmkit.objectives.base import Objective
from xlmkit.objectives.clm import CausalLanguageModeling
from xlmkit.objectives.config import (
    AeConfig,
    BtConfig,
    ClmConfig,
    MlmConfig,
    MtConfig,
    SummaryConfig,
    TlmConfig,
)
from xlmkit.objectives.denoise import Denoising
from xlmkit.objectives.mlm import MaskedLanguageModeling
from xlmkit.objectives.of_part import OfPart
from xlmkit.objectives.summarize import Summarization, summary_direction
from xlmkit.objectives.translate import Translation
from xlmkit.plan import RunPlan
from xlmkit.tasks.summaries import load_summaries
from xlmkit.text.bpe import END_OF_WORD
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.train.translation import Section


def translator_objectives(plan: RunPlan, name: str, *, tell: bool = True) -> list[Objective]:
    """Return the objectives of a translator, over the training split.

    Args:
        plan: of the run.
        name: of the translator.
        tell: say what of the texts is not learned.

    Raises:
        UserError: an objective has no text to learn from.
    """
    makers = _Makers(plan, name, learned_directions(plan, name), tell=tell)
    objectives = []
    for objective, section in plan.translator(name).objectives.items():
        shards = learned_text(plan, name, objective)
        try:
            objectives.append(makers.make(section, shards))
        except UserError as error:
            raise UserError(f"translation.models.{name}.{objective}: {error}") from None
    return objectives


class _Drawn(TypedDict):
    tokens: int
    seed: tuple[int, str]


class _Written(_Drawn):
    smoothing: float


class _Makers:
    def __init__(
        self, plan: RunPlan, name: str, translated: Sequence[str], *, tell: bool = True
    ) -> None:
        self.name, self.tell = name, tell
        self.config = plan.translation
        self.plan, self.translated = plan, translated
        self.languages = Shards(plan.shards.folder).languages
        self.tokenizer = Tokenizer.load(plan.shards.folder / "tokenizer")
        self.drawn: _Drawn = {
            "tokens": self.config.tokens_per_batch,
            "seed": (plan.recipe.seed, "translation"),
        }
        self.written: _Written = {**self.drawn, "smoothing": self.config.label_smoothing}

    def make(self, section: Section, shards: Shards) -> Objective:
        """Return the objective of a section, over these texts."""
        match section:
            case MtConfig():
                return self._translation(section, shards)
            case SummaryConfig():
                return self._summarization(section)
            case AeConfig():
                return self._denoising(section, shards)
            case BtConfig():
                return self._back_translation(section, shards)
            case MlmConfig():
                return self._of_encoder(section, shards, MaskedLanguageModeling.mlm)
            case TlmConfig():
                return self._of_encoder(section, shards, MaskedLanguageModeling.tlm)
            case ClmConfig():
                inner = CausalLanguageModeling(section, shards, split="train", **self.drawn)
                return OfPart(inner, EncoderDecoder.decoder_language_model)

    def _translation(self, section: MtConfig, shards: Shards) -> Objective:
        directions = directions_of(shards, "train", section.directions)
        pairs = DirectedPairs(directions, section.length, section.alpha, most=section.pairs)
        learned = {group.name for group in pairs.groups}
        if gone := [name for name in pairs.left_out if name not in learned]:
            raise UserError(
                f"all translations of {', '.join(gone)} have sentences of more than "
                f"{section.length} tokens; raise its length, or leave that direction out."
            )
        what = f"translations with a sentence of more than {section.length} tokens"
        self._tell("mt", what, pairs.left_out)
        fewer = [group for group in pairs.groups if len(group.lengths) < (section.pairs or 0)]
        for group in fewer if self.tell else ():
            say(
                f"translation.models.{self.name}.mt.pairs is {section.pairs:,}, but there are only "
                f"{len(group.lengths):,} translations to learn {group.name} from."
            )
        return Translation(pairs, self.languages, **self.written)

    def _tell(self, objective: str, what: str, left_out: Mapping[str, int]) -> None:
        """Say how many texts of each group are not learned."""
        found = {name: count for name, count in left_out.items() if count}
        if found and self.tell:
            told = ", ".join(f"{count:,} of {name}" for name, count in found.items())
            say(f"translation.models.{self.name}.{objective}: {what} are not learned: {told}.")

    def _summarization(self, section: SummaryConfig) -> Objective:
        texts = load_summaries(
            section.train, self.plan.base, self.plan.recipe.languages, section.directions
        )
        if both := [name for name in texts if name in self.translated]:
            raise UserError(
                f"the translator learns to translate {both[0]}, too, and could not tell which of "
                "both is asked for; give mt or bt other directions, or train two translators."
            )
        directions = {
            name: summary_direction(part.sources, part.references, name, self.tokenizer, section)
            for name, part in texts.items()
        }
        left_out = {
            name: len(texts[name].references) - len(made.numbers)
            for name, made in directions.items()
        }
        what = f"texts whose summaries have more than {section.summary_length} tokens"
        self._tell("summary", what, left_out)
        return Summarization(
            DirectedPairs(directions, section.length, section.alpha, alike=False),
            self.languages,
            **self.written,
        )

    def _denoising(self, section: AeConfig, shards: Shards) -> Objective:
        languages = {code: code for code in section.languages or self.languages}
        return Denoising(
            self._sentences("ae", shards, languages, section),
            section.noise,
            self._ends_word(),
            self.languages,
            max_length=section.length,
            **self.written,
        )

    def _back_translation(self, section: BtConfig, shards: Shards) -> Objective:
        directions = section.directions or back_translated(self.languages)
        parts = {name: name.split("-") for name in directions}
        texts = {name: target for name, (_, target) in parts.items()}
        return BackTranslation(
            self._sentences("bt", shards, texts, section),
            [self.languages.index(source) for source, _ in parts.values()],
            BackTranslator(section.length, section.temperature, len(self.tokenizer)),
            self.languages,
            max_length=section.length,
            **self.written,
        )

    def _sentences(
        self,
        objective: str,
        shards: Shards,
        languages: Mapping[str, str],
        section: AeConfig | BtConfig,
    ) -> LanguageSentences:
        """Return the sentences of an objective, by the names of its groups."""
        found = LanguageSentences(shards, "train", languages, section.length, section.alpha)
        self._tell(objective, f"sentences of more than {section.length} tokens", found.left_out)
        return found

    def _of_encoder(
        self, section: MlmConfig | TlmConfig, shards: Shards, maker: Callable[..., Objective]
    ) -> Objective:
        inner = maker(section, shards, split="train", **self.drawn)
        return OfPart(inner, EncoderDecoder.encoder_language_model)

    def _ends_word(self) -> NDArray[np.bool_]:
        return np.array([symbol.endswith(END_OF_WORD) for symbol in self.tokenizer.vocabulary])
