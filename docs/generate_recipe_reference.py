"""Writes the tables of recipes.md from the recipe's own schema.

python docs/generate_recipe_reference.py
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xlmkit.core.files import atomic_write
from xlmkit.recipe import Recipe

PAGE = Path(__file__).with_name("recipes.md")
MARK = "<!-- Below this line: written by generate_recipe_reference.py. -->\n"

Schema = Mapping[str, Any]

_SOURCES = "data.sources"
_TASKS = "finetune.NAME"
_TAGGED = "finetune.NAME.train of kind tagging"
_UNIONS = {  # sections with a kind -> what an item is, the kind whose keys show what all share
    _SOURCES: ("A list. Every item has a `kind`", "text"),
    _TASKS: ("Every task has a `kind`, `classification` where none is given", "classification"),
    _TAGGED: ("A list, as is `test`. Every item has a `kind`", "conllu"),
}
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
}
_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minItems": "at least {} of them",
    "minProperties": "at least {} of them",
}


def reference() -> str:
    """Return the tables of all sections, in the order in which a recipe has them."""
    schema = Recipe.model_json_schema()
    pages = _Reference(schema["$defs"])
    pages.add("", schema, "Recipe")
    return "\n".join(pages.lines)


def write() -> None:
    """Put the tables into the page."""
    head, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    with atomic_write(PAGE) as stream:
        stream.write(f"{head}{mark}{reference()}")


class _Reference:
    """Collects the tables of sections; one that stands twice is shown once."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self.lines: list[str] = []
        self._definitions = definitions
        self._shown: dict[str, str] = {}  # section's name in the code -> its path in a recipe
        self._linked: dict[str, str] = {}  # likewise, of those that will be shown

    def add(self, path: str, section: Schema, name: str) -> None:
        """Append a section's table and, behind it, those of the sections inside it."""
        self._shown[name] = path
        self._head(path or "The top level", section)
        self._table(section["properties"], section.get("required", ()), name, path)
        for key, field in section["properties"].items():
            for inner, below in self._sections(field):
                place = ".".join(part for part in (path, key, below) if part)
                if place == _SOURCES:
                    self._kinds(place, field["items"]["oneOf"])
                elif place == _TASKS:
                    self._kinds(place, (_value(field))["oneOf"])
                    tagging = self._definitions["TaggingConfig"]["properties"]
                    self._kinds(_TAGGED, tagging["train"]["items"]["oneOf"])
                elif inner and inner not in self._shown:
                    self.add(place, self._definitions[inner], inner)

    def _kinds(self, place: str, choices: Sequence[Schema]) -> None:
        """Append what all sources or tasks share, and a table for each kind of them."""
        said, first = _UNIONS[place]
        names = [choice["$ref"].rpartition("/")[2] for choice in choices]
        sections = [self._definitions[name] for name in names]
        kinds = {
            section["properties"]["kind"]["const"]: (name, section)
            for name, section in zip(names, sections, strict=True)
        }
        common: dict[str, Schema] = dict(kinds[first][1]["properties"])
        for _, section in kinds.values():
            common = {k: v for k, v in common.items() if k in section["properties"]}
        common = {key: field for key, field in common.items() if key != "kind"}
        self.lines += [
            f"### {place}",
            "",
            f"{said}, the keys of that kind (below), and may have:",
            "",
        ]
        self._table(common, (), place, place)
        self._below(place, common)
        for kind, (name, section) in kinds.items():
            self._head(f"{place}: kind {kind}", section)
            own = {
                key: field
                for key, field in section["properties"].items()
                if key != "kind" and field != common.get(key)
            }
            if own:
                self._table(own, section.get("required", ()), name, place)
                self._below(place, own)

    def _below(self, path: str, fields: Schema) -> None:
        """Append the sections that these fields hold and that were not shown yet."""
        for key, field in fields.items():
            listed = (inner for inner, _ in self._sections(field.get("items", {})))
            for inner in (*(inner for inner, _ in self._sections(field)), *listed):
                if inner and inner not in self._shown:
                    self.add(f"{path}.{key}", self._definitions[inner], inner)

    def _head(self, title: str, section: Schema) -> None:
        said = " ".join(str(section.get("description", "")).split())
        self.lines += [f"### {title}", "", *([said, ""] if said else [])]

    def _table(self, fields: Schema, required: Any, name: str, path: str) -> None:  # noqa: ANN401
        self.lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
        for key, field in fields.items():
            meaning = field.get("description", "")
            default = "needed" if key in required else self._default(field)
            cells = [f"`{key}`", self._type(field, f"{path}.{key}".strip(".")), default, meaning]
            self.lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
        self.lines.append("")

    def _sections(self, field: Schema) -> Iterator[tuple[str, str]]:
        """Yield the sections that a field may hold, and what stands in their path below its key."""
        if "$ref" in field:
            yield field["$ref"].rpartition("/")[2], ""
        for choice in field.get("anyOf", ()):
            yield from self._sections(choice)
        if "discriminator" in field.get("items", {}):
            yield "", ""
        elif "$ref" in field.get("items", {}):
            yield from self._sections(field["items"])
        if value := _value(field):
            yield from ((name, "NAME") for name, _ in self._sections(value))
            if "discriminator" in value:
                yield "", "NAME"

    def _type(self, field: Schema, path: str) -> str:
        for name, below in self._sections(field):
            place = ".".join(part for part in (path, below) if part)
            if not name:
                place = _TASKS if below else _TAGGED if _is_tagged(field) else _SOURCES
            if name:
                place = self._shown.get(name) or self._linked.setdefault(name, place)
            kind = "sections by name" if below else "section" if name else "list of sources"
            kind = "list of sections" if name and "items" in field else kind
            off = ", or `null` for none" if field.get("default") and "anyOf" in field else ""
            return f"{kind}, see [{place}](#{_anchor(place)}){off}"
        choices = [one for one in field.get("anyOf", ()) if one.get("type") != "null"]
        if choices:
            return " or ".join(self._type(one, path) for one in choices)
        if "enum" in field or "const" in field:
            return " or ".join(f"`{one}`" for one in field.get("enum", [field.get("const")]))
        return self._plain_type(field, path)

    def _plain_type(self, field: Schema, path: str) -> str:
        if "prefixItems" in field:
            return "list of " + ", ".join(self._type(one, path) for one in field["prefixItems"])
        if field["type"] == "array":
            name = f"list of: {self._type(field['items'], path)}"
        elif field["type"] == "object":
            name = f"mapping to {self._type(_value(field), path)}"
        else:
            name = _TYPES[field["type"]]
        limits = [words.format(field[key]) for key, words in _LIMITS.items() if key in field]
        return ", ".join([name, *limits])

    def _default(self, field: Schema) -> str:
        value = field.get("default", {})
        if value is None:
            return "none"
        if isinstance(value, Mapping):
            return self._changed(field, value)
        if isinstance(value, bool):
            return f"`{str(value).lower()}`"
        return "empty" if value in ("", []) else f"`{value}`"

    def _changed(self, field: Schema, value: Schema) -> str:
        """Return what a section's default has other than the section's own defaults."""
        usual: dict[str, Any] = {}
        for name, below in self._sections(field):
            if name and not below:
                properties = self._definitions[name]["properties"]
                usual = {key: one.get("default") for key, one in properties.items()}
        changed = {
            key: one for key, one in value.items() if (usual.get(key) or None) != (one or None)
        }
        if not value:
            return "empty"
        return ", ".join(f"`{key}: {one}`" for key, one in changed.items()) or "as below"


def _value(field: Schema) -> Schema:
    """Return what stands behind the names of a mapping, {} where the field is none."""
    named = field.get("patternProperties") or {"": field.get("additionalProperties")}
    value = next(iter(named.values()))
    return value if isinstance(value, Mapping) else {}


def _is_tagged(field: Schema) -> bool:
    """Tell whether a list of sources is one of tagged sentences."""
    return "conllu" in field["items"]["discriminator"]["mapping"]


def _anchor(title: str) -> str:
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")


def _cell(text: str) -> str:
    escaped = re.sub(r"(?<=/)[*]|[*](?=/)|[|<]", lambda match: f"\\{match[0]}", text)
    return " ".join(escaped.split())


if __name__ == "__main__":
    write()
