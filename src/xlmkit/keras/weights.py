"""Weights by the names of the PyTorch classes, out of a model and into it.

The names are those of a model with a head: the encoder's begin with `transformer.`. An encoder
alone writes its file without this prefix, as the PyTorch class does; reading takes both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from xlmkit.keras.layers import array_of

PREFIX = "transformer."

_NEVER_STORED = ("position_ids",)
"""Counted numbers that some versions of the PyTorch classes stored."""


@dataclass(frozen=True, slots=True)
class Loading:
    """What a file's weights and a model's had not in common; names of the PyTorch classes.

    Attributes:
        missing: of the model, not in the file; they keep their fresh values.
        unexpected: in the file, not of the model; they were left out.
        mismatched: with another shape than in the file, and left fresh: name, shape in the file,
            shape in the model.
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = ()

    def sentence(self, model: str, where: str) -> str:
        """Return what a person should know, or nothing."""
        parts = [f"{model} was loaded from {where}"]
        if self.missing:
            parts.append(f"not in the file, so fresh: {', '.join(self.missing)}")
        if self.mismatched:
            names = [f"{name} {here} for {wanted}" for name, here, wanted in self.mismatched]
            parts.append(f"of another shape, so fresh: {', '.join(names)}")
        if self.unexpected:
            parts.append(f"only in the file, so left out: {', '.join(self.unexpected)}")
        return "; ".join(parts) + "." if len(parts) > 1 else ""


def named_variables(model: Any) -> Iterator[tuple[str, Any, bool]]:  # noqa: ANN401 - a Keras model
    """Yield the name, the variable and whether it lies transposed, for all weights of a model."""
    layers = {f"{PREFIX}{name}": layer for name, layer in model.transformer.named_layers()}
    for name, layer in {**layers, **model.named_head_layers()}.items():
        if isinstance(layer, keras.layers.Dense):
            yield f"{name}.weight", layer.kernel, True
            yield f"{name}.bias", layer.bias, False
            continue
        for part in ("weight", "bias"):
            if (variable := getattr(layer, part, None)) is not None:
                yield f"{name}.{part}", variable, False


def get_weights(model: Any) -> dict[str, np.ndarray]:  # noqa: ANN401 - a Keras model
    """Return a model's weights, float32, as the PyTorch class of its name stores them."""
    weights = {}
    for name, variable, transposed in named_variables(model):
        value = array_of(variable)
        weights[name] = np.ascontiguousarray(value.T if transposed else value)
    if not model.named_head_layers():
        return {name.removeprefix(PREFIX): value for name, value in weights.items()}
    return weights


def set_weights(
    model: Any,  # noqa: ANN401 - a Keras model
    weights: Mapping[str, np.ndarray],
    *,
    ignore_mismatched_sizes: bool = False,
) -> Loading:
    """Fill a model with weights that stand under the names of the PyTorch classes.

    Raises:
        ValueError: a weight has another shape than the model's, and that is not to be ignored.
    """
    given = _with_prefix(model, weights)
    missing, mismatched = [], []
    for name, variable, transposed in named_variables(model):
        value = given.pop(name, None)
        if value is None:
            missing.append(name)
            continue
        value = value.T if transposed else value
        if value.shape != tuple(variable.shape):
            mismatched.append((name, tuple(value.shape), tuple(variable.shape)))
        else:
            variable.assign(value)
    if mismatched and not ignore_mismatched_sizes:
        details = ", ".join(
            f"{name} is {here} in the file and {wanted} in the model"
            for name, here, wanted in mismatched
        )
        raise ValueError(
            f"The weights do not fit the configuration: {details}. Load with the configuration of "
            "the file, or with ignore_mismatched_sizes=True to leave these fresh."
        )
    return Loading(tuple(missing), tuple(_unexpected(model, given)), tuple(mismatched))


def _with_prefix(model: Any, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:  # noqa: ANN401
    """Return the weights with `transformer.` before the names of the encoder's."""
    encoder = {name.split(".")[0] for name, _ in model.transformer.named_layers()}
    return {
        PREFIX + name if name.split(".")[0] in encoder else name: value
        for name, value in weights.items()
        if not name.endswith(_NEVER_STORED)
    }


def _unexpected(model: Any, left: Mapping[str, np.ndarray]) -> Iterator[str]:  # noqa: ANN401
    """Yield what no weight was found for, but for the second copy of tied embeddings."""
    tied = getattr(model, "pred_layer", None) is not None and model.pred_layer.tied
    for name in left:
        if not (tied and name == "pred_layer.proj.weight"):
            yield name
