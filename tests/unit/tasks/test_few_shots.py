"""A few examples of other languages, in every kind of task that has files of its own."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from xlmkit.core.errors import UserError
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.classification import ClassificationConfig
from xlmkit.tasks.question_answering import QuestionAnsweringConfig
from xlmkit.tasks.regression import RegressionConfig
from xlmkit.tasks.tagging import TaggingConfig


def inputs(folder: Path, seed: int = 1) -> TaskInputs:
    return TaskInputs(folder, folder, ("en", "sw", "zh"), seed)


def write_rows(folder: Path, languages: str = "en sw zh") -> dict[str, Any]:
    rows = [
        f"text {number} of {label}\t{code}\t{label}\n"
        for code in languages.split()
        for number in range(10)
        for label in "123"
    ]
    (folder / "rows.tsv").write_text("".join(rows), encoding="utf-8")
    source = {
        "kind": "tsv", "path": "rows.tsv", "text": 0, "language_column": 1, "label_column": 2
    }  # fmt: skip
    return {"train": [source], "test": [source]}


def test_so_many_of_each_class_are_learned_of_every_other_language(tmp_path: Path) -> None:
    config = ClassificationConfig(few_shot=2, **write_rows(tmp_path))
    data = config.load(inputs(tmp_path))
    assert {code: len(part.labels) for code, part in data.train.items()} == {
        "en": 30, "sw": 6, "zh": 6,
    }  # fmt: skip
    assert set(Counter(data.train["sw"].labels.tolist()).values()) == {2}
    assert len(data.test["sw"].labels) == 30
    again = config.load(inputs(tmp_path))
    assert again.train["sw"].texts == data.train["sw"].texts
    other = config.load(inputs(tmp_path, seed=2))
    assert other.train["sw"].texts != data.train["sw"].texts
    assert other.train["en"].texts == data.train["en"].texts


def test_without_few_shots_other_languages_are_left(tmp_path: Path) -> None:
    data = ClassificationConfig(**write_rows(tmp_path)).load(inputs(tmp_path))
    assert list(data.train) == ["en"]


def test_numbers_have_no_classes(tmp_path: Path) -> None:
    config = RegressionConfig(kind="regression", few_shot=4, **write_rows(tmp_path))
    data = config.load(inputs(tmp_path))
    assert {code: len(part.labels) for code, part in data.train.items()} == {
        "en": 30, "sw": 4, "zh": 4,
    }  # fmt: skip


def test_a_language_with_fewer_gives_all_it_has(tmp_path: Path) -> None:
    config = ClassificationConfig(few_shot=50, **write_rows(tmp_path, "en zh"))
    data = config.load(inputs(tmp_path))
    assert {code: len(part.labels) for code, part in data.train.items()} == {"en": 30, "zh": 30}


def test_files_of_the_source_language_alone_are_told(tmp_path: Path) -> None:
    config = ClassificationConfig(few_shot=5, **write_rows(tmp_path, "en"))
    with pytest.raises(UserError, match="few_shot is 5, but its train files have labels in en"):
        config.load(inputs(tmp_path))


def test_sentences_and_questions_are_few_too(tmp_path: Path) -> None:
    for code in ("en", "sw", "zh"):
        lines = "\n\n".join(f"word{number}\tA\nother\tB" for number in range(9))
        (tmp_path / f"{code}.conll").write_text(lines + "\n", encoding="utf-8")
        questions = [
            {"question": f"what is {n}", "context": f"it is {n}", "answers": {"text": [f"{n}"]}}
            for n in range(9)
        ]
        made = "".join(json.dumps(question) + "\n" for question in questions)
        (tmp_path / f"{code}.jsonl").write_text(made, encoding="utf-8")
    tagged = [{"kind": "conll", "path": "{language}.conll"}]
    tagging = TaggingConfig(kind="tagging", train=tagged, test=tagged, few_shot=3)
    found = tagging.load(inputs(tmp_path))
    sentences = {code: len(part.sentences) for code, part in found.train.items()}
    assert sentences == {"en": 9, "sw": 3, "zh": 3}
    assert found.train_languages.tolist() == [0] * 18 + [1] * 6 + [2] * 6
    asked = [{"kind": "squad", "path": "{language}.jsonl"}]
    answering = QuestionAnsweringConfig(
        kind="question_answering", train=asked, test=asked, few_shot=2
    )
    counts = Counter(question.language for question in answering.load(inputs(tmp_path)).train)
    assert counts == {"en": 9, "sw": 2, "zh": 2}
