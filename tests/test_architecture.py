"""What the code promises about itself: sizes, layers, recipes, and nothing tied to one machine."""

import ast
import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from xlmkit.core.config import load_config

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "xlmkit"
RECIPES = sorted((ROOT / "recipes").rglob("*.yaml"))

FILE_LINES = 400
USUAL_FILE_LINES = 300
FUNCTION_LINES = 60

MAY_USE_TORCH = {
    "xlmkit.core": {"device", "process"},
    "xlmkit.data": {
        "batch",
        "examples",
        "loader",
        "masking",
        "sampler",
        "translations",
        "window_batches",
        "word_vectors",
        "words",
    },
}
"""Modules of otherwise torch-free packages that hand tensors or random states on."""


def _modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _files_of_the_repository() -> Iterator[Path]:
    """Yield what is or will be tracked; without git, what lies in the usual folders."""
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        yield from (path for name in listed.stdout.split("\0") if (path := ROOT / name).is_file())
        return
    for folder in (ROOT, *(ROOT / name for name in ("src", "tests", "recipes", "docs"))):
        yield from (
            p for p in (folder.glob if folder == ROOT else folder.rglob)("*") if p.is_file()
        )


def test_no_file_is_too_long() -> None:
    sizes = {path.relative_to(ROOT): _lines(path) for path in _modules()}
    assert {path: size for path, size in sizes.items() if size > FILE_LINES} == {}
    usual = sum(size < USUAL_FILE_LINES for size in sizes.values())
    assert usual >= 0.9 * len(sizes) > 0


def test_no_function_is_too_long() -> None:
    functions = [
        (f"{path.relative_to(ROOT)}:{node.name}", node.end_lineno - node.lineno + 1)
        for path in _modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert len(functions) > 100
    assert [(name, size) for name, size in functions if size > FUNCTION_LINES] == []


def test_packages_hold_a_docstring_only() -> None:
    with_lazy_names = {SOURCE, SOURCE / "keras"}
    packages = [path for path in SOURCE.rglob("__init__.py") if path.parent not in with_lazy_names]
    assert packages
    for path in packages:
        body = ast.parse(path.read_text(encoding="utf-8")).body
        assert len(body) == 1, f"{path} holds more than a docstring"
        assert isinstance(body[0], ast.Expr), f"{path} holds no docstring"
        assert isinstance(body[0].value, ast.Constant), f"{path} holds no docstring"


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in _modules()}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_layers_hold() -> None:
    """Import contracts of pyproject.toml, checked by import-linter."""
    command = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [command, "--no-logo", "--no-cache"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("package", MAY_USE_TORCH)
def test_every_module_either_may_use_torch_or_is_held_to_start_without(package: str) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    held = next(c["source_modules"] for c in contracts if c["id"] == "no-torch")
    folder = SOURCE.joinpath(*package.split(".")[1:])
    modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    without = {name.removeprefix(f"{package}.") for name in held if name.startswith(f"{package}.")}
    assert modules - {"__init__", "__pycache__"} == without | MAY_USE_TORCH[package]


@pytest.mark.skipif(not (ROOT / "recipes").exists(), reason="this copy has no recipes")
def test_there_are_recipes() -> None:
    assert RECIPES


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_valid(path: Path) -> None:
    load_config(path, importlib.import_module("xlmkit.run").Recipe)


def test_every_file_with_tests_is_collected() -> None:
    """Pytest finds files by their name; one that is misnamed would never run."""
    files = [path for path in (ROOT / "tests").rglob("*.py") if not path.match("test_*.py")]
    misnamed = [
        path
        for path in files
        if re.search(r"^\s*(async )?def test_", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert misnamed == []


_ABSOLUTE = re.compile(r"(?<![\w.~$}<>-])/(?:work|home|root|Users|opt|mnt|data|scratch)/[\w.-]")
_INDEX = re.compile(r"(?i)\b(?:[\w-]+\.)*(?:pypi\.org|pythonhosted\.org)\b|--(?:extra-)?index-url")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (_ABSOLUTE, "read " + "/".join(["", "home", "ann", "corpus.txt"])),
        (_ABSOLUTE, '"' + "/".join(["", "work", "x"]) + '"'),
        (_INDEX, "https://files." + "pythonhosted" + ".org/packages"),
        (_INDEX, "pip install --index" + "-url x"),
    ],
)
def test_the_patterns_find_what_they_should(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


def test_nothing_is_tied_to_one_machine_or_package_index() -> None:
    found, read = [], 0
    for path in _files_of_the_repository():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a data file
        read += 1
        for number, line in enumerate(text.splitlines(), start=1):
            if path != Path(__file__) and (_ABSOLUTE.search(line) or _INDEX.search(line)):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert read > 50
    assert found == []
