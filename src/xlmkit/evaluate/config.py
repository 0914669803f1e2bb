"""The recipe sections of measurement."""

from pydantic import Field

from xlmkit.core.config import Config


class RetrievalConfig(Config):
    """The recipe section of retrieval."""

    candidates: int = Field(1000, ge=2)
    """Sentences among which the translation is sought; fewer where there are fewer."""
    pivot: str | None = None
    """The language that all others are paired with; by default the recipe's first."""
    layer: int | None = Field(None, ge=0)
    """Layer whose states are compared, 0 for the embeddings; by default chosen on validation."""


class EvaluateConfig(Config):
    """What is measured besides the tasks."""

    language_modeling: bool = True
    """Perplexity and accuracy of held-out words, per language."""
    retrieval: RetrievalConfig | None = RetrievalConfig()
    """Finding the translations of held-out sentences, where there are any."""
