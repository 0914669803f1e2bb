"""What the heads of finetuned models say about texts, as values that JSON can hold.

Another head joins with a class that is a `Predictor`, made from a bundle and a precision, and its
line in `_PREDICTORS`.
"""

from collections.abc import Callable, Mapping, Sequence
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
from xlmkit.evaluate.answers import Answering
from xlmkit.inference.answers import AnswerPredictor
from xlmkit.inference.model import (
    BATCH_TOKENS,
    InferencePrecision,
    Languages,
    Reader,
    prepare,
    softmax,
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

    Raises:
        UserError: the bundle is none, or int8 cannot be computed here.
    """

    def __init__(self, bundle: Bundle, precision: InferencePrecision = "auto") -> None:
        self.labels = list(bundle.labels)
        self._model = prepare(bundle.classifier(), precision)
        longest = bundle.architecture.max_position_embeddings
        self._reader = Reader(self._model, bundle.tokenizer, longest)

    @property
    def columns(self) -> list[str]:
        """The label, then the classes."""
        return ["label", *self.labels]

    @classmethod
    def from_pretrained(cls, folder: str | Path, *, precision: InferencePrecision = "auto") -> Self:
        """Open a classifier's folder; errors as for the class."""
        return cls(Bundle.load(Path(folder)), precision)

    def predict(
        self, texts: Sequence[str], lang: Languages, *, batch_tokens: int = BATCH_TOKENS
    ) -> list[dict[str, Any]]:
        """Return `label` and `probabilities` of each text.

        Raises:
            UserError: the model does not know a language, or there are not as many as texts.
        """
        rows = self._reader.read(texts, lang, self._probabilities, batch_tokens)
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

    def _probabilities(self, inputs: Inputs) -> Tensor:
        return softmax(inputs.fed_to(self._model))


_PREDICTORS: dict[str, Callable[[Bundle, InferencePrecision], Predictor]] = {
    SEQUENCE_CLASSIFIER: SequencePredictor,
    TOKEN_CLASSIFIER: TaggingPredictor,
}
_ANSWERERS = (SIMPLE_ANSWERER, BEAM_ANSWERER)


def load_predictor(folder: Path, precision: InferencePrecision) -> Predictor:
    """Open a finetuned model of any kind whose head is known here.

    Raises:
        UserError: the folder is none, or its head predicts nothing about a text.
    """
    bundle = Bundle.load(folder)
    if bundle.head in _ANSWERERS:  # how they are asked stands beside them
        return AnswerPredictor(bundle, precision, Answering.load(folder))
    if bundle.head not in _PREDICTORS:
        raise UserError(
            f"{folder} is a {bundle.head}, which predicts no labels; name a folder that "
            "xlmkit finetune made."
        )
    return _PREDICTORS[bundle.head](bundle, precision)
