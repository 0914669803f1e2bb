"""Joining YAML files and command-line settings into one tree.

A file may say `extends: other.yaml` (or a list of files): it starts from what they say. Sections
are joined key by key; lists and single values are replaced. A section whose `kind` changes is
replaced as a whole, since the keys of one kind mean nothing to another.
"""

import copy
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.core.yaml import Tree, parse_yaml, read_yaml, walk

_EXTENDS = "extends"
_KIND = "kind"
_EXAMPLE = "model.dropout=0.1"


def read_layers(path: Path, overrides: Sequence[str] = ()) -> Tree:
    """Read a file with everything that it extends, then apply `a.b.0.c=value` settings in order.

    Raises:
        UserError: a file is missing or not YAML, files extend one another in a circle, or a setting
            cannot be placed.
    """
    if not path.exists():
        raise UserError(f"There is no file {path}{_nearest(path)}")
    return _with_overrides(_read_extended(path, ()), overrides)


def settings_alone(overrides: Sequence[str], example: str = _EXAMPLE) -> Tree:
    """Return what `a.b.0.c=value` settings say by themselves; see `read_layers`.

    Args:
        overrides: the settings.
        example: of one, for those who write none.
    """
    return _with_overrides(Tree({}, {}), overrides, example)


def _with_overrides(tree: Tree, overrides: Sequence[str], example: str = _EXAMPLE) -> Tree:
    for override in overrides:
        tree = _set(tree, override, example)
    return tree


def _read_extended(path: Path, above: tuple[Path, ...]) -> Tree:
    """Read `path` over its bases; `above` are the files that extend it."""
    tree = read_yaml(path)
    if not isinstance(tree.value, dict):
        raise UserError(f"{tree.place(())}: a recipe is made of sections such as 'model:'.")
    place = tree.place((_EXTENDS,))
    bases = tree.value.pop(_EXTENDS, [])
    if isinstance(bases, str):
        bases = [bases]
    if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
        raise UserError(f"{place}: '{_EXTENDS}' must name a file or a list of files.")
    joined = Tree({}, {})
    for base in bases:
        file = path.parent / base
        if not file.exists():
            raise UserError(f"{place}: there is no file {file} to extend{_nearest(file)}")
        if file.resolve() in (*above, path.resolve()):
            raise UserError(f"{place}: {file} extends itself, directly or through other files.")
        joined = _join(joined, _read_extended(file, (*above, path.resolve())))
    return _join(joined, tree)


def _nearest(path: Path) -> str:
    """Return the end of a sentence about a missing file."""
    folder = path.parent
    names = [file.name for file in folder.glob("*.y*ml")] if folder.is_dir() else []
    nearest = get_close_matches(path.name, names, n=1)
    return f"; did you mean {folder / nearest[0]}?" if nearest else "."


def _join(base: Tree, top: Tree) -> Tree:
    """Lay `top` over `base`."""
    value = _merge(base.value, top.value)
    places = base.places | top.places
    return Tree(value, {keys: places[keys] for keys, _ in walk(value) if keys in places})


def _merge(base: object, top: object) -> object:
    if not (isinstance(base, dict) and isinstance(top, dict)):
        return top
    if _KIND in base and _KIND in top and base[_KIND] != top[_KIND]:
        return top
    return base | {key: _merge(base[key], top[key]) if key in base else top[key] for key in top}


def _set(tree: Tree, override: str, example: str) -> Tree:
    """Return the tree with one `a.b.0.c=value` laid over it."""
    name = f"--set {override}"
    way, equals, text = override.partition("=")
    parts = way.strip().split(".")
    if not equals or not all(parts):
        raise UserError(f"{name}: write it as key=value, for instance {example}.")
    value = parse_yaml(text, name, lines=False).value
    root = here = copy.deepcopy(tree.value)
    keys: list[str | int] = []
    for part in parts:
        keys.append(_key(here, part, ".".join(parts[: len(keys)]), name))
        if len(keys) == len(parts):
            here[keys[-1]] = value
        elif isinstance(here, dict) and here.get(part) is None:
            here[part] = {}
        here = here[keys[-1]]
    places = tree.places | {inside: name for inside, _ in walk(value, tuple(keys))}
    return Tree(root, {inside: places[inside] for inside, _ in walk(root) if inside in places})


def _key(here: object, part: str, around: str, name: str) -> str | int:
    """Return `part` as a key of the section, or an index of the list, called `around`."""
    if isinstance(here, dict):
        return part
    if not isinstance(here, list):
        raise UserError(f"{name}: {around} is a single value and has no key '{part}'.")
    if not part.isdecimal():
        raise UserError(f"{name}: {around} is a list; name an item by its number, {around}.0.")
    if int(part) >= len(here):
        raise UserError(f"{name}: {around} has {len(here)} items, the first is {around}.0.")
    return int(part)
