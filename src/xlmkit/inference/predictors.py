"""What the heads of finetuned models say about texts, as values that JSON can hold.

Another head joins with a class that is a `Predictor`, made from a model of any family and a
precision, and its branch in `load_predictor`.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from xlmkit.checkpoint.names import (
    BEAM_ANSWERER,
    SEQUENCE_CLASSIFIER,
    SIMPLE_ANSWERER,
    TOKEN_CLASSIFIER,
)
from xlmkit.core.errors import UserError
from xlmkit.data.text_windows import Join, LongTexts
from xlmkit.evaluate.answers import Answering
from xlmkit.evaluate.scoring import Scoring
from xlmkit.huggingface.answering import AUTO_CLASS as ANSWERER
from xlmkit.huggingface.scorers import CLASSIFIER
from xlmkit.huggingface.taggers import TAGGER
from xlmkit.inference.answers import AnswerPredictor
from xlmkit.inference.finetuned import AnyModel, open_finetuned
from xlmkit.inference.model import BATCH_TOKENS, InferencePrecision, Languages
from xlmkit.inference.sequences import SequencePredictor
from xlmkit.inference.tagging import TaggingPredictor

_CLASSIFIERS = (SEQUENCE_CLASSIFIER, CLASSIFIER)
_TAGGERS = (TOKEN_CLASSIFIER, TAGGER)
_ANSWERERS = (SIMPLE_ANSWERER, BEAM_ANSWERER, ANSWERER)


class Predictor(Protocol):
    """A finetuned model that says something about every text; some take lists of words too."""

    @property
    def known(self) -> Collection[str] | None:
        """The languages that the model knows; None where it takes any."""
        ...

    @property
    def columns(self) -> list[str]:
        """Names of the values that `cells` gives, for a table's header."""
        ...

    def predict(
        self, texts: Sequence[Any], lang: Languages, *, batch_tokens: int = BATCH_TOKENS
    ) -> list[dict[str, Any]]:
        """Return what is said of each text, or pair of texts, in their order."""
        ...

    def cells(self, prediction: Mapping[str, Any]) -> list[str]:
        """Return one prediction as the cells of a table."""
        ...


def windows_asked(folder: Path, stride: int | None, join: Join | None) -> LongTexts | None:
    """Return how long texts are read by these options; None does as the model was measured.

    Raises:
        UserError: it is said how windows are joined, but the model reads none.
    """
    if join is None:
        return None if stride is None else LongTexts(stride=stride)
    if stride is None:
        kept = Scoring.load(folder)
        if kept is None or kept.long_texts is None:
            raise UserError(
                f"--join says how windows are joined, but {folder} reads none by itself; give "
                "--stride too, or leave out --join."
            )
        stride = kept.long_texts.stride
    return LongTexts(stride=stride, join=join)


def load_predictor(
    folder: Path, precision: InferencePrecision, long_texts: LongTexts | None = None
) -> Predictor:
    """Open a finetuned model of any kind and family whose head is known here.

    Raises:
        UserError: the folder is none, its head predicts nothing about a text, or it always reads
            windows of its own and `long_texts` is given.
    """
    model: AnyModel = open_finetuned(folder)
    if model.head in _CLASSIFIERS:
        return SequencePredictor(model, precision, long_texts, Scoring.load(folder))
    if model.head not in (*_TAGGERS, *_ANSWERERS):
        raise UserError(
            f"{folder} is a {model.head}, which predicts no labels; name a folder that "
            "xlmkit finetune made."
        )
    if long_texts is not None:
        raise UserError(f"{folder} is a {model.head}, which reads whole texts; leave out --stride.")
    if model.head in _TAGGERS:
        return TaggingPredictor(model, precision, scoring=Scoring.load(folder))
    return AnswerPredictor(model, precision, Answering.load(folder))  # asked as it was measured
