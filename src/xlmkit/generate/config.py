"""The section that says how text is searched for; it takes no torch."""

from typing import Literal, Self

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from xlmkit.core.config import Config
from xlmkit.core.errors import UserError
from xlmkit.core.mistakes import explain
from xlmkit.core.yaml import Tree


class SearchConfig(Config):
    """How translations are searched for."""

    rules: Literal["sound", "original"] = "sound"
    """`original` is the original project's search to the letter. `sound` differs from it in
    three places: a sentence that reaches its longest length ends with a `</s>` that is scored, the
    greedy hypothesis goes along where the beams drop it, so that the result is never worse than
    greedy search's, and no special tokens such as `<unk>` are written."""
    beam_size: int = Field(5, ge=0)
    """Beginnings that are followed at once; 0 takes the best word each time (greedy search)."""
    length_penalty: float = Field(1.0, ge=0)
    """Exponent of the length by which scores are divided; more prefers longer translations."""
    early_stopping: bool = False
    """End a sentence as soon as there are as many translations as beams."""
    n_best: int = Field(1, ge=1)
    """How many translations of a text are kept."""
    sample: bool = False
    """Draw words by their probabilities; then beam_size has no meaning."""
    temperature: float = Field(1.0, gt=0)
    """Scores are divided by it before words are drawn: less is more cautious."""
    top_k: int = Field(0, ge=0)
    """Draw among so many best words; 0 draws among all."""
    top_p: float = Field(1.0, gt=0, le=1)
    """Draw among the fewest best words that have this much probability together."""
    seed: int = Field(0, ge=0)
    """Of the draws; they depend on it and on the text's number alone, not on the batch, up to
    rounding."""
    min_length: int = Field(0, ge=0)
    """Fewest tokens of a translation."""
    no_repeat_ngram: int = Field(0, ge=0)
    """No sequence of so many tokens is written twice; 0 allows all."""
    repetition_penalty: float = Field(1.0, ge=1)
    """The log-probability of a token that was written before is multiplied by it."""
    length_ratio: float = Field(1.5, gt=0)
    """A translation has at most this many times the tokens of its source, and ten more."""
    max_length: int | None = Field(None, ge=1)
    """The most tokens of a translation, where that is fewer."""
    batch_tokens: int = Field(2048, ge=16)
    """Tokens of a batch, padding and beams counted."""

    @model_validator(mode="wrap")
    @classmethod
    def _told_in_one_sentence(
        cls, values: object, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        try:
            return handler(values)
        except ValidationError as error:
            if info.mode == "json":  # from `config_of_settings`, which knows the places
                raise
            tree = Tree(values, {})
            raise UserError(explain(error, tree, cls, "SearchConfig", "the search")) from None

    @model_validator(mode="after")
    def _enough_beams(self) -> Self:
        if not self.sample and self.n_best > max(1, self.beam_size):
            raise UserError(
                f"{self.n_best} translations of a text need as many beams, not {self.beam_size}: "
                "raise beam_size, or draw samples."
            )
        return self

    @model_validator(mode="after")
    def _lengths_that_can_be(self) -> Self:
        if self.max_length is not None and self.min_length > self.max_length:
            raise UserError(
                f"a translation cannot have at least {self.min_length} and at most "
                f"{self.max_length} tokens; lower min_length, or raise max_length."
            )
        return self

    @model_validator(mode="after")
    def _draws_that_are_made(self) -> Self:
        without = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "seed": 0}
        idle = [name for name, value in without.items() if getattr(self, name) != value]
        if idle and not self.sample:
            raise UserError(
                f"{idle[0]} says how words are drawn, which is done with --sample (sample: true) "
                "only; set that too, or leave it out."
            )
        return self

    @property
    def rows(self) -> int:
        """How many hypotheses of a sentence are computed at once."""
        return self.n_best if self.sample else max(1, self.beam_size)
