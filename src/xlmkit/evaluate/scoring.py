"""What the scores of a model that was finetuned for whole texts mean, kept beside the model."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from xlmkit.core.config import Config
from xlmkit.core.files import read_json, write_json
from xlmkit.data.text_windows import LongTexts, PairForm

Decision = Literal["classes", "several", "number", "choice"]
"""One class (cross-entropy), several (binary cross-entropy of each), a number (squared error), or
the best of the sequences of an example (cross-entropy over them)."""

SCORING_FILE = "scoring.json"


class Scoring(Config):
    """How a finetuned model is asked, and what its scores mean, in `scoring.json`."""

    decides: Decision = "classes"
    """What the scores decide."""
    mean: float = 0.0
    """Of the numbers that were learned."""
    deviation: float = 1.0
    """Of the numbers that were learned; a score times it, plus the mean, is a number of theirs."""
    pairs: bool | None = None
    """Whether two texts are read together; null where nobody knows."""
    append: tuple[str, ...] = ()
    """Columns of its examples that stood behind the text, such as the question of XCOPA."""
    pair_form: PairForm = "apart"
    """How one of xlmkit's own models reads them."""
    max_length: int | None = Field(None, ge=8)
    """Longest sequence in tokens; null takes what the model reads."""
    long_texts: LongTexts | None = None
    """How longer texts are read; null cuts off their ends."""

    def save(self, folder: Path) -> None:
        """Write it beside a model."""
        write_json(folder / SCORING_FILE, self.model_dump(mode="json"))

    @classmethod
    def load(cls, folder: Path) -> "Scoring | None":
        """Read it; None for a model from elsewhere, or from before it was kept."""
        path = folder / SCORING_FILE
        return cls.model_validate(read_json(path)) if path.is_file() else None
