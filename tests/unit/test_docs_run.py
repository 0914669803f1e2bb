"""The Python of README.md and docs/ runs, on a tiny run whose results lie as the pages say."""

import ast
import re
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from xlmkit.core.files import read_json
from xlmkit.run import run

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]
LANGUAGES = ["en", "sw", "fr", "de", "es", "ru", "tr", "zh", "ar"]

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RUN = re.compile(r"runs/(?P<name>[\w.-]+)/(?P<rest>[\w./-]+)")


def _blocks(page: Path, info: str) -> Iterator[tuple[str, str]]:
    """Yield page and line of each fenced block of a kind, and what it holds."""
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        if match[1].strip() == info:
            yield f"{page.name}:{text.count(chr(10), 0, match.start()) + 1}", match[2]


WITH_PYTHON = [page for page in PAGES if any(_blocks(page, "python"))]


def _text(language: str, number: int) -> str:
    return f"This is text {number} in {language}"


_TINY = """
name: tiny
languages: [{languages}]
threads: 1
data:
  sources: [{{kind: parallel, paths: {{{paths}}}}}]
  clean: {{min_script: 0, drop_copies: false}}
  duplicates: exact
  split: {{valid: 0.2, test: 0.2}}
tokenizer: {{vocabulary_size: 200, segmenters: {{zh: characters}}}}
model: {{n_layers: 1, emb_dim: 16, n_heads: 2, max_position_embeddings: 256}}
pretrain:
  steps: 4
  tokens_per_batch: 128
  models: {{none: {{}}, both: {{mlm: {{form: sentence}}, tlm: {{pivot: en}}}}}}
finetune:
  task:
    epochs: 0.5
    train: [{{kind: tsv, path: labelled.tsv, text: 0, language: en, label_column: 1}}]
    test: [{{kind: tsv, path: labelled.tsv, text: 0, language: sw, label_column: 1}}]
"""


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do all stages of a tiny recipe and return the folder of its results."""
    folder = tmp_path_factory.mktemp("tiny")
    for code in LANGUAGES:
        lines = (f"{chr(97 + i % 26)}{chr(97 + i // 26)} {_text(code, i)}\n" for i in range(60))
        (folder / code).write_text("".join(lines), encoding="utf-8")
    rows = (f"{_text('en', i)}\t{'ab'[i % 2]}\n" for i in range(20))
    (folder / "labelled.tsv").write_text("".join(rows), encoding="utf-8")
    paths = ", ".join(f"{code}: {code}" for code in LANGUAGES)
    recipe = folder / "tiny.yaml"
    recipe.write_text(_TINY.format(languages=", ".join(LANGUAGES), paths=paths), encoding="utf-8")
    run(recipe, [], folder / "run", False)
    return folder / "run"


def _make_named_runs(text: str, tiny: Path, folder: Path) -> None:
    """Put what `text` names as runs/... where it says."""
    for match in _RUN.finditer(text):
        target, (stage, *names) = folder / match[0], match["rest"].split("/")
        source = tiny / match["rest"]
        if stage == "pretrain":
            source = tiny / "pretrain" / "both"
        elif stage == "finetune":
            assert len(names) == 2, f"{match[0]} should be finetune/MODEL/TASK"
            source = tiny / "finetune" / "both" / "task"
        assert source.exists(), f"a run has no {match['rest']}"
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if source.is_dir() else shutil.copy
        if not target.exists():
            copy(source, target)


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
def test_the_python_of_a_page_runs(
    page: Path, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = list(_blocks(page, "python"))
    _make_named_runs("".join(text for _, text in blocks), tiny_run, tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of transformers
        for where, text in blocks:
            exec(compile(text, where, "exec"), names)  # noqa: S102


def test_fragments_of_python_are_python() -> None:
    for page in PAGES:
        for where, text in _blocks(page, "python fragment"):
            ast.parse(text, where)


def test_the_layout_of_the_results_is_as_documented(tiny_run: Path) -> None:
    results = read_json(tiny_run / "results.json")
    text = (DOCS / "measurement.md").read_text(encoding="utf-8").partition("## results.json")[2]
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    keys = [key for row in rows for key in re.findall(r"`([^`]+)`", row.split("|")[1])]
    assert {key.partition(".")[0] for key in keys} == set(results)
    model = {key.split(".")[2] for key in keys if key.startswith("models.NAME.")}
    assert model == set(results["models"]["both"])
    for key in keys:
        here = results
        for part in key.split("."):
            here = here[{"NAME": "both", "TASK": "task"}.get(part, part)]


def test_the_files_of_a_run_are_as_documented(tiny_run: Path) -> None:
    page = (DOCS / "pretraining.md").read_text(encoding="utf-8")
    for folder in (tiny_run / "pretrain" / "both", tiny_run / "finetune" / "both" / "task"):
        assert [f.name for f in folder.iterdir() if f"`{f.name}`" not in page] == []
    page = (DOCS / "data.md").read_text(encoding="utf-8")
    names = [file.name for name in ("corpus", "shards") for file in (tiny_run / name).iterdir()]
    told = [name for name in names if not re.match(r"(train|valid|test)\.[\w-]+\.\w+$", name)]
    assert [name for name in told if f"`{name}" not in page] == []
