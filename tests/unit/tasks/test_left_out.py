"""Test texts and languages that cannot be measured are told, and left out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from xlmkit.evaluate.report_errors import left_out_notes
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.kinds import Task


def tsv(name: str) -> dict[str, Any]:
    return {"kind": "tsv", "path": name, "text": 0, "label_column": 1, "language": "en"}


def test_a_language_that_vanishes_is_named_with_its_task(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.tsv").write_text("a\tx\nb\ty\n", encoding="utf-8")
    (tmp_path / "test.tsv").write_text("a\tX\tsw\nb\tX\tsw\na\tx\ten\n", encoding="utf-8")
    both = {"kind": "tsv", "path": "test.tsv", "text": 0, "label_column": 1, "language_column": 2}
    section = {"kind": "classification", "train": [tsv("train.tsv")], "test": [both]}
    inputs = TaskInputs(tmp_path, tmp_path, ("en", "sw"), task="topics")
    config = TypeAdapter(Task).validate_python(section)
    data = config.load(inputs)
    told = "finetune.topics: Test texts whose labels were never learned are left out: X (2) in sw,"
    assert (
        f"{told} which leaves none, first at test.tsv:1; learned are x, y;"
        in capsys.readouterr().err
    )
    assert set(data.test) == {"en"}

    class Right:
        languages = ("en", "sw")

        def scores(self, texts: list[str], *_: Any) -> Any:
            return np.array([[1, 0]] * len(texts), np.float32)

    measured = data.measured(Right(), config, ("en",))
    assert measured["left_out"] == {"sw": {"X": 2}}
    (note,) = left_out_notes({"language_names": {"sw": "Swahili"}}, {"a": measured})
    assert note == "Test texts whose labels were not learned are left out: 2 in Swahili (all; X 2)."


def test_classes_that_are_parted_otherwise_name_the_separator(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.tsv").write_text("a\tx,y\nb\ty\n", encoding="utf-8")
    (tmp_path / "test.tsv").write_text("a\tx;y\nb\ty\n", encoding="utf-8")
    files = {"train": [tsv("train.tsv")], "test": [tsv("test.tsv")], "valid": [tsv("test.tsv")]}
    config = TypeAdapter(Task).validate_python({"kind": "multilabel", **files})
    config.load(TaskInputs(tmp_path, tmp_path, ("en",)))
    told = "classes are parted by ',', and these by ';'; see `separator`."
    assert f"x;y (1) in en, first at test.tsv:1; {told}" in capsys.readouterr().err
    config.validation().load(TaskInputs(tmp_path, tmp_path, ("en",)))
    assert "Valid texts whose labels were never learned" in capsys.readouterr().err


def test_languages_that_are_not_measured_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "a\tx\ten\nb\ty\tde\nc\tx\tde\nd\ty\tgerman\n"
    (tmp_path / "test.en.tsv").write_text("a\tx\nb\ty\n", encoding="utf-8")
    (tmp_path / "all.tsv").write_text(rows, encoding="utf-8")
    each = {"kind": "tsv", "path": "test.{language}.tsv", "text": 0, "label_column": 1}
    both = {**each, "path": "all.tsv", "language_column": 2}
    inputs = TaskInputs(tmp_path, tmp_path, ("en", "sw", "zh"), task="topics")

    def told(test: dict[str, Any]) -> str:
        section = {"kind": "classification", "train": [tsv("test.en.tsv")], "test": [test]}
        TypeAdapter(Task).validate_python(section).load(inputs)
        return capsys.readouterr().err

    missing = "finetune.topics: There is no test file, or nothing to be used in it, for sw, zh."
    assert missing in told(each)
    assert missing not in told({**each, "languages": ["en"]})
    said = told(both)
    assert missing not in said
    assert "unknown language 'german'): all.tsv:4; write codes such as en, de, zh" in said
    assert "lines left out in languages that `languages` of the recipe does not name: de 2." in said
    other = {"a language that the recipe does not name": 2}
    assert inputs.bad.to_json()["test"]["de"] == other
    assert "does not name" not in told({**both, "languages": ["en"]})
