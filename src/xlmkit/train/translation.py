"""The recipe sections of translators: where they start, what they learn, how they are judged."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from xlmkit.core.config import Config
from xlmkit.data.sources import Source
from xlmkit.objectives.config import (
    AeConfig,
    BtConfig,
    ClmConfig,
    MlmConfig,
    MtConfig,
    SummaryConfig,
    TlmConfig,
)
from xlmkit.train.config import OptimizerConfig, Schedule, coefficient

ObjectiveName = Literal["mt", "summary", "ae", "bt", "mlm", "tlm", "clm"]
Section = MtConfig | SummaryConfig | AeConfig | BtConfig | MlmConfig | TlmConfig | ClmConfig


class TranslatorConfig(Config):
    """One translator: where it starts, and what it learns."""

    title: str | None = None
    """What the report calls it."""
    init: str | None = Field(None, min_length=1)
    """A model of pretrain.models, or a folder with a model of the same vocabulary; encoder and
    decoder both begin as it is, and a translator goes on as a whole. By default all is fresh."""
    share_embeddings: bool = False
    """Encoder and decoder have the same word embeddings; in the original each has its own."""
    dropout: float | None = Field(None, ge=0, lt=1)
    """Dropout, also on attention weights, where it is not to be that of the initial model."""
    attention_dropout: float | None = Field(None, ge=0, lt=1)
    """Dropout on attention weights, where it is not to be that of `dropout`."""
    steps: int | None = Field(None, ge=1)
    """Steps of this one, where they are not to be those of all; fewer suffice for little data."""
    mt: MtConfig | None = None
    """Machine translation, from translations."""
    summary: SummaryConfig | None = None
    """Summarisation, from files with texts and their summaries."""
    ae: AeConfig | None = None
    """Denoising auto-encoding, from text of single languages."""
    bt: BtConfig | None = None
    """Online back-translation, from text of single languages."""
    mlm: MlmConfig | None = None
    """Masked language modelling of the encoder."""
    tlm: TlmConfig | None = None
    """Translation language modelling of the encoder."""
    clm: ClmConfig | None = None
    """Causal language modelling of the decoder."""
    coefficients: Mapping[ObjectiveName, Schedule] = Field(default_factory=dict)
    """Objective -> what its loss counts by step, such as {ae: [[0, 1], [1000, 0.1], [3000, 0]]};
    by default 1. Where it is 0 the steps of the objective pass without work."""

    @property
    def objectives(self) -> dict[str, Section]:
        """The sections of the objectives that the translator has, by name."""
        sections = {
            "mt": self.mt,
            "summary": self.summary,
            "ae": self.ae,
            "bt": self.bt,
            "mlm": self.mlm,
            "tlm": self.tlm,
            "clm": self.clm,
        }
        return {name: section for name, section in sections.items() if section is not None}

    @property
    def only_summarises(self) -> bool:
        """Whether it learns no translation."""
        return self.summary is not None and not (self.mt or self.bt)

    def learns_within(self, steps: int) -> bool:
        """Tell whether any coefficient is above 0 at any of so many steps."""
        for name in self.objectives:
            schedule = self.coefficients.get(name, ((0, 1.0),))  # type: ignore[call-overload]
            bends = [0, *(place for place, _ in schedule if place < steps), steps - 1]
            if any(coefficient(schedule, step) for step in bends):  # straight lines between them
                return True
        return False

    def languages_named(self) -> dict[str, tuple[str, ...]]:
        """Return the languages that objectives name, by objective."""
        named: dict[str, tuple[str, ...]] = {}
        for key, section in self.objectives.items():
            match section:
                case (
                    MtConfig(directions=directions)
                    | SummaryConfig(directions=directions)
                    | BtConfig(directions=directions)
                ):
                    named[key] = tuple(c for name in directions or () for c in name.split("-"))
                case AeConfig(languages=languages):
                    named[key] = languages or ()
                case TlmConfig(pivot=str(pivot)):
                    named[key] = (pivot,)
        return named

    @model_validator(mode="after")
    def _learns_to_write(self) -> Self:
        if not (self.mt or self.summary or self.ae or self.bt):
            raise ValueError("a translator learns with mt, summary, ae or bt")
        if unused := [name for name in self.coefficients if name not in self.objectives]:
            raise ValueError(f"coefficients names {unused[0]}, which the translator does not learn")
        return self

    @model_validator(mode="after")
    def _two_languages(self) -> Self:
        for key, section in (("mt", self.mt), ("bt", self.bt)):
            for name in (section and section.directions) or ():
                source, target = name.split("-")
                if source == target:
                    raise ValueError(f"{key}.directions: {name} has one language only")
        return self


class TranslationConfig(Config):
    """How translators are trained and judged."""

    steps: int = Field(20_000, ge=1)
    """Steps of the optimizer of each that names none; with several objectives, of all together."""
    tokens_per_batch: int = Field(4096, ge=16)
    """Tokens of a batch, those of source and target."""
    accumulate: int = Field(1, ge=1)
    """Batches of a step."""
    optimizer: OptimizerConfig = OptimizerConfig(
        lr=5e-4, warmup=2000, schedule="inverse_sqrt", weight_decay=0.0
    )
    """Rates of learning."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of each target's probability that is spread over all words, in mt, summary, ae and
    bt."""
    valid: tuple[Source, ...] = ()
    """Translations by which the training is watched; by default the corpus's valid split."""
    test: tuple[Source, ...] = ()
    """Translations by which the result is measured; by default the corpus's test split."""
    validate_every: int = Field(1000, ge=1)
    """Steps between measurements on valid."""
    max_valid: int = Field(1000, ge=1)
    """At most so many texts of a direction are translated to watch the training."""
    criterion: Literal["bleu", "rouge", "loss", "round_trip"] = "bleu"
    """What tells the best step: the mean BLEU of greedy search over directions; of summaries, the
    mean ROUGE-L; the loss, for which nothing is written, so that copies and the like are not
    noticed; or, without any translations, the mean BLEU of texts that went to the other language
    and back."""
    patience: int | None = Field(None, ge=1)
    """Stop after so many measurements without a better one; by default all steps are made."""
    give_up_after: int | None = Field(None, ge=2)
    """Stop after so many measurements in a row in which all directions copy, collapse
    or write next to nothing; by default never."""
    beam_size: int = Field(5, ge=0)
    """Beams for measuring on test; 0 is greedy search."""
    split_sentences: bool = True
    """Translate the sentences of a text one by one, in measuring and later; false for models that
    learn from longer texts."""

    only_measures: ClassVar[frozenset[str]] = frozenset({"test", "beam_size"})
    """Keys that decide nothing about the training."""

    @model_validator(mode="after")
    def _gives_up_by_what_is_written(self) -> Self:
        if self.criterion == "loss" and self.give_up_after is not None:
            raise ValueError(
                "give_up_after looks at what is written, but with criterion: loss nothing is; take "
                "another criterion, or leave one of them out"
            )
        return self
