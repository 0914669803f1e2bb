"""Strict recipe sections: every owner keeps its own, and a recipe is made of them."""

import ast
import inspect
import json
import textwrap
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema

from xlmkit.core.errors import UserError
from xlmkit.core.layering import read_layers, settings_alone
from xlmkit.core.mistakes import explain
from xlmkit.core.yaml import Tree, dump_yaml


class Config(BaseModel):
    """Base of every recipe section: unknown keys are refused, values are frozen.

    Fields carry their help as a docstring below them, which `xlmkit schema` prints. It is read from
    the source when a schema is asked for: pydantic's own way takes a fifth of a second of every
    start.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema with the help of all fields."""
        schema = handler(core_schema)
        fields = handler.resolve_ref_schema(schema).get("properties", {})
        for owner in cls.__mro__:
            if issubclass(owner, Config):
                for name, text in _help(owner).items():
                    if name in fields:
                        fields[name].setdefault("description", text)
        return schema


@cache
def _help(section: type[Config]) -> dict[str, str]:
    """Return the docstrings below the fields of a class, by the names of these."""
    try:
        source = inspect.getsource(section)
    except (OSError, TypeError):  # it was not read from a file
        return {}
    definition = ast.parse(textwrap.dedent(source)).body[0]
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 - that is what its source is
    found = {}
    for field, below in pairwise(definition.body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(name)),
                ast.Expr(ast.Constant(str() as text)),
            ):
                found[name] = inspect.cleandoc(text)
    return found


C = TypeVar("C", bound=Config)


def load_config(path: Path, model: type[C], overrides: Sequence[str] = ()) -> C:
    """Read a recipe, with what it extends and with settings laid over it.

    Types are strict: a number in quotes is a text, `yes` is not `true`.

    Args:
        path: the YAML file.
        model: the section class that the file as a whole must fit.
        overrides: settings such as `model.dropout=0.2` or `data.sources.0.path=a.txt`; each value
            is read as YAML.

    Raises:
        UserError: one sentence about the first mistake, with file, line and the nearest valid name.
    """
    return _checked(read_layers(path, overrides), model, str(path))


def config_of_settings(model: type[C], settings: Sequence[str], whole: str) -> C:
    """Return a section with these `key=value` settings, and its defaults for the rest.

    Args:
        model: the section.
        settings: of the command line, be it by options of their own or by `--set`.
        whole: what the section describes, in words, such as "the search".

    Raises:
        UserError: one sentence about the first mistake.
    """
    key, field = next(iter(model.model_fields.items()))
    tree = settings_alone(settings, example=f"{key}={field.default}")
    return _checked(tree, model, "", whole)


def _checked(tree: Tree, model: type[C], name: str, whole: str = "the recipe") -> C:
    try:
        # JSON's strict mode, since Python's would refuse texts for paths and lists for tuples.
        return model.model_validate_json(json.dumps(tree.value), strict=True)
    except ValidationError as error:
        raise UserError(explain(error, tree, model, name, whole)) from None
    except UserError as error:  # from a section that checks its values against one another
        raise UserError(f"{name}: {error}" if name else str(error)) from None


def to_yaml(config: Config) -> str:
    """Print a section with every value, defaults included; `load_config` reads it back."""
    return dump_yaml(config.model_dump(mode="json"))
