"""The recipe sections of the objectives, apart from them since a recipe is read without torch."""

from typing import Literal

from pydantic import Field

from xlmkit.core.config import Config
from xlmkit.data.masking import MaskingConfig


class MlmConfig(Config):
    """The recipe section of MLM."""

    weight: float = Field(1.0, gt=0)
    """Share of the steps, relative to the other objectives."""
    form: Literal["stream", "sentence"] = "stream"
    """Streams of text cut every `length` tokens, or single sentences of similar length."""
    length: int = Field(256, ge=8)
    """Tokens of a stream, and the most that a sentence may have."""
    alpha: float = Field(0.7, ge=0, le=1)
    """Languages are drawn in proportion to their tokens to this power."""
    masking: MaskingConfig = MaskingConfig()
    """What is hidden."""


class TlmConfig(Config):
    """The recipe section of TLM."""

    weight: float = Field(1.0, gt=0)
    """Share of the steps, relative to the other objectives."""
    length: int = Field(256, ge=8)
    """The most tokens that a pair may have."""
    alpha: float = Field(0.7, ge=0, le=1)
    """Pairs of languages are drawn in proportion to their number to this power."""
    pivot: str | None = None
    """Use only pairs with this language; by default all pairs."""
    one_side: float = Field(0.0, ge=0, le=1)
    """Share of the pairs in which tokens are hidden in one of the two sentences only."""
    masking: MaskingConfig = MaskingConfig()
    """What is hidden."""


class ClmConfig(Config):
    """The recipe section of CLM."""

    weight: float = Field(1.0, gt=0)
    """Share of the steps, relative to the other objectives."""
    length: int = Field(256, ge=8)
    """Tokens of a stream."""
    alpha: float = Field(0.7, ge=0, le=1)
    """Languages are drawn in proportion to their tokens to this power."""
