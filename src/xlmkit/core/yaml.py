"""YAML files read strictly, each value with the place that it came from.

Plain scalars follow the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema), so
that `no` stays the code of Norwegian and `1e-4` is a number; PyYAML alone follows YAML 1.1, where
they are `False` and a text. A key that stands twice is refused.
"""

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from xlmkit.core.errors import UserError

Keys = tuple[str | int, ...]
"""The way to a value: keys of mappings and indices of lists, from the root."""

_TAG = "tag:yaml.org,2002:"
_SCALARS = (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
)
_LARGEST_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Tree:
    """What a YAML file says: nested dicts, lists and scalars, and where each of them stands."""

    value: Any
    places: dict[Keys, str]

    def place(self, keys: Keys) -> str | None:
        """Return "file:line" of the value at `keys`, or of the nearest section around it."""
        for length in range(len(keys), -1, -1):
            if place := self.places.get(keys[:length]):
                return place
        return None


class _Loader(yaml.SafeLoader):
    """PyYAML's parser with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


class _Dumper(yaml.SafeDumper):
    """PyYAML's printer, which quotes what either version of YAML would take for another type."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the form that PyYAML reads
        first: list(resolvers)
        for first, resolvers in yaml.SafeDumper.yaml_implicit_resolvers.items()
    }

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent the items of a list below its key."""
        del indentless
        super().increase_indent(flow, indentless=False)


for _name, _pattern, _first in _SCALARS:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            _TAG + _name,
            re.compile(f"^(?:{_pattern})$"),
            [character.replace("\0", "") for character in _first],
        )


def read_yaml(path: Path) -> Tree:
    """Read one YAML document.

    Raises:
        UserError: the file is missing or empty, is not UTF-8 or not YAML, or holds a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder, a YAML file is needed.") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise UserError(f"{path}:{line}: the file is not UTF-8; save it as UTF-8.") from None
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from error
    tree = parse_yaml(text, str(path))
    if tree.value is None:
        raise UserError(f"{path} is empty; it should say what to do.")
    return tree


def parse_yaml(text: str, name: str, *, lines: bool = True) -> Tree:
    """Read YAML from a text.

    Args:
        text: the document.
        name: what to call it in messages, for a file its path.
        lines: whether messages name lines.

    Raises:
        UserError: it is not YAML, or holds a key twice.
    """
    builder = _Builder(name, lines=lines)
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = (error.problem or error.context or "cannot be read").replace("\t", "\\t")
        raise UserError(f"{builder.place(mark)}: not valid YAML: {problem}.") from None
    except yaml.YAMLError as error:
        raise UserError(f"{name}: not valid YAML: {str(error).splitlines()[0]}.") from None
    value = None if node is None else builder.build(node, ())
    return Tree(value, builder.places)


def dump_yaml(value: object) -> str:
    """Print plain values as YAML that `parse_yaml` reads back unchanged."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, indent=2
    )
    return text


class _Builder:
    """Turns the nodes of one document into plain values and notes their places."""

    def __init__(self, name: str, *, lines: bool) -> None:
        self.name = name
        self.lines = lines
        self.places: dict[Keys, str] = {}
        self._open: set[int] = set()

    def place(self, mark: yaml.Mark | None) -> str:
        return self.name if mark is None or not self.lines else f"{self.name}:{mark.line + 1}"

    def build(self, node: yaml.Node, keys: Keys) -> Any:  # noqa: ANN401 - any YAML value
        place = self.place(node.start_mark)
        self.places.setdefault(keys, place)
        if id(node) in self._open:
            raise UserError(f"{place}: an alias stands inside what it repeats.")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, keys)
            if isinstance(node, yaml.SequenceNode):
                return [self.build(item, (*keys, i)) for i, item in enumerate(node.value)]
            return _scalar(node, place)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        lines: dict[Hashable, int] = {}
        for key_node, value_node in node.value:
            place = self.place(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                raise UserError(f"{place}: a key must be one word, not a list or a section.")
            key = str(key_node.value)
            if key in mapping:
                before = f" in line {lines[key]}" if self.lines else ""
                raise UserError(f"{place}: the key '{key}' stands already{before}; keep one.")
            lines[key] = key_node.start_mark.line + 1
            self.places[(*keys, key)] = place
            mapping[key] = self.build(value_node, (*keys, key))
        return mapping


def _scalar(node: yaml.Node, place: str) -> str | int | float | bool | None:
    text, tag = str(node.value), node.tag.removeprefix(_TAG)
    try:
        match tag:
            case "str" | "!":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
            case "float":
                return _float(text)
    except ValueError:
        raise UserError(f"{place}: '{text}' is not a value of the tag '{tag}'.") from None
    raise UserError(f"{place}: the tag '{tag}' has no meaning here; write a plain value.")


def _float(text: str) -> float | int:
    """Read a number; whole ones in exponent form are integers, since people write `steps: 1e6`."""
    number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if "e" in text.lower() and abs(number) < _LARGEST_EXACT and number.is_integer():
        return int(number)
    return number


def walk(value: object, keys: Keys = ()) -> Iterator[tuple[Keys, object]]:
    """Yield every value of a tree with the way to it, sections before what they hold."""
    yield keys, value
    children: Sequence[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    for key, child in children:
        yield from walk(child, (*keys, key))
