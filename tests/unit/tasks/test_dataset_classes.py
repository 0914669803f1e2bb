"""Classes of Hugging Face datasets have names, but for numbers."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from xlmkit.data.corpus import DataConfig, prepare_corpus
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.kinds import Task


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("classification", ["no", "yes"]),
        ("multilabel", ["no", "yes"]),
        ("regression", ["value"]),
    ],
)
def test_classes_of_a_dataset_have_names_but_for_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, labels: list[str]
) -> None:
    datasets = pytest.importorskip("datasets")
    names = datasets.ClassLabel(names=["yes", "no"])
    features = datasets.Features({"text": datasets.Value("string"), "is": names})
    rows = {"text": ["a", "b", "c"], "is": [0, 1, -1]}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(str(tmp_path / "set"))
    source = {"kind": "hub", "dataset": "set", "text": "text", "label_column": "is"}
    source["language"] = "en"
    config = TypeAdapter(Task).validate_python({"kind": kind, "train": [source], "test": [source]})
    data = config.load(TaskInputs(tmp_path, tmp_path, ("en",)))
    assert data.labels == labels
    assert data.test["en"].texts == ["a", "b"]
    assert "1 line left out (no label): set/train:2" in capsys.readouterr().err
    assert ("classes" in config.inputs()) == (kind != "regression")  # which still holds


def test_one_corpus_gives_the_names_and_the_numbers_of_classes(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    names = datasets.ClassLabel(names=["1 star", "2 stars"])
    features = datasets.Features({"text": datasets.Value("string"), "stars": names})
    texts = [f"review of a film, {chr(97 + n)}{chr(98 + n)}" for n in range(20)]
    rows = {"text": texts, "stars": [n % 2 for n in range(20)]}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(str(tmp_path / "set"))
    source = {"kind": "hub", "dataset": "set", "text": "text", "label_column": "stars"}
    source["language"] = "en"
    corpus = DataConfig.model_validate({"sources": [source], "split": {"test": 0.3}})
    prepare_corpus(corpus, ["en"], tmp_path / "corpus", tmp_path, 1)
    inputs = TaskInputs(tmp_path / "corpus", tmp_path, ("en",))

    def load(kind: str) -> Any:
        return TypeAdapter(Task).validate_python({"kind": kind}).load(inputs)

    assert load("classification").labels == ["1 star", "2 stars"]
    numbered = load("regression")
    assert 0 < numbered.mean < 1
    assert set(numbered.test["en"].labels) <= {0, 1}
