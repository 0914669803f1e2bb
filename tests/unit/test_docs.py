"""What README.md and docs/ show is true: recipes, commands, and the tables of keys and reasons."""

import gzip
import importlib.util
import json
import lzma
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zstandard
from typer.main import get_command

from xlmkit.cli.app import app
from xlmkit.core.config import load_config
from xlmkit.data import sources as kinds
from xlmkit.data.clean import REASONS as CLEANING_REASONS
from xlmkit.data.duplicates import REASONS
from xlmkit.data.inputs import Reading
from xlmkit.data.questions import QuestionSource
from xlmkit.data.readers import read_source
from xlmkit.data.source_base import LANGUAGE_MARK
from xlmkit.data.squad import read_questions
from xlmkit.recipe import Recipe
from xlmkit.tasks.base import TaskConfig, TaskInputs
from xlmkit.tasks.classification import ClassificationConfig
from xlmkit.tasks.tagging import TaggingConfig

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
LANGUAGES = ["en", "sw", "fr", "de", "es", "ru", "tr", "zh", "ar"]
LINES = 6

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: `where` is page and line, `info` what stands behind the fence."""

    page: Path
    where: str
    info: str
    text: str


def _blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in _FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield Block(page, f"{page.name}:{line}", match[1].strip(), match[2])


def _of(*infos: str) -> list[Block]:
    return [block for block in _blocks() if block.info in infos]


def _is_recipe(block: Block) -> bool:
    return re.search(r"^name:", block.text, re.MULTILINE) is not None


RECIPES = [block for block in _of("yaml") if _is_recipe(block)]
FRAGMENTS = _of("yaml fragment")


def test_every_page_is_seen_and_every_block_has_a_known_kind() -> None:
    assert len(PAGES) > 5
    assert RECIPES
    assert FRAGMENTS
    known = {"", "sh", "yaml", "yaml fragment", "python", "python fragment"}
    assert [block.where for block in _blocks() if block.info not in known] == []
    unmarked = [block.where for block in _of("yaml") if not _is_recipe(block)]
    assert unmarked == [], "a recipe needs a name:, a part of one the mark ```yaml fragment"


# Recipes: they are parsed, the files they name are written, and read as the recipe says.


@pytest.mark.parametrize("block", RECIPES, ids=lambda block: block.where)
def test_a_recipe_is_valid_and_reads_its_files(block: Block, tmp_path: Path) -> None:
    for other in RECIPES:
        if other.page == block.page:  # one may extend another
            name = re.search(r"^name:\s*(\S+)", other.text, re.MULTILINE)
            (tmp_path / f"{name[1]}.yaml").write_text(other.text, encoding="utf-8")
    path = tmp_path / "recipe.yaml"
    path.write_text(block.text, encoding="utf-8")
    _read_all(load_config(path, Recipe), tmp_path)


@pytest.mark.parametrize("block", FRAGMENTS, ids=lambda block: block.where)
def test_a_part_of_a_recipe_is_valid_and_reads_its_files(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(f"extends: {_smallest(tmp_path).name}\n{block.text}", encoding="utf-8")
    _read_all(load_config(path, Recipe), tmp_path)


def _smallest(folder: Path) -> Path:
    path = folder / "smallest-of-all.yaml"
    sources = "[{kind: text, path: a.txt, language: en}]"
    path.write_text(
        f"name: smallest\nlanguages: [{', '.join(LANGUAGES)}]\ndata: {{sources: {sources}}}\n",
        encoding="utf-8",
    )
    return path


def _read_all(recipe: Recipe, base: Path) -> None:
    tasks = recipe.finetune.values()
    sources = [
        *(recipe.data.sources if recipe.data else ()),
        *(s for task in tasks if not isinstance(task, TaggingConfig) for s in _sources_of(task)),
    ]
    for source in sources:
        if isinstance(source, kinds.HubSource | kinds.WheelSource):
            continue  # they need the network
        if isinstance(source, QuestionSource):
            _write_and_read_questions(source, base, recipe.languages)
            continue
        _write_files(source, base, recipe.languages)
        reading = Reading(base, recipe.languages)
        records = list(read_source(source, reading))
        assert len(records) >= LINES
        assert not reading.bad.counts
        if isinstance(source, kinds.TableSource) and source.label_column is not None:
            assert {record.label for record in records} == {"a", "b"}
    for task in tasks:
        if isinstance(task, TaggingConfig):
            for tagged in _sources_of(task):
                _write_tagged(tagged, base, recipe.languages)
            data = task.load(TaskInputs(base, base, recipe.languages))
            assert data.labels == ["a", "b"]
            assert set(data.train) <= set(data.test) == set(recipe.languages)
        if isinstance(task, ClassificationConfig) and task.train:
            data = task.load(TaskInputs(base, base, recipe.languages))
            assert data.labels == ["a", "b"]
            inputs = TaskInputs(base, base, recipe.languages)
            assert set(data.train) == set(inputs.learned(task))
            assert data.test


def _write_and_read_questions(
    source: QuestionSource, base: Path, languages: tuple[str, ...]
) -> None:
    if source.path is None:
        return  # it needs the network
    paths = [source.path.replace(LANGUAGE_MARK, code) for code in languages]
    for path in paths:
        answers = [{"text": "north", "answer_start": 11}]
        qas = [{"id": "a", "question": "Where does it flow?", "answers": answers}]
        paragraphs = [{"context": "It flows to north.", "qas": qas}]
        _write(base / path, json.dumps({"data": [{"paragraphs": paragraphs}]}))
    found = list(read_questions(source, Reading(base, languages)))
    assert len(found) == len(set(paths))
    assert all(question.place() == (12, 17) for question in found)


def _sources_of(task: TaskConfig) -> tuple[Any, ...]:
    return (*task.train, *task.test)


def _write_tagged(source: Any, base: Path, languages: tuple[str, ...]) -> None:
    """Write the files that a source of tagged sentences names, with two tags."""
    words = [(f"word{number}", "ab"[number % 2]) for number in range(LINES)]
    lines = {
        "conllu": [f"{n}\t{word}\t_\t{tag}" for n, (word, tag) in enumerate(words, 1)],
        "conll": [f"{word}\t{tag}" for word, tag in words],
    }[source.kind]
    for code in languages if LANGUAGE_MARK in source.path else [""]:
        _write(base / source.path.replace(LANGUAGE_MARK, code), "\n".join([*lines, "", ""]))


def _text(language: str, number: int) -> str:
    return f"This is text {number} in {language}"


def _write_files(source: kinds.Source, base: Path, languages: tuple[str, ...]) -> None:
    """Write the files that a source names, with a few texts in the form it says."""
    numbers = range(LINES)
    if LANGUAGE_MARK in source.place:
        for code in languages:
            _write_files(_in_language(source, code), base, languages)
        return
    match source:
        case kinds.TextSource(path=path, language=code, labels=labels):
            _write(base / path, "".join(f"{_text(code, i)}\n" for i in numbers))
            _write(base / (labels or "unused"), "".join(f"{'ab'[i // 2 % 2]}\n" for i in numbers))
        case kinds.ParallelSource(paths=paths):
            for code, path in paths.items():
                _write(base / path, "".join(f"{_text(code, i)}\n" for i in numbers))
        case kinds.TableSource():
            _write_table(source, base, [_row(source, languages, i) for i in numbers])
        case kinds.TmxSource(path=path):
            units = "".join(_unit(languages, i) for i in numbers)
            _write(base / path, f"<tmx><body>{units}</body></tmx>")
        case kinds.GettextSource(path=path):
            for locale in ["zh_TW" if code == "zh" else code for code in languages]:
                _write(base / path / locale / "LC_MESSAGES" / "app.po", _catalog(locale))


def _in_language(source: kinds.Source, code: str) -> kinds.Source:
    """Return the source of one language's file."""
    names = [name for name in ("path", "labels") if getattr(source, name, None)]
    paths = {n: getattr(source, n).replace(LANGUAGE_MARK, code) for n in names}
    return source.model_copy(update={**paths, "language": code})


