"""One sentence about what is wrong in a recipe, from what pydantic found.

The JSON schema of the recipe tells which keys are valid at a place, its tree tells the line.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from xlmkit.core.yaml import Keys, Tree

Schema = Mapping[str, Any]

_FEW = 12  # valid names up to this number are listed
_LONGEST = 60  # characters of a wrong value that are shown
_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text",
    "path_type": "a path",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a section with keys",
    "model_type": "a section with keys",
    "dataclass_type": "a section with keys",
    "none_required": "empty",
    "finite_number": "a finite number",
}
_BOUNDS = {
    "greater_than": ("gt", "above {}"),
    "greater_than_equal": ("ge", "at least {}"),
    "less_than": ("lt", "below {}"),
    "less_than_equal": ("le", "at most {}"),
    "multiple_of": ("multiple_of", "a multiple of {}"),
}
_SIZES = {
    "too_short": ("min_length", "have at least {} items"),
    "too_long": ("max_length", "have at most {} items"),
    "string_too_short": ("min_length", "have at least {} characters"),
    "string_too_long": ("max_length", "have at most {} characters"),
}


@dataclass(frozen=True, slots=True)
class _Mistake:
    """One of pydantic's findings, located by keys of the recipe."""

    kind: str
    keys: Keys
    schema: Schema  # of the value; where a key is missing or unknown, of the section around it
    context: Mapping[str, Any]
    message: str
    value: object


def explain(
    error: ValidationError,
    tree: Tree,
    model: type[BaseModel],
    name: str,
    whole: str = "the recipe",
) -> str:
    """Return one sentence about the first mistake, a misspelt key before all others.

    Args:
        error: what validating `tree` against `model` raised.
        tree: the recipe with its places.
        model: the class of the whole recipe.
        name: what to call the recipe where no line is known.
        whole: what the class describes, in words.
    """
    root = model.model_json_schema()
    mistakes = [_locate(details, root, tree.value) for details in error.errors()]
    first = min(mistakes, key=lambda mistake: mistake.kind != "extra_forbidden")
    same = [mistake for mistake in mistakes if mistake.keys == first.keys]
    top_level = first.kind == "missing" and len(first.keys) == 1
    place = None if top_level else tree.place(first.keys)
    return f"{place or name or whole}: {_sentence(first, same, whole)}"


def _locate(details: ErrorDetails, root: Schema, value: object) -> _Mistake:
    """Follow pydantic's location, which names members of unions too, through schema and value."""
    kind, location = details["type"], details["loc"]
    schema = _resolve(root, root)
    keys: list[str | int] = []
    around = schema
    for index, part in enumerate(location):
        if part == "[key]" and kind == "literal_error":  # of a mapping with keys of these names
            names = _resolve(around.get("propertyNames", {}), root).get("enum", ())
            kind, schema = "extra_forbidden", {"properties": dict.fromkeys(names)}
        elif (member := _member(schema, part, root)) is not None:
            schema = member
        elif kind in ("extra_forbidden", "missing") and index == len(location) - 1:
            keys.append(part)
        elif isinstance(value, dict | list) and _holds(value, part):
            keys.append(part)
            value = value[part]  # type: ignore[index]
            around = schema
            schema = _child(schema, part, root)
    return _Mistake(
        kind, tuple(keys), schema, details.get("ctx", {}), details["msg"], details["input"]
    )


