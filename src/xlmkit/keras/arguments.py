"""The arguments of a call: by name, by place, or packed into the first one.

`model(input_ids, attention_mask)`, `model([input_ids, attention_mask])` and
`model({"input_ids": ..., "attention_mask": ...})` are the same call, as in Hugging Face's classes.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

INPUTS = (
    "input_ids",
    "attention_mask",
    "langs",
    "token_type_ids",
    "position_ids",
    "lengths",
    "cache",
    "head_mask",
    "inputs_embeds",
)
FLAGS = ("output_attentions", "output_hidden_states", "return_dict")


def signature(labels: Sequence[str]) -> inspect.Signature:
    """Return the signature of a `call` that takes these labels besides the inputs and flags."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [*INPUTS, *FLAGS, *labels]
    return inspect.Signature(
        [
            inspect.Parameter("self", kind),
            *(inspect.Parameter(name, kind, default=None) for name in names),
            inspect.Parameter("training", kind, default=False),
        ]
    )


def by_name(
    labels: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what was given, by name; what was not given or None is left out.

    Args:
        labels: the names of the labels that the call takes.
        args: arguments by place; the first may hold several, as a list, a tuple or a mapping.
        kwargs: arguments by name; so may its `input_ids`.

    Raises:
        TypeError: too many arguments, or one given twice.
        ValueError: a name that the model does not take.
    """
    order = [*INPUTS, *FLAGS, *labels, "training"]
    if len(args) > len(order):
        raise TypeError(f"A call takes at most {len(order)} arguments, not {len(args)}.")
    named = _merge(dict(zip(order, args, strict=False)), kwargs)
    first = named.get("input_ids")
    if isinstance(first, Mapping):
        named = _merge({**named, "input_ids": None}, first)
    elif isinstance(first, list | tuple):
        if len(first) > len(order):
            raise TypeError(f"A call takes at most {len(order)} inputs, not {len(first)}.")
        named = _merge({**named, "input_ids": None}, dict(zip(order, first, strict=False)))
    if unknown := [name for name in named if name not in order]:
        raise ValueError(
            f"The model takes no {', '.join(map(repr, unknown))}; it takes {', '.join(order)}."
        )
    return {name: value for name, value in named.items() if value is not None}


def _merge(here: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    given = {name for name, value in here.items() if value is not None}
    if twice := sorted(given & {name for name, value in more.items() if value is not None}):
        raise TypeError(f"{', '.join(twice)} was given twice.")
    return {**here, **more}
