"""Keras's own file, TensorFlow's SavedModel, and functions that compile a model."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from .conftest import HEADS, array


@pytest.mark.parametrize("head", HEADS)
def test_keras_saves_and_loads_a_model(
    make_model: Callable[..., Any], example: Callable[..., Any], tmp_path: Path, head: str
) -> None:
    model, inputs = make_model(head), example(head)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    assert again.config.to_dict() == model.config.to_dict()
    for ours, other in zip(again(inputs), model(inputs), strict=True):
        np.testing.assert_array_equal(array(ours), array(other))


def test_a_compiled_model_goes_on_learning_after_loading(
    make_model: Callable[..., Any], example: Callable[..., Any], tmp_path: Path, jit: Any
) -> None:
    head = "ForSequenceClassification"
    model, inputs = make_model(head, dropout=0.0, attention_dropout=0.0), example(head)
    model.sequence_summary.first_dropout.rate = 0.0
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=jit)
    model.fit(inputs, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    again.sequence_summary.first_dropout.rate = 0.0
    losses = [m.fit(inputs, epochs=2, verbose=0).history["loss"] for m in (model, again)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)


def test_a_file_is_loaded_in_a_process_that_knows_no_class_yet(
    make_model: Callable[..., Any], tmp_path: Path
) -> None:
    make_model("ForTokenClassification").save(tmp_path / "model.keras")
    script = (
        "import keras, sys; import xlmkit.keras; xlmkit.keras.TFXLMForTokenClassification; "
        "print(type(keras.models.load_model(sys.argv[1])).__name__)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "model.keras"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "TFXLMForTokenClassification"


@pytest.mark.parametrize("head", HEADS)
def test_a_saved_model_has_named_inputs_and_outputs(
    make_model: Callable[..., Any],
    example: Callable[..., Any],
    tmp_path: Path,
    head: str,
    backend: str,
) -> None:
    model = make_model(head, output_hidden_states=head == "Model")
    if backend != "tensorflow":
        with pytest.raises(ValueError, match="set KERAS_BACKEND=tensorflow"):
            model.export(tmp_path)
        return
    import tensorflow as tf

    model.save_pretrained(tmp_path, saved_model=True)
    serve = tf.saved_model.load(tmp_path / "saved_model" / "1").signatures["serving_default"]
    inputs = {name: example(head)[name] for name in ("input_ids", "attention_mask", "langs")}
    for part in (slice(None), slice(0, 2)):  # any number of rows
        batch = {name: value[part] for name, value in inputs.items()}
        served = serve(**{name: tf.constant(value) for name, value in batch.items()})
        expected = model(batch)
        assert set(served) == set(expected.keys())
        for name, value in expected.items():
            value = np.stack([*map(array, value)]) if isinstance(value, tuple) else array(value)
            np.testing.assert_allclose(served[name], value, atol=1e-5)


def test_other_formats_are_left_to_keras(make_model: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="format"):
        make_model().export(tmp_path, format="parchment")


def test_a_model_is_compiled_by_its_backend(
    make_model: Callable[..., Any], example: Callable[..., Any], backend: str
) -> None:
    model, inputs = make_model("WithLMHeadModel"), example("WithLMHeadModel")
    expected = model(inputs, output_attentions=True)
    if backend == "tensorflow":
        import tensorflow as tf

        compiled = tf.function(lambda x: model(x, output_attentions=True))
        output = compiled({name: tf.constant(value) for name, value in inputs.items()})
        assert tf.function(model)(inputs["input_ids"]).logits.shape == (3, 6, 40)
    elif backend == "jax":
        import jax

        state = [[v.value for v in vs] for vs in (model.trainable_variables,)]
        others = [v.value for v in model.non_trainable_variables]
        call = jax.jit(lambda *s: model.stateless_call(*s, inputs, output_attentions=True)[0])
        output = call(*state, others)
    else:
        pytest.skip("torch runs without compiling here")
    assert type(output) is type(expected)
    np.testing.assert_allclose(array(output.logits), array(expected.logits), atol=1e-5)
    assert len(output.attentions) == 2
