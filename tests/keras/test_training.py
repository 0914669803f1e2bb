"""`fit`, `evaluate` and `predict`: with the models' own losses, and with Keras's."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from .conftest import HEADS, array, labels_for

TRAINABLE = HEADS[1:]


def _parts(head: str, inputs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return inputs and labels apart."""
    names = set(labels_for(head, np.random.default_rng(0)))
    labels = {name: inputs[name] for name in inputs if name in names}
    return {name: value for name, value in inputs.items() if name not in names}, labels


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("head", TRAINABLE)
def test_fit_lowers_the_models_own_loss(
    make_model: Callable[..., Any],
    example: Callable[..., Any],
    head: str,
    apart: bool,
    jit: Any,
) -> None:
    model, inputs = make_model(head, dropout=0.0, attention_dropout=0.0), example(head)
    x, labels = _parts(head, inputs)
    y = labels if len(labels) > 1 else next(iter(labels.values()))
    data = {"x": x, "y": y} if apart else {"x": inputs}
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=jit)
    before = model.evaluate(**data, verbose=0)
    np.testing.assert_allclose(before, np.mean(array(model(inputs).loss)), atol=1e-5)
    history = model.fit(**data, epochs=9, verbose=0).history["loss"]
    assert history[-1] < 0.8 * before
    assert model.evaluate(**data, verbose=0) < 0.8 * before
    predicted = model.predict(x, verbose=0)
    np.testing.assert_allclose(predicted[0], array(model(x)[0]), atol=1e-5)


@pytest.mark.parametrize("head", ["ForSequenceClassification", "ForTokenClassification"])
@pytest.mark.parametrize("apart", [False, True])
def test_fit_takes_a_loss_and_metrics_of_keras(
    make_model: Callable[..., Any],
    example: Callable[..., Any],
    head: str,
    apart: bool,
    jit: Any,
) -> None:
    model, inputs = make_model(head), example(head)
    x, labels = _parts(head, inputs)
    labels["labels"] = inputs["labels"] = np.maximum(labels["labels"], 0)
    data = {"x": x, "y": labels["labels"]} if apart else {"x": inputs}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss=loss, metrics=["accuracy"], jit_compile=jit)
    scores = model.evaluate(**data, verbose=0, return_dict=True)
    logits = array(model(x).logits)
    np.testing.assert_allclose(scores["loss"], float(loss(labels["labels"], logits)), atol=1e-5)
    accuracy = np.mean(logits.argmax(-1) == labels["labels"])
    np.testing.assert_allclose(scores["accuracy"], accuracy, atol=1e-6)
    history = model.fit(**data, epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_answers_take_losses_of_keras_by_name(
    make_model: Callable[..., Any], example: Callable[..., Any], jit: Any
) -> None:
    head = "ForQuestionAnsweringSimple"
    model, inputs = make_model(head), example(head)
    x, labels = _parts(head, inputs)
    labels = {name: np.minimum(value, 5) for name, value in labels.items()}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss={"start_logits": loss, "end_logits": loss}, jit_compile=jit)
    output = model(x)
    expected = sum(
        float(loss(labels[f"{end}_positions"], array(output[f"{end}_logits"])))
        for end in ("start", "end")
    )
    for data in ({"x": {**x, **labels}}, {"x": x, "y": labels}, {"x": x, "y": (*labels.values(),)}):
        scores = model.evaluate(**data, verbose=0, return_dict=True)
        np.testing.assert_allclose(scores["loss"], expected, atol=1e-5)


