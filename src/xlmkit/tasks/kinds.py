"""The kinds of tasks that a recipe may name: one line for each file of this folder that is one."""

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Discriminator, Field, Tag

from xlmkit.tasks.base import TaskConfig

KINDS = (
    "classification",
    "multilabel",
    "regression",
    "multiple_choice",
    "tagging",
    "question_answering",
)
"""Files, which are called as their kind is; each names its section as SECTION."""

_sections: dict[str, type[TaskConfig]] = {
    name: import_module(f"xlmkit.tasks.{name}").SECTION for name in KINDS
}


def kind(value: Any) -> str:  # noqa: ANN401 - a section, or what a recipe has in its place
    """Return the kind that a section names; without any it is a classification."""
    found = value.get("kind", KINDS[0]) if isinstance(value, dict) else getattr(value, "kind", "")
    return str(found)


if TYPE_CHECKING:
    Task = TaskConfig
else:
    # The mapping tells those who explain mistakes and write the reference of keys what there is.
    _mapping = {name: f"#/$defs/{section.__name__}" for name, section in _sections.items()}
    Task = Annotated[
        Union[tuple(Annotated[section, Tag(name)] for name, section in _sections.items())],  # noqa: UP007
        Discriminator(kind),
        Field(json_schema_extra={"discriminator": {"propertyName": "kind", "mapping": _mapping}}),
    ]