def _write_table(source: kinds.TableSource, base: Path, rows: list[dict[int | str, str]]) -> None:
    if isinstance(source, kinds.JsonlSource):
        lines = [json.dumps(_nested(row)) for row in rows]
    else:
        separator = source.separator if isinstance(source, kinds.CsvSource) else "\t"
        cells = [list(rows[0])] if source.header else []
        cells += [_cells(row) for row in rows]
        lines = [separator.join(map(str, line)) for line in cells]
    _write(base / source.path, "".join(f"{line}\n" for line in lines))


def _write(path: Path, text: str) -> None:
    path = Path(str(path).replace("*", "some"))
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    match path.suffix:
        case ".gz":
            data = gzip.compress(data)
        case ".xz":
            data = lzma.compress(data)
        case ".zst":
            data = zstandard.compress(data)
    path.write_bytes(data)


def _row(
    source: kinds.TableSource, languages: tuple[str, ...], number: int
) -> dict[int | str, str]:
    columns = source.columns or {}
    row = {column: _text(code, number) for code, column in columns.items()}
    code = source.language or languages[number % len(languages)]
    if source.text is not None:
        row[source.text] = _text(code, number)
    if source.language_column is not None:
        row[source.language_column] = code
    for column in source.beside:
        row[column] = _text(code, number)
    if source.label_column is not None:
        row[source.label_column] = "ab"[number // 2 % 2]
    return row


def _cells(row: Mapping[int | str, str]) -> list[str]:
    if all(isinstance(column, str) for column in row):
        return list(row.values())
    return [row.get(column, "") for column in range(1 + max(map(int, row)))]


def _nested(row: Mapping[int | str, str]) -> dict[str, object]:
    nested: dict[str, object] = {}
    for column, value in row.items():
        here = nested
        *outer, last = str(column).split(".")
        for name in outer:
            here = here.setdefault(name, {})
        here[last] = value
    return nested


def _unit(languages: tuple[str, ...], number: int) -> str:
    variants = (f'<tuv xml:lang="{c}"><seg>{_text(c, number)}</seg></tuv>' for c in languages)
    return f"<tu>{''.join(variants)}</tu>"


def _catalog(locale: str) -> str:
    entries = (f'msgid "{_text("en", i)}"\nmsgstr "{_text(locale, i)}"\n' for i in range(LINES))
    return 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n' + "\n".join(entries)


# Commands.


def _commands(name: str) -> list[tuple[str, list[str]]]:
    """Return where each command of this name stands, and its words; comments are cut off."""
    found = []
    for block in _of("", "sh"):
        for line in block.text.splitlines():
            try:
                words = shlex.split(line, comments=True)
            except ValueError:  # a drawing
                continue
            if name in words and words[0] in (name, "torchrun"):
                found.append((f"{block.where}: {line}", words[words.index(name) + 1 :]))
    return [(where, words) for where, words in found if words and not words[0].startswith("-")]


@pytest.mark.parametrize(("where", "words"), _commands("xlmkit"), ids=str)
def test_a_command_is_understood(where: str, words: list[str], tmp_path: Path) -> None:
    verbs = get_command(app).commands
    assert words[0] in verbs, where
    with verbs[words[0]].make_context(words[0], list(words[1:])) as context:
        overrides = context.params.get("overrides") or []
    load_config(_smallest(tmp_path), Recipe, overrides)


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    used = {words[0] for _, words in _commands("make")}
    assert used
    assert used <= targets


# Tables.


def test_the_reference_of_keys_is_up_to_date_and_complete() -> None:
    path = DOCS / "generate_recipe_reference.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _, mark, tables = (DOCS / "recipes.md").read_text(encoding="utf-8").partition(module.MARK)
    assert mark
    assert tables == module.reference(), "run docs/generate_recipe_reference.py"
    rows = [line for line in tables.splitlines() if line.startswith("| `")]
    assert [row for row in rows if row.endswith("|  |")] == [], "keys without a meaning"
    keys = {re.match(r"\| `(\w+)`", row)[1] for row in rows}
    schema = Recipe.model_json_schema()
    sections = [schema, *schema["$defs"].values()]
    assert keys | {"kind"} == {key for section in sections for key in section["properties"]}


def test_every_reason_of_dropping_is_explained() -> None:
    page = (DOCS / "data.md").read_text(encoding="utf-8")
    for reason in [*CLEANING_REASONS[1:], *REASONS[1:], "held out elsewhere"]:
        assert f"`{reason}`" in page, reason
