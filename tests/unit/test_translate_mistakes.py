"""Mistakes of a call of `xlmkit translate`, each told in one sentence."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from xlmkit.cli.app import app

Call = Callable[..., Any]
Stop = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def call(reversing_translator: Path) -> Call:
    """Call `xlmkit translate` with these words."""
    model = [str(reversing_translator), "--src", "en", "--tgt", "fr"]
    return lambda *words, given=None: CliRunner().invoke(
        app, ["translate", *model, *map(str, words)], input=given
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--n-best", 3], "has 4 texts of an earlier call: --resume goes on"),
        (["--n-best", 3, "--resume"], "was begun with another n_best: 1, and not 3"),
    ],
)
def test_lines_without_numbers_are_not_gone_on_with_numbers(
    call: Call,
    tmp_path: Path,
    stopped_behind_four_lines: Stop,
    options: list[Any],
    message: str,
) -> None:
    (tmp_path / "text").write_text("a\na\na\na\nb\n", encoding="utf-8")
    with stopped_behind_four_lines():
        call(tmp_path / "text", "--output", tmp_path / "out")
    before = (tmp_path / "out.part").read_bytes()
    made = call(tmp_path / "text", "--output", tmp_path / "out", *options)
    assert made.exit_code == 1
    assert message in made.stderr
    assert (tmp_path / "out.part").read_bytes() == before
