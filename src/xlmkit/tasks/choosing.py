"""By which examples the step of an adaptation is chosen: valid files, or a share of the train ones.

Equal texts are held back together, by their letters, so that none is learned and chosen by as well.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any, Literal, Self, TypeVar

from pydantic import Field, PrivateAttr, model_validator

from xlmkit.core.config import Config
from xlmkit.core.errors import UserError
from xlmkit.data.permutation import key_of
from xlmkit.tasks.sweep import SweepConfig

Labelled = TypeVar("Labelled")


class ChoosingConfig(Config):
    """The files of a task, and what is chosen by those that are neither learned nor tested on.

    A kind of task says again what its files are.
    """

    train: tuple[Any, ...] = ()
    """Labelled files to learn from."""
    valid: tuple[Any, ...] = ()
    """Labelled files that choose the best step, in any of the languages; without any, the last."""
    test: tuple[Any, ...] = ()
    """Labelled files to test on, in any of the languages."""
    valid_share: float | None = Field(None, gt=0, lt=1)
    """In place of valid files: so much of the texts of the source languages is not learned but
    chooses the step; which texts follows from their letters, the same for all seeds. Of questions,
    those of a context stay together."""
    validate_every: float = Field(1.0, gt=0)
    """Epochs between validations, where there are texts for them; the last step is always one."""
    validate_steps: int | None = Field(None, ge=1)
    """Steps between validations, in place of `validate_every`."""
    patience: int | None = Field(None, ge=1)
    """Validations without a better one on the source languages after which learning ends."""
    sweep: SweepConfig | None = None
    """Learning rates and sizes of batches to try, of which the best on valid texts is kept."""

    _validates: bool = PrivateAttr(False)
    _measured: Literal["test", "valid"] = PrivateAttr("test")

    @model_validator(mode="after")
    def _something_to_choose_by(self) -> Self:
        if self.valid and self.valid_share is not None:
            raise ValueError("give valid files or valid_share, but not both")
        if self.validation() is None:
            mend = "give valid files or valid_share"
            if self.sweep is not None:
                raise ValueError(f"a sweep needs texts to choose by; {mend}")
            if self.patience is not None:
                raise ValueError(f"patience counts validations; {mend}")
        return self

    def validation(self) -> Self | None:
        """Return the task with what chooses its step in the place of the test, None without any."""
        if not self.valid and self.valid_share is None:
            return None
        validating = self.model_copy(update={"test": self.valid} if self.valid else {})
        validating._validates = not self.valid
        validating._measured = "valid"
        return validating

    @property
    def measured(self) -> Literal["test", "valid"]:
        """Which files models are measured on: test, or valid where they choose the step."""
        return self._measured

    def parted(
        self,
        found: Iterable[Labelled],
        sources: Collection[str],
        describe: Callable[[Labelled], tuple[str, ...]],
    ) -> tuple[list[Labelled], list[Labelled]]:
        """Return the examples that may be learned, and those that `valid_share` holds back.

        Args:
            found: the examples of the train files.
            sources: the languages of which some are held back.
            describe: language of an example, and the texts by whose letters it is held back.

        Raises:
            UserError: of a language it holds nothing back, or everything.
        """
        if self.valid_share is None:
            return list(found), []
        learned: list[Labelled] = []
        held_out: list[Labelled] = []
        sides: dict[str, set[bool]] = {}
        for one in found:
            code, *texts = describe(one)
            out = code in sources and key_of("valid", *texts) < self.valid_share * 2**64
            (held_out if out else learned).append(one)
            sides.setdefault(code, set()).add(out)
        for code in sources:
            for side, use, mend in ((False, "choose by", "raise"), (True, "learn", "lower")):
                if sides.get(code) == {side}:
                    raise UserError(
                        f"valid_share is {self.valid_share}, which leaves no text in {code} to "
                        f"{use}; {mend} it, or give valid files."
                    )
        return learned, held_out
