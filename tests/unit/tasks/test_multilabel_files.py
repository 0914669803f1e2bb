"""Classes of texts that have several: other names for them, and what parts them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from xlmkit.core.errors import UserError
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.multilabel import MultilabelConfig

NAMES = {"0": "anger", "1": "joy", "2": "fear"}


def section(separator: str = ",", **more: Any) -> MultilabelConfig:
    """Return a task that learns from train.tsv and is tested on test.tsv."""
    columns = {"kind": "tsv", "text": 0, "label_column": 1, "language": "en", **more}
    parts = {part: [{**columns, "path": f"{part}.tsv"}] for part in ("train", "test")}
    return MultilabelConfig.model_validate({"kind": "multilabel", "separator": separator, **parts})


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def read(train: list[str], test: list[str], **more: Any) -> Any:
        for part, labels in (("train", train), ("test", test)):
            rows = "".join(f"text {n}\t{label}\n" for n, label in enumerate(labels))
            (tmp_path / f"{part}.tsv").write_text(rows, encoding="utf-8")
        return section(**more).load(TaskInputs(tmp_path, tmp_path, ("en",), task="moods"))

    return read


@pytest.mark.parametrize("separator", [",", ";"])
def test_each_class_of_a_text_gets_its_name(load: Any, separator: str) -> None:
    labels = [f"0{separator} 1", "2", ""]
    data = load(labels, labels, separator=separator, label_map=NAMES)
    assert data.labels == ["anger", "fear", "joy"]
    assert data.train["en"].labels.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_a_class_without_a_name_is_named_and_its_text_left_out(
    load: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load(["0, 1", "2"], ["0, 7", "1", "8"], label_map=NAMES)
    assert data.test["en"].texts == ["text 1"]
    told = "2 lines left out (label not in label_map '7', '8'): test.tsv:1, test.tsv:3"
    assert told in capsys.readouterr().err


def test_only_models_of_when_a_map_lost_texts_are_made_anew() -> None:
    assert "label_map" in section(label_map=NAMES).inputs()
    assert "label_map" not in section().inputs()


@pytest.mark.parametrize("other", [";", "|", "/", " "])
def test_classes_that_something_else_parts_are_not_learned(load: Any, other: str) -> None:
    labels = ["x", "y", f"x{other}y"]
    told = f"{labels[2]!r} at train.tsv:3 is of known ones parted by {other!r}; say `separator:"
    with pytest.raises(UserError, match=re.escape(told)):
        load(labels, labels)
    assert load(labels, labels, separator=other).labels == ["x", "y"]


def test_a_class_of_two_words_stays_one(load: Any, tmp_path: Path) -> None:
    for labels in (["folk", "rock", "folk rock", "folk, rock"], ["folk", "hard rock", "a/b"]):
        assert set(labels[:3]) == set(load(labels, labels).labels)
    rows = [{"text": "a", "moods": [name]} for name in ("folk", "rock", "folk rock")]
    for part in ("train", "test"):
        (tmp_path / f"{part}.tsv").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    listed = section(kind="jsonl", text="text", label_column="moods")
    data = listed.load(TaskInputs(tmp_path, tmp_path, ("en",)))
    assert data.labels == ["folk", "folk rock", "rock"]


@pytest.mark.parametrize("written", ["['0', '1']", "[0, 1]", "['0']", "[]", "['a' 'b']"])
def test_lists_in_writing_are_refused(load: Any, written: str) -> None:
    told = re.escape(f"the label {written} at ")
    for train, test in ((["0", written], ["0"]), (["0", "1"], [written])):
        with pytest.raises(UserError, match=f"{told}.* is a list in writing; give lists in JSON"):
            load(train, test)
    names = {"[0]": "x", "[1]": "y"}  # what is meant so may be named so
    assert load(["[0]", "[1]"], ["[0]"], label_map=names).labels == ["x", "y"]
