"""Mistakes of a call of `xlmkit translate`, each told in one sentence."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from xlmkit.cli.app import app

Call = Callable[..., Any]
Stop = Callable[[], AbstractContextManager[None]]


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


def test_other_allowed_words_do_not_go_on(
    call: Call, tmp_path: Path, stopped_behind_four_lines: Stop
) -> None:
    (tmp_path / "text").write_text("a\nb\nc\nd\ne\n", encoding="utf-8")
    (allowed := tmp_path / "allowed").write_text("A B\n", encoding="utf-8")
    words = (tmp_path / "text", "--output", tmp_path / "out", "--allowed", allowed)
    with stopped_behind_four_lines():
        call(*words)
    allowed.write_text("A C\n", encoding="utf-8")
    os.utime(allowed, ns=(1, 1))
    made = call(*words, "--resume")
    assert made.exit_code == 1
    assert "begun with another time of the allowed text" in made.stderr
    allowed.write_text("A B C\n", encoding="utf-8")
    assert "another size of the allowed text" in call(*words, "--resume").stderr


@pytest.mark.parametrize("engine", ["ctranslate2", "torch"])
def test_a_folder_that_is_none_is_for_no_engine(tmp_path: Path, engine: str) -> None:
    for folder, message in ((tmp_path / "none", "There is no folder"), (tmp_path, "config.json")):
        words = ["translate", str(folder), "--src", "en", "--tgt", "fr", "--engine", engine]
        made = CliRunner().invoke(app, words, input="a\n")
        assert made.exit_code == 1
        assert message in made.stderr
        assert "is for" not in made.stderr


def test_a_finished_output_is_not_written_again_by_resume(call: Call, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("a\nb\n", encoding="utf-8")
    words = (tmp_path / "text", "--output", tmp_path / "out", "--resume")
    assert call(*words).exit_code == 0  # where there is nothing yet, it begins
    (tmp_path / "out").write_text("mine\n", encoding="utf-8")
    made = call(*words)
    assert made.exit_code == 1
    assert "out is finished, with nothing to go on with; to write it anew, leave out" in made.stderr
    assert (tmp_path / "out").read_text("utf-8") == "mine\n"


def test_a_shortest_length_without_room_is_told_once(
    call: Call, lengths_of_chunks: list[int]
) -> None:
    made = call("--set", "min_length=9", "--set", "batch_tokens=16", given="a b c d e f\n" * 600)
    assert len(lengths_of_chunks) > 1
    assert made.exit_code == 0, made.output
    assert "room for" not in made.stderr
    made = call("--set", "min_length=11", given="a\n" * 600)  # the model has 12 positions
    assert made.exit_code == 0, made.output
    assert made.stderr.count("Not every text leaves room for 11 tokens (min_length)") == 1


def test_texts_for_which_no_word_is_left_are_counted(call: Call, tmp_path: Path) -> None:
    (allowed := tmp_path / "allowed").write_text("A B\n", encoding="utf-8")
    limits = ["--allowed", allowed, "--set", "no_repeat_ngram=1", "--set"]
    made = call(*limits, "min_length=5", given="a b\n\nc d\n")
    assert made.exit_code == 0, made.output
    assert made.stdout == "\n\n\n"
    assert "Of 2 texts nothing, or not all, could be written" in made.stderr
    assert "could be written" not in call(*limits, "min_length=1", given="a b\n\n").stderr
