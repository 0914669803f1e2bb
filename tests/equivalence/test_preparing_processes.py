"""A corpus, a tokenizer and shards are the same from one process and from two."""

from pathlib import Path

import pytest

from xlmkit.core import parallel
from xlmkit.run import prepare


def made(folder: Path) -> dict[str, bytes]:
    """Return what a run's stages hold, without the time that they took."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "stage.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_two_processes_make_what_one_makes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "ALONE", 0)
    monkeypatch.setattr("xlmkit.data.corpus._BLOCK_CHARACTERS", 500)
    monkeypatch.setattr("xlmkit.data.corpus_blocks.BLOCK_BYTES", 4000)
    results = []
    for processes in (1, 2):
        monkeypatch.setattr(parallel, "usable_cores", lambda count=processes: count)
        output = project / f"with-{processes}"
        prepare(project / "recipe.yaml", [], output, False)
        results.append(made(output))
    assert "corpus/train.jsonl" in results[0]
    assert any(name.endswith(".tokens") for name in results[0])
    assert results[0] == results[1]
