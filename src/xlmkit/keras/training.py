"""Training by Keras's `fit`: with the model's own loss, or with one of Keras's.

As in Hugging Face's classes, labels may stand among the inputs (`labels`, or `start_positions` and
`end_positions`) or be given as `y`; a model that is compiled without a loss takes its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from xlmkit.keras.outputs import ModelOutput

Tensor = Any


class OwnLoss:
    """Joins labels and outputs before Keras computes losses and metrics."""

    label_names: ClassVar[Sequence[str]]
    output_kind: ClassVar[type[ModelOutput]]
    predicted: ClassVar[Sequence[str]] = ("logits",)
    """Names of the outputs that labels, in the order of `label_names`, are compared with."""

    losses: Sequence[Tensor]
    optimizer: Any
    trainable_variables: Sequence[Any]
    _takes_own_loss = True

    def hf_compute_loss(
        self, labels: Tensor, logits: Tensor, sample_weight: Tensor = None
    ) -> Tensor:
        """Return the model's own loss.

        Args:
            labels: of the one kind the model has, or a mapping of its kinds.
            logits: of the one output, or a tuple of outputs in the order of the labels.
            sample_weight: a factor for each sequence, (B,).

        Returns:
            one number a sequence, (B,), or one in all, (1,).
        """
        raise NotImplementedError

    def loss_of(
        self,
        labels: Mapping[str, Tensor],
        values: Mapping[str, Tensor],
        sample_weight: Tensor = None,
    ) -> Tensor:
        """Return the model's own loss of labels and outputs by name."""
        if len(self.label_names) == 1:
            label, value = labels[self.label_names[0]], values[self.predicted[0]]
            return self.hf_compute_loss(label, value, sample_weight)
        outputs = tuple(values[name] for name in self.predicted)
        return self.hf_compute_loss(labels, outputs, sample_weight)

    def compile(
        self,
        optimizer: Any = "rmsprop",  # noqa: ANN401 - Keras's
        loss: Any = None,  # noqa: ANN401 - Keras's
        **kwargs: Any,  # noqa: ANN401 - Keras's
    ) -> None:
        """Configure training as Keras does; without a loss, or with "auto", it is the own one."""
        if isinstance(loss, str) and loss in ("auto", "auto_with_warning", "passthrough"):
            loss = None
        self._takes_own_loss = loss is None
        super().compile(optimizer=optimizer, loss=loss, **kwargs)  # type: ignore[misc]

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile a loaded model as it was when it was saved."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    def compute_loss(
        self,
        x: Any = None,  # noqa: ANN401 - tensors
        y: Any = None,  # noqa: ANN401 - tensors
        y_pred: Any = None,  # noqa: ANN401 - tensors
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        """Return the loss of a batch, a number.

        Raises:
            ValueError: there are no labels.
        """
        labels, values = self._labels(x, y), self._predictions(x, y_pred)
        weights = self._weights(sample_weight)
        if not self._takes_own_loss:
            return super().compute_loss(  # type: ignore[misc]
                x, _only(labels), _only(values), _only(weights), training
            )
        if labels is None or not self.label_names:
            raise ValueError(
                f"{type(self).__name__} has no labels to learn from: "
                + (
                    f"give {' and '.join(self.label_names)}, among the inputs or as y."
                    if self.label_names
                    else "it has no loss of its own; name one in compile(), and give its y."
                )
            )
        by_label = dict(zip(self.label_names, labels.values(), strict=True))
        loss = ops.mean(self.loss_of(by_label, values, _only(weights)))
        return loss + sum(self.losses)

    def compute_metrics(
        self,
        x: Any,  # noqa: ANN401 - tensors
        y: Any,  # noqa: ANN401 - tensors
        y_pred: Any,  # noqa: ANN401 - tensors
        sample_weight: Tensor = None,
    ) -> dict[str, Any]:
        """Update the metrics with a batch and return their values by name."""
        labels, values = self._labels(x, y), self._predictions(x, y_pred)
        metrics: dict[str, Any] = super().compute_metrics(  # type: ignore[misc]
            x, _only(labels), _only(values), _only(self._weights(sample_weight))
        )
        return metrics

    def _labels(self, x: Any, y: Any) -> dict[str, Tensor] | None:  # noqa: ANN401 - tensors
        """Return the labels, by the names of the outputs that they are compared with."""
        if y is None:
            given = {
                name: x[name] for name in self.label_names if isinstance(x, Mapping) and name in x
            }
            if len(given) < max(len(self.label_names), 1):
                return None
            return dict(zip(self.predicted, given.values(), strict=True))
        if isinstance(y, Mapping):
            names = dict(zip(self.label_names, self.predicted, strict=False))
            y = {names.get(name, name): value for name, value in y.items()}
            return {name: y[name] for name in self.predicted}
        several = isinstance(y, list | tuple) and len(self.predicted) > 1
        return dict(zip(self.predicted, y if several else [y], strict=True))

    def _weights(self, sample_weight: Any) -> Any:  # noqa: ANN401 - tensors
        """Return the weights; where Keras made some for each label, by the names of the outputs."""
        if isinstance(sample_weight, Mapping):
            names = dict(zip(self.label_names, self.predicted, strict=False))
            return {names.get(name, name): value for name, value in sample_weight.items()}
        if isinstance(sample_weight, list | tuple):
            return dict(zip(self.predicted, sample_weight, strict=True))
        return sample_weight

    def _predictions(self, x: Any, y_pred: Any) -> dict[str, Tensor]:  # noqa: ANN401 - tensors
        """Return the outputs that labels are compared with, by name."""
        if not isinstance(y_pred, ModelOutput):  # of a model with return_dict=False
            has_loss = isinstance(x, Mapping) and all(name in x for name in self.label_names)
            first = int(has_loss and len(self.label_names) > 0)
            return dict(zip(self.predicted, y_pred[first:], strict=False))
        return {name: y_pred[name] for name in self.predicted}


def _only(values: Any) -> Any:  # noqa: ANN401 - tensors
    """Return the one value of a mapping with one, and anything else as it is."""
    if isinstance(values, Mapping) and len(values) == 1:
        return next(iter(values.values()))
    return values