def _holds(value: dict[str, object] | list[object], part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(part, int) and part < len(value)


def _resolve(schema: Schema, root: Schema) -> Schema:
    """Follow references, and leave out the null of an optional value."""
    while True:
        members = [member for member in schema.get("anyOf", ()) if member.get("type") != "null"]
        if "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
        elif len(members) == 1:
            schema = members[0]
        else:
            return schema


def _member(schema: Schema, part: str | int, root: Schema) -> Schema | None:
    """Return the member of a union that `part` names, by its kind or by its class."""
    references = schema.get("discriminator", {}).get("mapping", {})
    if part in references:
        return _resolve({"$ref": references[part]}, root)
    members = [_resolve(member, root) for member in schema.get("anyOf", ())]
    return next((member for member in members if member.get("title") == part), None)


def _child(schema: Schema, part: str | int, root: Schema) -> Schema:
    if isinstance(part, int):
        prefix = schema.get("prefixItems", ())
        inner = prefix[part] if part < len(prefix) else schema.get("items", {})
    else:
        patterns = schema.get("patternProperties", {}).items()
        named = next((inner for pattern, inner in patterns if re.search(pattern, part)), None)
        other = schema.get("additionalProperties") if named is None else named
        inner = schema.get("properties", {}).get(part, other)
    return _resolve(inner, root) if isinstance(inner, dict) else {}


def _sentence(mistake: _Mistake, same: Sequence[_Mistake], whole: str) -> str:
    """Say what is wrong; `same` are the findings at this place, one for each member of a union."""
    where = ".".join(map(str, mistake.keys)) or whole
    section = ".".join(map(str, mistake.keys[:-1])) or whole
    match mistake.kind:
        case "extra_forbidden":
            key = str(mistake.keys[-1])
            return f"{section} has no key '{key}'{_hint(key, mistake.schema.get('properties', ()))}"
        case "missing" if isinstance(mistake.keys[-1], int):
            return f"{section} is a list that lacks its item {mistake.keys[-1]}, counted from 0."
        case "missing":
            return f"{section} needs the key '{mistake.keys[-1]}'."
        case "union_tag_not_found":
            names = mistake.schema.get("discriminator", {}).get("mapping", ())
            return f"{where} needs the key {mistake.context['discriminator']}{_hint('', names)}"
        case "union_tag_invalid":
            tag, key = mistake.context["tag"], mistake.context["discriminator"].strip("'()")
            names = mistake.schema.get("discriminator", {}).get("mapping", ())
            return f"{where}.{key} cannot be '{tag}'{_hint(tag, names)}"
        case "literal_error" | "enum" if isinstance(mistake.value, str):
            return f"{where} cannot be '{mistake.value}'{_hint(mistake.value, _choices(mistake))}"
        case "value_error" | "assertion_error":
            reason = str(mistake.context["error"])
            return f"{where}: {reason if reason.endswith('?') else reason.rstrip('.') + '.'}"
        case "string_pattern_mismatch" if examples := mistake.schema.get("examples"):
            return f"{where} cannot be {_show(mistake.value)}; write it as {examples[0]}."
        case "string_pattern_mismatch":
            pattern = mistake.context["pattern"]
            return f"{where} cannot be {_show(mistake.value)}; it must match {pattern}."
    return _wrong_value(where, mistake, same)


def _wrong_value(where: str, mistake: _Mistake, same: Sequence[_Mistake]) -> str:
    wanted = list(dict.fromkeys(words for other in same if (words := _wanted(other))))
    if not wanted:
        return f"{where}: {mistake.message[:1].lower()}{mistake.message[1:].rstrip('.')}."
    if mistake.kind in _SIZES:
        return f"{where} must {wanted[0]}."
    quotes = ""
    if mistake.kind == "string_type" and isinstance(mistake.value, int | float):
        quotes = "; put it in quotes"
    return f"{where} must be {' or '.join(wanted)}, not {_show(mistake.value)}{quotes}."


def _wanted(mistake: _Mistake) -> str | None:
    """Return what should stand in the place of a wrong value."""
    if mistake.kind in ("literal_error", "enum"):
        return " or ".join(f"'{name}'" for name in _choices(mistake)) or None
    for table in (_BOUNDS, _SIZES):
        if mistake.kind in table:
            name, words = table[mistake.kind]
            words = words.format(mistake.context[name])
            return words.removesuffix("s") if mistake.context[name] == 1 else words
    return _TYPES.get(mistake.kind)


def _choices(mistake: _Mistake) -> list[str]:
    constant = [mistake.schema["const"]] if "const" in mistake.schema else []
    return [str(name) for name in mistake.schema.get("enum", constant)]


def _hint(wrong: str, names: Sequence[str] | Mapping[str, object]) -> str:
    """End a sentence with the nearest valid name and, if they are few, with all of them."""
    nearest = get_close_matches(wrong.lower(), names, n=1)
    known = f" (valid: {', '.join(names)})" if 0 < len(names) <= _FEW else ""
    return f"{known}; did you mean '{nearest[0]}'?" if nearest else f"{known}."


def _show(value: object) -> str:
    """Return a value in YAML's words, as short as a message needs it."""
    match value:
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case dict():
            return "a section"
        case list():
            return "a list"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
