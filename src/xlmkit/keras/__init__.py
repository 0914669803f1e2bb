"""XLM on Keras 3, with the names that Hugging Face's TensorFlow classes had.

The backend is Keras's choice: `KERAS_BACKEND=tensorflow`, `jax` or `torch`. The names are loaded
when they are first used, so that importing this package needs no keras.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlmkit.keras.base import TFXLMPreTrainedModel
    from xlmkit.keras.classifiers import TFXLMForMultipleChoice, TFXLMForSequenceClassification
    from xlmkit.keras.encoder import TFXLMModel
    from xlmkit.keras.language_model import TFXLMWithLMHeadModel
    from xlmkit.keras.main_layer import TFXLMMainLayer
    from xlmkit.keras.token_heads import (
        TFXLMForQuestionAnsweringSimple,
        TFXLMForTokenClassification,
    )

_MODULES = {
    "TFXLMForMultipleChoice": "classifiers",
    "TFXLMForQuestionAnsweringSimple": "token_heads",
    "TFXLMForSequenceClassification": "classifiers",
    "TFXLMForTokenClassification": "token_heads",
    "TFXLMMainLayer": "main_layer",
    "TFXLMModel": "encoder",
    "TFXLMPreTrainedModel": "base",
    "TFXLMWithLMHeadModel": "language_model",
}

__all__ = [
    "TFXLMForMultipleChoice",
    "TFXLMForQuestionAnsweringSimple",
    "TFXLMForSequenceClassification",
    "TFXLMForTokenClassification",
    "TFXLMMainLayer",
    "TFXLMModel",
    "TFXLMPreTrainedModel",
    "TFXLMWithLMHeadModel",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'xlmkit.keras' has no attribute '{name}'")
    for package in ("keras", "h5py", "transformers"):
        if importlib.util.find_spec(package) is None:
            raise ImportError(
                f"{name} needs {package}; install it with: pip install 'xlmkit[keras]' "
                "and a backend, 'xlmkit[tf]' or 'xlmkit[jax]'."
            )
    value = getattr(importlib.import_module(f"xlmkit.keras.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
