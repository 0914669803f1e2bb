"""`TFXLMPreTrainedModel`: what all models do in the same way.

A model is the encoder and a head. Its `call` takes the arguments apart, runs both, and adds the
loss where there are labels; a class says only what its head is and which labels and loss it has.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from xlmkit.huggingface.configuration import XLMConfig
from xlmkit.keras.arguments import FLAGS, by_name, signature
from xlmkit.keras.configuration import supported
from xlmkit.keras.export import export_saved_model
from xlmkit.keras.layers import dtypes_of
from xlmkit.keras.main_layer import TFXLMMainLayer
from xlmkit.keras.outputs import ModelOutput
from xlmkit.keras.pretrained import Pretrained
from xlmkit.keras.training import OwnLoss

Tensor = Any


class TFXLMPreTrainedModel(OwnLoss, Pretrained, keras.Model):
    """The base of all models: configuration, weights, embeddings, saving and the form of a call.

    A model's weights exist as soon as it does.

    Args:
        config: the shape; a mapping is read as one.
        **kwargs: of a Keras model, such as `name`.

    Raises:
        ValueError: the configuration asks for what only the PyTorch classes have.
    """

    config_class = XLMConfig
    base_model_prefix = "transformer"
    main_input_name = "input_ids"

    label_names: ClassVar[Sequence[str]] = ()
    output_kind: ClassVar[type[ModelOutput]]

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401 - Python's
        """Give the class a `call` whose signature names its labels."""
        super().__init_subclass__(**kwargs)
        if "call" not in cls.__dict__:
            cls.call = _call(cls.label_names)

    def __init__(self, config: XLMConfig | Mapping[str, Any], **kwargs: Any) -> None:  # noqa: ANN401 - Keras's
        super().__init__(**kwargs)
        self.config = supported(config)
        with dtypes_of(self):
            self.transformer = TFXLMMainLayer(self.config)
            self.make_head()
            self.build()
        self._tracker.unlock()  # so that a class made from this one may add layers

    def make_head(self) -> None:
        """Make the layers that stand on the encoder."""

    def named_head_layers(self) -> dict[str, keras.layers.Layer]:
        """Return the head's layers that have weights, with the names of the PyTorch classes."""
        return {}

    def apply_head(
        self, states_BLE: Tensor, inputs: Mapping[str, Tensor], training: bool
    ) -> dict[str, Tensor]:
        """Return the head's outputs by name.

        Args:
            states_BLE: of the encoder's last layer.
            inputs: of the encoder, by name.
            training: whether dropout is on.
        """
        raise NotImplementedError

    def encode(self, inputs: dict[str, Tensor], **flags: bool) -> ModelOutput:
        """Run the encoder."""
        encoded: ModelOutput = self.transformer(**inputs, **flags, return_dict=True)
        return encoded

    def build(self, input_shape: object = None) -> None:
        """Make the weights."""
        if self.built:
            return
        for layer in self.layers:
            layer.build(None)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - tensors
        """Take the arguments in any form that `call` takes."""
        return super().__call__(**by_name(self.label_names, args, kwargs))

    # Configuration.

    def get_config(self) -> dict[str, Any]:
        """Return what makes the model again, as JSON."""
        return {
            "config": self.config.to_dict(),
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype_policy.name,
        }

    @classmethod
    def from_config(
        cls,
        config: XLMConfig | Mapping[str, Any],
        custom_objects: Mapping[str, Any] | None = None,
    ) -> "TFXLMPreTrainedModel":
        """Make a model from `get_config()`, from a configuration, or from one as a mapping."""
        if isinstance(config, Mapping) and "config" in config:
            return cls(**config)
        return cls(config)

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """A small batch that the model takes."""
        ids = [[7, 6, 0, 0, 1], [1, 2, 3, 0, 0], [0, 0, 0, 4, 5]]
        mask = [[1, 1, 0, 0, 1], [1, 1, 1, 0, 0], [1, 0, 0, 1, 1]]
        inputs = {"input_ids": ids, "attention_mask": mask}
        if self.transformer.lang_embeddings is not None:
            inputs["langs"] = mask
        return {name: ops.convert_to_tensor(x, dtype="int32") for name, x in inputs.items()}

    # Weights.

    def num_parameters(self, only_trainable: bool = False) -> int:
        """Return how many numbers the weights are."""
        variables = self.trainable_variables if only_trainable else self.weights
        return sum(int(np.prod(variable.shape)) for variable in variables)

    def get_input_embeddings(self) -> keras.layers.Layer:
        """Return the layer of the word embeddings; its table is `weight`."""
        return self.transformer.embeddings

    def get_output_embeddings(self) -> keras.layers.Layer | None:
        """Return the layer whose table scores words, or None for a model without word scores."""
        return None

    def get_lm_head(self) -> keras.layers.Layer | None:
        """Return the layer that scores words, or None for a model without word scores."""
        return None

    @classmethod
    def can_generate(cls) -> bool:
        """Tell whether the class has `generate`."""
        return hasattr(cls, "generate")

    def get_bias(self) -> dict[str, Any] | None:
        """Return the bias of the word scores by name, or None for a model without word scores."""
        return None

    def resize_token_embeddings(self, new_num_tokens: int | None = None) -> keras.layers.Layer:
        """Cut words off the end of the vocabulary, or add words with fresh embeddings.

        A compiled model has to be compiled again.

        Args:
            new_num_tokens: the new size; None leaves it as it is.

        Returns:
            the layer of the word embeddings.
        """
        if new_num_tokens is not None and new_num_tokens != self.config.vocab_size:
            self._resize(new_num_tokens)
            self.config.vocab_size = new_num_tokens
            self.train_function = self.test_function = self.predict_function = None
            self.compiled = False
        return self.get_input_embeddings()

    def _resize(self, n_words: int) -> None:
        self.transformer.embeddings.resize(n_words)

    def export(
        self,
        filepath: Any,  # noqa: ANN401 - a path of any kind
        format: str = "tf_saved_model",
        input_signature: Any = None,  # noqa: ANN401 - Keras's
        **kwargs: Any,  # noqa: ANN401 - Keras's
    ) -> None:
        """Write the model for inference, in one of Keras's export formats.

        A SavedModel without an `input_signature` takes `input_ids`, `attention_mask` and, for a
        model with language embeddings, `langs` by name, of any size, and gives its outputs by name.
        """
        if format == "tf_saved_model" and input_signature is None:
            export_saved_model(self, str(filepath))
        else:
            super().export(filepath, format=format, input_signature=input_signature, **kwargs)


def _call(label_names: Sequence[str]) -> Callable[..., Any]:
    """Return the `call` of a class with these labels."""

    def call(self: TFXLMPreTrainedModel, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - tensors
        inputs = by_name(label_names, args, kwargs)
        flags = {name: inputs.pop(name, getattr(self.config, name)) for name in FLAGS}
        return_dict = flags.pop("return_dict")
        training = inputs.pop("training", False)
        labels = {name: inputs.pop(name) for name in label_names if name in inputs}
        encoded = self.encode(inputs, **flags, training=training)
        values = self.apply_head(encoded.last_hidden_state, inputs, training)
        output = self.output_kind.of(
            loss=self.loss_of(labels, values) if len(labels) == len(label_names) > 0 else None,
            **values,
            hidden_states=encoded.hidden_states,
            attentions=encoded.attentions,
        )
        return output if return_dict else output.to_tuple()

    call.__signature__ = signature(label_names)  # type: ignore[attr-defined]
    call.__doc__ = "Return the model's outputs, and its loss where labels are given."
    return call
