"""The recipe sections of the objectives, apart from them since a recipe is read without torch."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from xlmkit.core.config import Config
from xlmkit.data.masking import MaskingConfig
from xlmkit.data.noise import NoiseConfig
from xlmkit.data.sources import Source

DirectionName = Annotated[str, Field(pattern=r"^[^-]+-[^-]+$", examples=["en-fr"])]
"""Two languages, such as `en-fr` for from English to French."""


class ObjectiveConfig(Config):
    """What the sections of all objectives have."""

    weight: float = Field(1.0, gt=0)
    """Share of the steps, relative to the other objectives."""
    sources: tuple[str, ...] | None = Field(None, min_length=1)
    """Learn only from these sources of data, called by their names; by default from all."""


class MlmConfig(ObjectiveConfig):
    """The recipe section of MLM."""

    form: Literal["stream", "sentence", "text"] = "stream"
    """Streams of texts cut every `length` tokens; single texts, of which long ones lose their ends
    (sentence) or are cut into pieces (text)."""
    length: int = Field(256, ge=8)
    """Tokens of a stream, and the most that a single text or piece may have. Where the model has
    fewer positions, that is the default."""
    alpha: float = Field(0.7, ge=0, le=1)
    """Languages are drawn in proportion to their tokens to this power."""
    masking: MaskingConfig = MaskingConfig()
    """What is hidden."""


class TlmConfig(ObjectiveConfig):
    """The recipe section of TLM."""

    length: int = Field(256, ge=8)
    """The most tokens that a pair may have. Where the model has fewer positions, that is the
    default."""
    alpha: float = Field(0.7, ge=0, le=1)
    """Pairs of languages are drawn in proportion to their number to this power."""
    pivot: str | None = None
    """Use only pairs with this language; by default all pairs."""
    one_side: float = Field(0.0, ge=0, le=1)
    """Share of the pairs in which tokens are hidden in one of the two sentences only."""
    masking: MaskingConfig = MaskingConfig()
    """What is hidden."""


class ClmConfig(ObjectiveConfig):
    """The recipe section of CLM."""

    length: int = Field(256, ge=8)
    """Tokens of a stream. Where the model has fewer positions, that is the default."""
    alpha: float = Field(0.7, ge=0, le=1)
    """Languages are drawn in proportion to their tokens to this power."""


class MtConfig(ObjectiveConfig):
    """The recipe section of MT."""

    directions: tuple[DirectionName, ...] | None = Field(None, min_length=1)
    """Such as [en-fr, fr-en]; by default both directions of every pair of languages."""
    length: int = Field(128, ge=8)
    """The most tokens of a sentence; pairs with a longer one are left out. Where the model has
    fewer positions, that is the default."""
    alpha: float = Field(0.7, ge=0, le=1)
    """Directions are drawn in proportion to their number of pairs to this power."""
    pairs: int | None = Field(None, ge=1)
    """At most so many translations of each direction, spread over all; shows what more would
    bring."""


class SummaryConfig(Config):
    """The recipe section of summarisation."""

    weight: float = Field(1.0, gt=0)
    """Share of the steps, relative to the other objectives."""
    train: tuple[Source, ...] = Field(min_length=1)
    """Files to learn from, with the column of the summary as `second`; where it is in another
    language than the text, with both as `columns`."""
    valid: tuple[Source, ...] = ()
    """The same, by which the training is watched."""
    test: tuple[Source, ...] = ()
    """The same, by which the result is measured; also of languages without summaries to learn."""
    directions: tuple[DirectionName, ...] | None = Field(None, min_length=1)
    """From the language of texts to that of summaries, such as [en-en, en-sw]; by default every
    language that has summaries of its own."""
    length: int = Field(256, ge=8)
    """The most tokens of a text that are read; what comes behind is left out. Where the model has
    fewer positions, that is the default."""
    summary_length: int = Field(64, ge=4)
    """The most tokens of a summary: longer ones are not learned, and none is written."""
    alpha: float = Field(0.7, ge=0, le=1)
    """Directions are drawn in proportion to their number of texts to this power."""

    @model_validator(mode="after")
    def _shorter_than_texts(self) -> Self:
        if self.summary_length > self.length:
            raise ValueError("summary_length is more than length, the tokens of a text")
        return self


class AeConfig(ObjectiveConfig):
    """The recipe section of denoising auto-encoding."""

    languages: tuple[str, ...] | None = Field(None, min_length=1)
    """The languages that are learned; by default all."""
    length: int = Field(128, ge=8)
    """The most tokens of a sentence; longer ones are left out. Where the model has fewer positions,
    that is the default."""
    alpha: float = Field(0.7, ge=0, le=1)
    """Languages are drawn in proportion to their number of sentences to this power."""
    noise: NoiseConfig = NoiseConfig()
    """How sentences are spoilt."""


class BtConfig(ObjectiveConfig):
    """The recipe section of online back-translation."""

    directions: tuple[DirectionName, ...] | None = Field(None, min_length=1)
    """What is learned: fr-en learns from English text that the model itself puts into French. By
    default both directions of the first language and every other."""
    length: int = Field(128, ge=8)
    """The most tokens of a sentence; longer ones are left out. Where the model has fewer positions,
    that is the default."""
    alpha: float = Field(0.7, ge=0, le=1)
    """Directions are drawn in proportion to their number of sentences to this power."""
    temperature: float = Field(0.0, ge=0)
    """0 takes the best word each time; with more, words are drawn, the more evenly the higher."""
