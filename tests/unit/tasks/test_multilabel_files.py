"""Classes of texts that have several: other names for them, and what parts them."""

from pathlib import Path
from typing import Any

import pytest

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
