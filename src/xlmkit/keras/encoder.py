"""`TFXLMModel`: the encoder alone."""

from collections.abc import Mapping
from typing import Any

import keras

from xlmkit.keras.base import TFXLMPreTrainedModel
from xlmkit.keras.outputs import TFBaseModelOutput

Tensor = Any


@keras.saving.register_keras_serializable(package="xlmkit")
class TFXLMModel(TFXLMPreTrainedModel):
    """XLM without a head: gives the states of the last layer."""

    output_kind = TFBaseModelOutput
    predicted = ("last_hidden_state",)

    def apply_head(
        self, states_BLE: Tensor, inputs: Mapping[str, Tensor], training: bool
    ) -> dict[str, Tensor]:
        """Return the encoder's states as they are."""
        return {"last_hidden_state": states_BLE}
