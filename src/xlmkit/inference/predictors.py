"""What the heads of finetuned models say about texts, as values that JSON can hold.

Another head joins with a class that is a `Predictor`, made from a bundle and a precision, and its
line in `_PREDICTORS`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

from torch import Tensor

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import (
    BEAM_ANSWERER,
    SEQUENCE_CLASSIFIER,
    SIMPLE_ANSWERER,
    TOKEN_CLASSIFIER,
)
from xlmkit.core.errors import UserError
from xlmkit.data.batch import Inputs
from xlmkit.data.text_windows import LongTexts
from xlmkit.evaluate.answers import Answering
from xlmkit.evaluate.calibration import softmax
from xlmkit.evaluate.joining import join_windows
from xlmkit.inference.answers import AnswerPredictor
from xlmkit.inference.model import (
    BATCH_TOKENS,
    InferencePrecision,
    Languages,
    Reader,
    prepare,
)
from xlmkit.inference.tagging import TaggingPredictor


class Predictor(Protocol):
    """A finetuned model that says something about every text; some take lists of words too."""

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


class SequencePredictor:
    """Class and probabilities of every text.

    Args:
        bundle: a sequence classifier.
        precision: see `xlmkit.inference.model.prepare`.
        long_texts: how texts longer than the model are read; None cuts their ends off.

    Raises:
        UserError: the bundle is none, or int8 cannot be computed here.
    """

    def __init__(
        self,
        bundle: Bundle,
        precision: InferencePrecision = "auto",
        long_texts: LongTexts | None = None,
    ) -> None:
        self.labels = list(bundle.labels)
        self._model = prepare(bundle.classifier(), precision)
        longest = bundle.architecture.max_position_embeddings
        self._join = long_texts.join if long_texts else "first"
        stride = long_texts.stride if long_texts else None
        self._reader = Reader(self._model, bundle.tokenizer, longest, stride)

    @property
    def columns(self) -> list[str]:
        """The label, then the classes."""
        return ["label", *self.labels]

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        precision: InferencePrecision = "auto",
        long_texts: LongTexts | None = None,
    ) -> Self:
        """Open a classifier's folder; errors as for the class."""
        return cls(Bundle.load(Path(folder)), precision, long_texts)

    def predict(
        self, texts: Sequence[str], lang: Languages, *, batch_tokens: int = BATCH_TOKENS
    ) -> list[dict[str, Any]]:
        """Return `label` and `probabilities` of each text.

        Raises:
            UserError: the model does not know a language, or there are not as many as texts.
        """
        windows = self._reader.read(texts, lang, self._scores, batch_tokens)
        scores = join_windows(windows.values, windows.owners, self._join)
        rows = softmax(scores) if len(texts) else scores
        return [
            {
                "label": self.labels[int(row.argmax())],
                "probabilities": dict(zip(self.labels, map(float, row), strict=True)),
            }
            for row in rows
        ]

    def cells(self, prediction: Mapping[str, Any]) -> list[str]:
        """Return the label, then the probability of every class."""
        probabilities = prediction["probabilities"]
        return [prediction["label"], *(f"{probabilities[name]:.6f}" for name in self.labels)]

    def _scores(self, inputs: Inputs) -> Tensor:
        scores_BC: Tensor = inputs.fed_to(self._model)
        return scores_BC


_ANSWERERS = (SIMPLE_ANSWERER, BEAM_ANSWERER)


def load_predictor(
    folder: Path, precision: InferencePrecision, long_texts: LongTexts | None = None
) -> Predictor:
    """Open a finetuned model of any kind whose head is known here.

    Raises:
        UserError: the folder is none, its head predicts nothing about a text, or it always reads
            windows of its own and `long_texts` is given.
    """
    bundle = Bundle.load(folder)
    if bundle.head == SEQUENCE_CLASSIFIER:
        return SequencePredictor(bundle, precision, long_texts)
    if bundle.head not in (TOKEN_CLASSIFIER, *_ANSWERERS):
        raise UserError(
            f"{folder} is a {bundle.head}, which predicts no labels; name a folder that "
            "xlmkit finetune made."
        )
    if long_texts is not None:
        raise UserError(
            f"{folder} is a {bundle.head}, which reads whole texts; leave out --stride."
        )
    if bundle.head == TOKEN_CLASSIFIER:
        return TaggingPredictor(bundle, precision)
    return AnswerPredictor(bundle, precision, Answering.load(folder))  # asked as it was measured
