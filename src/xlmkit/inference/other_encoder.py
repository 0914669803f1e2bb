"""Sentences to vectors by a model of another family."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.data.measures import normalize
from xlmkit.evaluate.spaces import Vectors
from xlmkit.evaluate.text_states import TextStates
from xlmkit.huggingface.encoders import HuggingFaceBackbone
from xlmkit.inference.encoder import Pooling
from xlmkit.inference.model import InferencePrecision

Encode = Callable[[list[str], str], Iterator[Vectors]]
"""Texts, at least one, and their language, to their vectors, some after others, (part, E)."""


def open_other_encoder(
    folder: Path,
    family: str,
    languages: Sequence[str],
    *,
    precision: InferencePrecision,
    pooling: Pooling,
    layer: int | None,
    stride: int | None,
) -> Encode:
    """Open a model's folder.

    Args:
        folder: where it is.
        family: as `config.json` says.
        languages: what it will be asked for.
        precision: see the errors.
        pooling: see the errors.
        layer: see `SentenceEncoder`.
        stride: see `SentenceEncoder`.

    Raises:
        UserError: it is damaged, has no such layer or does not know a language, or something else
            is asked for than means in float32.
    """
    if precision not in ("auto", "float32") or pooling != "mean":
        raise UserError(
            f"{folder} is of the family {family}, whose vectors are means in float32; leave out "
            "--precision and --pooling."
        )
    backbone = HuggingFaceBackbone.open(folder, family, languages)
    chosen = backbone.n_layers if layer is None else layer
    if not 0 <= chosen <= backbone.n_layers:
        raise UserError(f"The model has the layers 0 to {backbone.n_layers}, but not {layer}.")
    reader = TextStates(backbone, stride, "mining", mend="--stride")

    def encode(texts: list[str], language: str) -> Iterator[Vectors]:
        return reader.parts([normalize(text) for text in texts], language, chosen)

    return encode
