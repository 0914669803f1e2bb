"""What a model returns: named tuples that hold what was computed, and nothing else.

Keras, TensorFlow, JAX and torch all know how to take a named tuple apart and put it together again,
so that outputs pass through compiled functions on every backend.
"""

from collections import namedtuple
from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar

Tensor = Any
"""A tensor of the backend, or what Keras makes one of."""


class ModelOutput:
    """A tuple whose items also have names; what was not asked for is not in it.

    As an attribute, something absent is None. As in Hugging Face's outputs, `output[0]` is the
    first item that is there, and `output["logits"]`, `keys()`, `items()` and `to_tuple()` work.
    Iterating gives the items, as for every tuple.
    """

    names: ClassVar[tuple[str, ...]] = ()
    _fields: tuple[str, ...]
    _kind_of_output: "type[ModelOutput]"

    @classmethod
    def of(cls, **values: Tensor) -> "ModelOutput":
        """Return an output with those of the values that are not None.

        Raises:
            TypeError: this kind of output has no such value.
        """
        given = {name for name, value in values.items() if value is not None}
        if unknown := given - set(cls.names):
            raise TypeError(f"{cls.__name__} has no {', '.join(sorted(unknown))}.")
        present = tuple(name for name in cls.names if name in given)
        kind: Any = cls
        made: ModelOutput = _named_tuple(kind, present)(*(values[name] for name in present))
        return made

    def __getattr__(self, name: str) -> Tensor:
        if name in type(self).names:
            return None
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __getitem__(self, key: Any) -> Tensor:  # noqa: ANN401 - a name, a number or a slice
        if isinstance(key, str):
            if key not in self._fields:
                raise KeyError(key)
            return getattr(self, key)
        return self.to_tuple()[key]

    def __contains__(self, key: object) -> bool:
        return key in self._fields

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._kind_of_output, dict(self.items()))

    def to_tuple(self) -> tuple[Tensor, ...]:
        """Return the items as a plain tuple."""
        return tuple(iter(self))

    def keys(self) -> tuple[str, ...]:
        """Return the names of what is there."""
        return self._fields

    def values(self) -> tuple[Tensor, ...]:
        """Return what is there."""
        return self.to_tuple()

    def items(self) -> Iterator[tuple[str, Tensor]]:
        """Yield names and items."""
        yield from zip(self._fields, self.to_tuple(), strict=True)


@cache
def _named_tuple(kind: Any, present: tuple[str, ...]) -> Any:  # noqa: ANN401
    """Return the named tuple of this kind with these fields."""
    fields = namedtuple(kind.__name__, present)  # type: ignore[misc]
    body = {"__slots__": (), "_kind_of_output": kind}
    return type(kind.__name__, (kind, fields), body)


def _restore(kind: type[ModelOutput], values: dict[str, Tensor]) -> ModelOutput:
    return kind.of(**values)


class TFBaseModelOutput(ModelOutput):
    """States of the last layer (B, L, E); of all layers and of the embeddings; weights of heads."""

    names = ("last_hidden_state", "hidden_states", "attentions")


class TFXLMWithLMHeadModelOutput(ModelOutput):
    """Scores of all words at every position, (B, L, V)."""

    names = ("loss", "logits", "hidden_states", "attentions")


class TFSequenceClassifierOutput(ModelOutput):
    """Scores of the classes, (B, C)."""

    names = ("loss", "logits", "hidden_states", "attentions")


class TFMultipleChoiceModelOutput(ModelOutput):
    """Scores of the choices, (B, choices)."""

    names = ("loss", "logits", "hidden_states", "attentions")


class TFTokenClassifierOutput(ModelOutput):
    """Scores of the classes at every position, (B, L, C)."""

    names = ("loss", "logits", "hidden_states", "attentions")


class TFQuestionAnsweringModelOutput(ModelOutput):
    """Scores of every position as the answer's first and as its last token, both (B, L)."""

    names = ("loss", "start_logits", "end_logits", "hidden_states", "attentions")
