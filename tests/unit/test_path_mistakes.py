"""Paths that cannot be, told in one sentence with what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from xlmkit.cli.app import app

LONG = "x" * 300


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["text", "--output", "text/out"], "text is a file and no folder; give --output another"),
        (["text/foo"], "text/foo: Not a directory; a part of this path is a file"),
        ([LONG], "File name too long; choose a shorter name"),
        (["text", "--output", LONG], "File name too long; choose a shorter name"),
        (["text", "--output", "/proc/a.txt"], "/proc"),
        (["text", "--output", "pipe"], "pipe and no file; leave out --output and redirect"),
        (["text", "--output", "out.fr.gz"], "give --output out.fr and compress that file"),
        (["text.bz2"], "text.bz2 cannot be read: of compressed files only .gz"),
        (["link"], "its links lead in a circle"),
    ],
)
def test_a_path_that_cannot_be_is_the_users_mistake(
    reversing_translator: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("a\n", encoding="utf-8")
    Path("link").symlink_to("link")
    os.mkfifo("pipe")
    Path("text.bz2").write_bytes(b"BZh9")
    model = [str(reversing_translator), "--src", "en", "--tgt", "fr"]
    made = CliRunner().invoke(app, ["translate", *model, *words])
    assert made.exit_code == 1
    assert message in made.stderr
    assert "mistake in xlmkit" not in made.stderr


FROM_TO = ["--src", "en", "--tgt", "fr"]


@pytest.mark.parametrize("mine", ["a", "b"])
@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["translate", "none", "a", "--allowed", "b", *FROM_TO], "--output"),
        (["summarize", "none", "a", "b", "--language", "en"], "--output"),
        (["fill-mask", "none", "a", "--allowed", "b", "--lang", "en"], "--output"),
        (["generate", "none", "a", "--allowed", "b", "--lang", "en"], "--output"),
        (["mine", "none", "a", "b", *FROM_TO], "--output"),
        (["mine", "none", "a", "a", "--gold", "b", *FROM_TO], "--json"),
        (["align", "none", "a", "b", *FROM_TO], "--output"),
        (["score", "a", "a", "b", "--tgt", "en"], "--json"),
        (["score", "a", "a", "--against", "b", "--tgt", "en"], "--json"),
        (["score", "a", "a", "--src-file", "b", *FROM_TO], "--json"),
    ],
)
def test_nothing_is_written_over_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], option: str, mine: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        Path(name).write_text("a <mask>\n", encoding="utf-8")
    made = CliRunner().invoke(app, [*words, option, mine])
    assert made.exit_code == 1
    message = f"{mine} would be written over {mine}, which is read; give {option} another name.\n"
    assert made.stderr == f"xlmkit: error: {message}"
    assert Path(mine).read_text("utf-8") == "a <mask>\n"


def test_nothing_is_written_over_standard_input(tmp_path: Path) -> None:
    (mine := tmp_path / "mine").write_text("a\n", encoding="utf-8")
    words = [sys.executable, "-m", "xlmkit", "translate", "none", *FROM_TO, "--output", "mine"]
    with mine.open() as given:
        made = subprocess.run(
            words, stdin=given, cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert made.returncode == 1
    assert "mine would be written over standard input, which is read" in made.stderr
    assert mine.read_text("utf-8") == "a\n"


@pytest.mark.parametrize("run", ["one", "one/results.json"])
def test_a_comparison_is_not_written_over_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one").mkdir()
    (results := Path("one", "results.json")).write_text("{}", encoding="utf-8")
    made = CliRunner().invoke(app, ["compare", run, "--output", str(results)])
    assert made.exit_code == 1
    assert f"would be written over {results}, which is read" in made.stderr
