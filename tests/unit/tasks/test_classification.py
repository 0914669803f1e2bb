from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from xlmkit.core.errors import UserError
from xlmkit.data.records import Record
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.classification import ClassificationConfig, ClassificationData

LANGUAGES = ("en", "fr", "zh")
TRAIN = [
    ("Open the file", "ui"),
    ("It will rain", "weather"),
    ("Close the window", "ui"),
]
TEST = [
    ({"en": "Save it", "fr": "Enregistrez-le", "zh": "保存"}, "ui"),
    ({"en": "Sunny", "zh": "晴天"}, "weather"),
    ({"en": "A goal!"}, "sport"),
    ({"fr": "Sans étiquette"}, None),
]


def table(path: Path, rows: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    columns = {"text": 0, "label_column": 1}
    if len(rows[0]) == 3:
        return {"kind": "tsv", "path": path.name, "language_column": 2, **columns}
    return {"kind": "tsv", "path": path.name, "language": "en", **columns}


def corpus(folder: Path, train: list[Record], test: list[Record]) -> Path:
    for split, records in (("train", train), ("valid", []), ("test", test)):
        text = "".join(record.to_json() + "\n" for record in records)
        (folder / f"{split}.jsonl").write_text(text, encoding="utf-8")
    return folder


def from_files(folder: Path, **more: Any) -> ClassificationData:
    rows = [(text, label, code) for texts, label in TEST if label for code, text in texts.items()]
    config = ClassificationConfig.model_validate(
        {
            "train": [table(folder / "train.tsv", TRAIN)],
            "test": [table(folder / "test.tsv", rows)],
            **more,
        }
    )
    return config.load(TaskInputs(folder, folder, LANGUAGES))


def from_corpus(folder: Path, train_languages: tuple[str, ...], **more: Any) -> ClassificationData:
    train = [
        Record({code: f"{text} {code}" for code in train_languages}, "s", str(n), label)
        for n, (text, label) in enumerate(TRAIN)
    ]
    test = [Record(texts, "s", str(n), label) for n, (texts, label) in enumerate(TEST)]
    config = ClassificationConfig.model_validate(more)
    return config.load(TaskInputs(corpus(folder, train, test), folder, LANGUAGES))


def test_files_are_read(tmp_path: Path) -> None:
    data = from_files(tmp_path)
    assert data.labels == ["ui", "weather"]
    assert list(data.train) == ["en"]
    assert data.train["en"].texts == [text for text, _ in TRAIN]
    assert data.train["en"].labels.tolist() == [0, 1, 0]
    assert {code: part.labels.tolist() for code, part in data.test.items()} == {
        "en": [0, 1],
        "fr": [0],
        "zh": [0, 1],
    }


def test_labelled_records_of_the_corpus_are_read(tmp_path: Path) -> None:
    data = from_corpus(tmp_path, ("en", "fr"))
    assert list(data.train) == ["en"]  # the first language alone is learned
    assert data.train["en"].texts[0] == "Open the file en"
    assert data.test["zh"].texts == ["保存", "晴天"]
    assert data.test["fr"].texts == ["Enregistrez-le"]  # a record without label is left out


def test_source_languages_may_be_chosen(tmp_path: Path) -> None:
    data = from_corpus(tmp_path, ("en", "fr"), source_languages=["fr", "en"])
    assert set(data.train) == {"en", "fr"}
    assert len(data.train["fr"].texts) == len(data.train["fr"].labels) == 3


def test_labels_that_were_never_learned_are_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = from_corpus(tmp_path, ("en",))
    assert data.test["en"].texts == ["Save it", "Sunny"]
    said = "".join(capsys.readouterr())
    assert "sport (1)" in said


def test_texts_are_normalised_as_in_pretraining(tmp_path: Path) -> None:
    config = {
        "train": [table(tmp_path / "a.tsv", [("Cafe\u0301", "x"), ("b  b", "y")])],
        "test": [table(tmp_path / "b.tsv", [("e\u0301", "x")])],
    }
    inputs = TaskInputs(tmp_path, tmp_path, LANGUAGES)
    data = ClassificationConfig.model_validate(config).load(inputs)
    assert data.train["en"].texts[0] == "Café"
    assert data.test["en"].texts == ["é"]


def test_too_few_labels_are_said_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"0 different labels in fr .*give `label`"):
        from_corpus(tmp_path, ("en",), source_languages=["fr"])
    one = [table(tmp_path / "one.tsv", [("a", "x"), ("b", "x")])]
    with pytest.raises(UserError, match=r"1 different labels in en .*at least two"):
        from_files(tmp_path, train=one)


def test_training_files_need_test_files() -> None:
    source = {"kind": "tsv", "path": "a.tsv", "text": 0, "label_column": 1, "language": "en"}
    with pytest.raises(ValidationError, match="give both train and test files"):
        ClassificationConfig.model_validate({"train": [source]})


def test_labels_of_files_get_the_names_of_the_task(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    learned = table(tmp_path / "train.tsv", TRAIN)
    tested = table(
        tmp_path / "test.tsv", [("Save it", "UI"), ("Sunny", "WEATHER"), ("A goal!", "SPORT")]
    )
    names = {"UI": "ui", "WEATHER": "weather"}
    config = ClassificationConfig.model_validate(
        {"train": [learned], "test": [{**tested, "label_map": names}]}
    )
    data = config.load(TaskInputs(tmp_path, tmp_path, LANGUAGES))
    assert [data.labels[number] for number in data.test["en"].labels] == ["ui", "weather"]
    assert "1 line left out (label not in label_map 'SPORT')" in capfd.readouterr().err
