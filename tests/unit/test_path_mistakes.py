"""Paths that cannot be, told in one sentence with what to do."""

import os
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
    model = [str(reversing_translator), "--src", "en", "--tgt", "fr"]
    made = CliRunner().invoke(app, ["translate", *model, *words])
    assert made.exit_code == 1
    assert message in made.stderr
    assert "mistake in xlmkit" not in made.stderr
