"""Preparation that was killed goes on where it was, and ends as one that ran through."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from xlmkit.core import journal
from xlmkit.core.journal import Journal
from xlmkit.run import prepare

# Notes every block, and kills itself at the first try to note a journal after some notes, with
# whatever was written since then, or when it has learned merges or saved the tokenizer.
PROGRAM = """
import os, signal, sys
from pathlib import Path
from xlmkit.core import journal, parallel
from xlmkit.data import corpus, corpus_blocks

name, notes, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
parallel.usable_cores = lambda: 1
journal.SECONDS, journal._WORTH = 0.0, 0
corpus._BLOCK_CHARACTERS = 500
corpus_blocks.BLOCK_BYTES = 4000
note, count = journal.Journal.note, 0

def counted(self, streams, state, **how):
    global count
    if self._path.name == name:
        if count == notes:
            for stream in streams.values():
                stream.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1
    note(self, streams, state, **how)

journal.Journal.note = counted

def kill_after(holder, function):
    called = getattr(holder, function)

    def called_last(*arguments, **named):
        called(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(holder, function, called_last)

from xlmkit.text import tokenizer
if name == "learning":
    kill_after(tokenizer, "learn_merges_and_symbols")
if name == "saving":
    kill_after(tokenizer.Tokenizer, "save")
from xlmkit.run import prepare
prepare(folder / "recipe.yaml", [], folder / "out", False)
"""


def made(folder: Path) -> dict[str, bytes]:
    """Return what a run's stages hold, without the time that they took."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "stage.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize(
    ("name", "notes", "words", "heeded"),
    [
        ("journal.json", 3, "as they are", ["journal.json"]),
        ("counting.json", 4, "as they are", ["counting.json"]),
        ("counting.json", 4, "cut", []),
        ("learning", 0, "as they are", ["counting.json"]),
        ("learning", 0, "deleted", []),
        ("saving", 0, "as they are", ["counting.json"]),
        ("saving", 0, "cut", []),
        ("encoding.json", 3, "as they are", ["counting.json", "encoding.json"]),
        ("encoding.json", 3, "cut", ["encoding.json"]),
        ("encoding.json", 6, "deleted", ["encoding.json"]),
    ],
)
def test_killed_preparation_goes_on(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    notes: int,
    words: str,
    heeded: list[str],
) -> None:
    small = {
        "xlmkit.data.corpus._BLOCK_CHARACTERS": 500,
        "xlmkit.data.corpus_blocks.BLOCK_BYTES": 4000,
        "xlmkit.data.encode.BLOCK_BYTES": 4000,
        "xlmkit.data.counted_corpus.BLOCK_BYTES": 4000,
        "xlmkit.core.parallel.ALONE": 10_000,
    }
    for place, value in small.items():
        monkeypatch.setattr(place, value)
    prepare(project / "recipe.yaml", [], project / "whole", False)
    assert "shards/train.words" not in made(project / "whole")

    killed = subprocess.run(
        [sys.executable, "-c", PROGRAM, name, str(notes), str(project)],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False, capture_output=True, timeout=100,
    )  # fmt: skip
    assert killed.returncode == -9, killed.stderr.decode()
    if heeded:
        assert len([*(project / "out").rglob(heeded[-1])]) == 1
    for path in (project / "out").rglob("train.words"):
        if words == "deleted":
            path.unlink()
        if words == "cut":
            path.write_bytes(path.read_bytes()[:2000])
    states = []
    opened = Journal.__init__

    def watched(self: Journal, path: Path, key: str = "") -> None:
        opened(self, path, key)
        if self.state is not None:
            states.append(path.name)

    monkeypatch.setattr(journal.Journal, "__init__", watched)
    prepare(project / "recipe.yaml", [], project / "out", False)
    assert states == heeded
    assert made(project / "out") == made(project / "whole")