def test_the_encoder_learns_from_a_loss_of_keras(
    make_model: Callable[..., Any], example: Callable[..., Any]
) -> None:
    model, inputs = make_model(), example("Model")
    model.compile("adam")
    with pytest.raises(ValueError, match="it has no loss of its own"):
        model.fit(inputs, verbose=0)
    model = make_model()  # a fit that fails leaves a model without weights under JAX
    model.compile(keras.optimizers.Adam(1e-2), loss="mse")
    target = np.zeros((3, 6, 16), dtype="float32")
    history = model.fit(inputs, target, epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_missing_labels_are_named(
    make_model: Callable[..., Any], example: Callable[..., Any]
) -> None:
    head = "ForSequenceClassification"
    x, _ = _parts(head, example(head))
    model = make_model(head)
    model.compile("adam", loss="auto")
    with pytest.raises(ValueError, match="give labels, among the inputs or as y"):
        model.fit(x, verbose=0)


@pytest.mark.parametrize("head", TRAINABLE)
def test_sequences_are_weighted(
    make_model: Callable[..., Any], example: Callable[..., Any], head: str, jit: Any
) -> None:
    """A weight of 0 leaves a sequence out, one of n counts it n times; the number stays 3."""
    model, inputs = make_model(head), example(head)
    x, labels = _parts(head, inputs)
    labels = {name: np.maximum(np.minimum(value, 1), 0) for name, value in labels.items()}
    model.compile("adam", jit_compile=jit)
    chosen = {name: value[[1, 1, 2]] for name, value in {**x, **labels}.items()}
    expected = model.evaluate(chosen, verbose=0)
    several = tuple(labels.values())
    for y in (labels, several if len(several) > 1 else several[0]):
        weighted = model.evaluate(x, y, sample_weight=np.array([0.0, 2.0, 1.0]), verbose=0)
        np.testing.assert_allclose(weighted, expected, rtol=1e-5)


def test_a_model_that_returns_tuples_learns_too(
    make_model: Callable[..., Any], example: Callable[..., Any], jit: Any
) -> None:
    head = "ForSequenceClassification"
    model, inputs = make_model(head, return_dict=False), example(head)
    model.compile("adam", metrics=["accuracy"], jit_compile=jit)
    x, labels = _parts(head, inputs)
    together = model.evaluate(inputs, verbose=0)
    np.testing.assert_allclose(model.evaluate(x, labels["labels"], verbose=0), together, atol=1e-6)


@pytest.mark.parametrize(
    ("problem", "n_labels", "labels"),
    [
        (None, 1, np.array([[0.5], [1.0], [-1.0]], dtype="float32")),
        ("regression", 2, np.ones((3, 2), dtype="float32")),
        ("multi_label_classification", 3, np.array([[0, 1, 1]] * 3, dtype="float32")),
        ("single_label_classification", 3, np.array([0, 2, 1])),
    ],
)
def test_the_losses_of_all_kinds_of_problems(
    make_model: Callable[..., Any],
    example: Callable[..., Any],
    problem: str | None,
    n_labels: int,
    labels: np.ndarray,
) -> None:
    import torch
    from torch.nn import functional

    head = "ForSequenceClassification"
    model = make_model(head, num_labels=n_labels, problem_type=problem)
    output = model({**_parts(head, example(head))[0], "labels": labels})
    assert output.loss.shape == (3,)
    losses = {
        "regression": functional.mse_loss,
        "multi_label_classification": functional.binary_cross_entropy_with_logits,
        "single_label_classification": functional.cross_entropy,
    }
    expected = losses[problem or "regression"](
        torch.tensor(array(output.logits)), torch.tensor(labels)
    )
    np.testing.assert_allclose(np.mean(array(output.loss)), float(expected), atol=1e-5)
    with pytest.raises(ValueError, match="problem_type='x' is unknown"):
        make_model(head, problem_type="x")({**example(head)})


def test_dropout_is_on_only_in_training(
    make_model: Callable[..., Any], example: Callable[..., Any]
) -> None:
    model, inputs = make_model(dropout=0.5), example("Model")
    plain = array(model(inputs)[0])
    np.testing.assert_array_equal(array(model(inputs, training=False)[0]), plain)
    noisy = [array(model(inputs, training=True)[0]) for _ in range(2)]
    assert np.abs(noisy[0] - plain).max() > 0.1
    assert np.abs(noisy[0] - noisy[1]).max() > 0.1


def test_mixed_precision_stays_near_float32(
    make_config: Callable[..., Any], example: Callable[..., Any]
) -> None:
    from xlmkit.keras import TFXLMWithLMHeadModel

    model = TFXLMWithLMHeadModel(make_config())
    half = TFXLMWithLMHeadModel(make_config(), dtype="mixed_bfloat16")
    assert {variable.dtype for variable in half.trainable_variables} == {"float32"}
    half.set_weights(model.get_weights())
    inputs = example("WithLMHeadModel")
    output = half(inputs)
    assert "bfloat16" in str(output.logits.dtype)
    np.testing.assert_allclose(
        array(output.loss).astype("float32"), array(model(inputs).loss), rtol=0.02
    )
