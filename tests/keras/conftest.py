"""Small random models and inputs, and what differs between backends: gradients.

Where keras is not installed nothing here is collected; `make test-keras` installs it.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HAS_KERAS = find_spec("keras") is not None
collect_ignore_glob = [] if HAS_KERAS else ["test_*.py"]

HEADS = (
    "Model",
    "WithLMHeadModel",
    "ForSequenceClassification",
    "ForMultipleChoice",
    "ForTokenClassification",
    "ForQuestionAnsweringSimple",
)
WORDS, WIDTH, ROWS, LENGTH, CHOICES = 40, 16, 3, 6, 2
"""One size for all, since JAX compiles for each anew."""


_OF_OTHERS = (
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning",  # of TensorFlow
)
"""Warnings that xlmkit cannot mend."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            for warning in _OF_OTHERS:
                item.add_marker(pytest.mark.filterwarnings(warning))


def array(tensor: Any) -> np.ndarray:
    """Return what a tensor of any backend holds."""
    import keras

    return np.asarray(keras.ops.convert_to_numpy(tensor))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture
def backend() -> str:
    import keras

    return str(keras.backend.backend())


@pytest.fixture
def jit(backend: str) -> Any:
    """How most tests compile training: XLA under TensorFlow takes long for so little work."""
    return False if backend == "tensorflow" else "auto"


@pytest.fixture
def make_config() -> Callable[..., Any]:
    """Return what makes a small configuration."""
    from xlmkit import XLMConfig

    def make(**choices: Any) -> XLMConfig:
        sizes = {"vocab_size": WORDS, "emb_dim": WIDTH, "n_layers": 2, "n_heads": 4, "n_langs": 3}
        return XLMConfig(**{**sizes, "max_position_embeddings": 24, **choices})

    return make


@pytest.fixture
def make_model(make_config: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes a small model whose weights, biases included, are all random."""
    import xlmkit.keras

    def make(head: str = "Model", seed: int = 0, **choices: Any) -> Any:
        model = getattr(xlmkit.keras, f"TFXLM{head}")(make_config(**choices))
        rng = np.random.default_rng(seed)
        for variable in model.trainable_variables:
            variable.assign(rng.normal(0, 0.3, variable.shape) + ("norm" in variable.path))
        return model

    return make


@pytest.fixture
def gradients() -> Callable[..., dict[str, np.ndarray]]:
    """Return what gives the gradients of a model's mean loss by the names of the PyTorch class."""
    from keras import ops

    from xlmkit.keras.weights import named_variables

    def gradients(model: Any, inputs: dict[str, Any]) -> dict[str, np.ndarray]:
        def loss(output: Any) -> Any:
            own = getattr(output, "loss", None)
            return ops.mean(own) if own is not None else ops.sum(ops.sin(output[0]))

        found = _gradients(model, inputs, loss)
        named = {}
        for name, variable, transposed in named_variables(model):
            if variable.trainable:
                value = found[variable.path]
                named[name] = value.T if transposed else value
        return named

    return gradients


def _gradients(model: Any, inputs: dict[str, Any], loss: Any) -> dict[str, np.ndarray]:
    import keras

    variables = model.trainable_variables
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = loss(model(inputs))
        found = tape.gradient(value, [variable.value for variable in variables])
        found = [tf.convert_to_tensor(g) if g is not None else None for g in found]
    elif keras.backend.backend() == "jax":
        import jax

        others = [variable.value for variable in model.non_trainable_variables]
        found = jax.grad(lambda values: loss(model.stateless_call(values, others, inputs)[0]))(
            [variable.value for variable in variables]
        )
    else:
        loss(model(inputs)).backward()
        found = [variable.value.grad for variable in variables]
    return {
        variable.path: np.zeros(variable.shape) if gradient is None else array(gradient)
        for variable, gradient in zip(variables, found, strict=True)
    }


@pytest.fixture
def example() -> Callable[..., dict[str, np.ndarray]]:
    """Return what makes padded inputs, with labels, for a kind of model."""

    def make(head: str, seed: int = 0, n_labels: int = 2) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        shape = (ROWS, CHOICES, LENGTH) if head == "ForMultipleChoice" else (ROWS, LENGTH)
        mask = np.broadcast_to(np.tri(LENGTH)[[LENGTH - 1, 3, 2]], (*shape[1:-1], ROWS, LENGTH))
        mask = mask.reshape(shape).astype("int32") if len(shape) == 2 else _choices(mask)
        ids = np.where(mask, rng.integers(6, WORDS, shape), 2).astype("int32")
        langs = rng.integers(0, 3, shape).astype("int32")
        inputs = {"input_ids": ids, "attention_mask": mask, "langs": langs}
        return inputs | labels_for(head, rng, n_labels)

    return make


def _choices(mask: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(mask, 0, 1)).astype("int32")


def labels_for(head: str, rng: np.random.Generator, n_labels: int = 2) -> dict[str, np.ndarray]:
    """Return random labels for a kind of model."""

    def draw(high: int, *shape: int) -> np.ndarray:
        return rng.integers(0, high, shape).astype("int32")

    if head == "ForQuestionAnsweringSimple":
        ends = draw(LENGTH + 2, ROWS)  # some outside the sequence
        ends[0] = 0
        return {"start_positions": draw(LENGTH, ROWS), "end_positions": ends}
    if head in ("ForTokenClassification", "WithLMHeadModel"):
        labels = draw(n_labels, ROWS, LENGTH)
        labels[rng.random(labels.shape) < 0.3] = -100
        labels[0, 0] = 0
        return {"labels": labels}
    if head == "ForMultipleChoice":
        return {"labels": draw(CHOICES, ROWS)}
    if head == "ForSequenceClassification":
        regression = rng.normal(size=ROWS).astype("float32")
        return {"labels": regression if n_labels == 1 else draw(n_labels, ROWS)}
    return {}
