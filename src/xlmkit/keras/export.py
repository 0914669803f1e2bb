"""TensorFlow's SavedModel, with inputs and outputs by name. The one place that is TensorFlow's."""

from typing import Any

import keras

Tensor = Any


def export_saved_model(model: Any, folder: str) -> None:  # noqa: ANN401 - a Keras model
    """Write a model whose signature `serving_default` takes named inputs of any size.

    Args:
        model: one of the Keras classes.
        folder: made anew.

    Raises:
        ValueError: Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "A SavedModel is written on the TensorFlow backend; set KERAS_BACKEND=tensorflow, or "
            "choose another format of export()."
        )
    import tensorflow as tf

    signature = {
        name: tf.TensorSpec([None] * len(value.shape), tf.int32, name=name)
        for name, value in model.dummy_inputs.items()
    }

    @tf.function(input_signature=[signature], autograph=False)  # type: ignore[untyped-decorator]
    def serve(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        # Layers lie one upon another, since an output of a signature is one tensor.
        output = model(inputs, training=False, return_dict=True)
        return {
            name: tf.stack(value) if isinstance(value, tuple) else value
            for name, value in output.items()
        }

    module = tf.Module()
    module.variables_of_model = [variable.value for variable in model.variables]
    module.serve = serve
    tf.saved_model.save(module, folder, signatures={"serving_default": serve})
