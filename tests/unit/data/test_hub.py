import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xlmkit.core.errors import UserError
from xlmkit.data import hub
from xlmkit.data.inputs import Reading
from xlmkit.data.readers import local_files, read_source
from xlmkit.data.records import Record, labels_in
from xlmkit.data.sources import HubSource


def _read(base: Path, **fields: object) -> list[Record]:
    source = HubSource.model_validate({"kind": "hub", **fields})
    return list(read_source(source, Reading(base, ("en", "tr"))))


def test_without_the_package_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match=r"pip install 'xlmkit\[data\]'"):
        _read(tmp_path, dataset="org/set", columns={"en": "text"})


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    rows = [
        {"translation": {"en": "apple", "tr": "elma"}, "kind": 1},
        {"translation": {"en": "pear", "tr": None}, "kind": 0},
    ]
    datasets.DatasetDict({"train": datasets.Dataset.from_list(rows)}).save_to_disk(
        str(tmp_path / "fruit")
    )
    return tmp_path


def test_a_saved_dataset(saved: Path) -> None:
    columns = {"en": "translation.en", "tr": "translation.tr"}
    records = _read(saved, dataset="fruit", columns=columns, label_column="kind")
    assert records == [
        Record({"en": "apple", "tr": "elma"}, "fruit", "fruit/train:0", "1"),
        Record({"en": "pear"}, "fruit", "fruit/train:1", "0"),
    ]
    with pytest.raises(UserError, match=r"no column 'text'; it has translation, kind"):
        _read(saved, dataset="fruit", text="text", language="en")
    with pytest.raises(UserError, match=r"'fruit' \(split 'dev'\) cannot be read"):
        _read(saved, dataset="fruit", split="dev", columns=columns)


def test_lists_of_numbered_classes_come_by_name(saved: Path) -> None:
    import datasets

    names = datasets.ClassLabel(names=["joy", "anger"])
    features = datasets.Features({"text": datasets.Value("string"), "of": datasets.List(names)})
    rows = {"text": ["one", "two"], "of": [[1, 0], []]}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(str(saved / "moods"))
    records = _read(saved, dataset="moods", text="text", language="en", label_column="of")
    assert [labels_in(record.label or "") for record in records] == [["anger", "joy"], []]


def test_classes_come_by_name_and_minus_one_is_none(saved: Path) -> None:
    import datasets

    names = datasets.ClassLabel(names=["yes", "maybe"])
    features = datasets.Features({"text": datasets.Value("string"), "is": names})
    rows = {"text": ["one", "two", "three"], "is": [1, 0, -1]}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(str(saved / "doubt"))
    columns = {"text": "text", "language": "en", "label_column": "is"}
    records = _read(saved, dataset="doubt", **columns)
    assert [record.label for record in records] == ["maybe", "yes", None]
    renamed = _read(saved, dataset="doubt", **columns, label_map={"yes": "y", "maybe": "m"})
    assert [record.label for record in renamed] == ["m", "y", None]
    source = HubSource.model_validate({"kind": "hub", "dataset": "doubt", **columns})
    by_number = read_source(source, Reading(saved, ("en",), numbers=True))
    assert [record.label for record in by_number] == ["1", "0", None]


def test_a_dataset_for_each_language(saved: Path) -> None:
    for code, text in (("en", "water"), ("tr", "su")):
        (saved / "sets" / code).mkdir(parents=True)
        (saved / "sets" / code / "train.csv").write_text(f"text\n{text}\n", encoding="utf-8")
    records = _read(saved, dataset="sets/{language}", text="text")
    assert [record.texts for record in records] == [{"en": "water"}, {"tr": "su"}]
    source = HubSource.model_validate({"kind": "hub", "dataset": "sets/{language}", "text": "text"})
    assert [path.parent.name for path in local_files(source, saved)] == ["en", "tr"]


def test_a_folder_of_files_is_streamed(saved: Path) -> None:
    (saved / "set").mkdir()
    (saved / "set" / "train.csv").write_text("text\nwater\nfire\n")
    records = _read(saved, dataset="set", text="text", language="en")
    assert [record.texts["en"] for record in records] == ["water", "fire"]


def test_a_saved_dataset_is_no_other_split(saved: Path) -> None:
    import datasets

    rows = datasets.Dataset.from_dict({"text": ["one", "two"]}, split="test")
    rows.save_to_disk(str(saved / "alone"))
    fields = {"dataset": "alone", "text": "text", "language": "en"}
    assert len(_read(saved, **fields, split="test")) == 2
    with pytest.raises(UserError, match="the folder holds the split 'test' alone"):
        _read(saved, **fields, split="train")


def test_what_breaks_while_rows_are_read_is_one_sentence() -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield {"text": "one"}
        raise ConnectionResetError("the line is down")

    given = iter(hub._Rows(rows(), "org/set", "train"))
    assert next(given) == {"text": "one"}
    said = r"'org/set' \(split 'train'\) cannot be read: the line is down\."
    with pytest.raises(UserError, match=said):
        next(given)
