"""What is wrong in the files of a task is counted by part, language and reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from xlmkit.tasks.bad_input import BadInput
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.kinds import Task

TSV = {"kind": "tsv", "text": 0, "label_column": 1}
BOTH = TSV | {"path": "both.tsv", "language_column": 2}
EACH = TSV | {"path": "each.{language}.tsv"}
FILES = {
    "both.tsv": "a\tx\ten\nb\ty\ten\n\tx\ten\nc\t\tsw\nd\tx\tsw\ne\tx\t??\nf\n",
    "each.en.tsv": "a\tx\nb\ty\n",
    "each.sw.tsv": "a\tx\nb\nc\t\n",
    "numbers.tsv": "a\t1\nb\tx\nc\t2\n",
    "choices.tsv": "p\tc\td\t0\np\tc\td\t2\n",
    "tags.en.txt": "a X\nb Y\n",
    "tags.sw.txt": "a X\n\nb\n",
}
ANSWER = {"text": "Nile", "answer_start": 0}
LOST = {"text": "Amazon", "answer_start": 3}
QUESTIONS: dict[str, list[dict[str, Any]]] = {
    "en": [{"question": "A?", "answers": [ANSWER]}, {"question": "B?", "answers": [LOST]}],
    "sw": [{"question": "", "answers": [ANSWER]}, *2 * [{"question": "D?", "answers": [LOST]}]],
}


def count(folder: Path, kind: str, train: dict[str, Any], test: dict[str, Any]) -> Any:
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    for code, questions in QUESTIONS.items():
        nested = {"data": [{"paragraphs": [{"context": "Nile is long.", "qas": questions}]}]}
        (folder / f"questions.{code}.json").write_text(json.dumps(nested), encoding="utf-8")
    bad = BadInput()
    config = TypeAdapter(Task).validate_python({"kind": kind, "train": [train], "test": [test]})
    config.load(TaskInputs(folder, folder, ("en", "sw"), bad=bad))
    return bad.to_json()


ROWS = {
    "en": {"an empty text": 1},
    "sw": {"no label": 1},
    "": {"unknown language": 1, "too few columns": 1},
}


@pytest.mark.parametrize(
    ("kind", "train", "test", "found"),
    [
        ("classification", BOTH, BOTH, {"train": ROWS, "test": ROWS}),
        (
            "classification",
            EACH | {"path": "each.en.tsv", "language": "en"},
            EACH,
            {"test": {"sw": {"too few columns": 1, "no label": 1}}},
        ),
        (
            "classification",
            EACH | {"path": "each.en.tsv", "language": "en"},
            EACH | {"label_map": {"x": "x"}, "path": "each.en.tsv", "language": "en"},
            {"test": {"en": {"label not in label_map": 1}}},
        ),
        (
            "multilabel",
            EACH,
            EACH,
            {
                "train": {"sw": {"too few columns": 1}},
                "test": {"sw": {"too few columns": 1, "of no class, but kept": 1}},
            },
        ),
        (
            "regression",
            TSV | {"path": "numbers.tsv", "language": "en"},
            TSV | {"path": "numbers.tsv", "language": "en"},
            {"train": {"en": {"a label that is no number": 1}}},
        ),
        (
            "multiple_choice",
            TSV | {"path": "choices.tsv", "choices": [1, 2], "label_column": 3, "language": "en"},
            TSV | {"path": "choices.tsv", "choices": [1, 2], "label_column": 3, "language": "en"},
            {"train": {"en": {"a label that names no choice": 1}}},
        ),
        (
            "tagging",
            {"kind": "conll", "path": "tags.{language}.txt"},
            {"kind": "conll", "path": "tags.{language}.txt"},
            {"test": {"sw": {"too few columns": 1}}},
        ),
        (
            "question_answering",
            {"kind": "squad", "path": "questions.{language}.json"},
            {"kind": "squad", "path": "questions.{language}.json"},
            {
                "train": {"en": {"answer not in its context": 1}},
                "test": {
                    "sw": {
                        "an empty question": 1,
                        "answer not in its context, but counted as any other": 2,
                    },
                    "en": {"answer not in its context, but counted as any other": 1},
                },
            },
        ),
    ],
)
def test_bad_input_is_counted_by_part_language_and_reason(
    tmp_path: Path, kind: str, train: dict[str, Any], test: dict[str, Any], found: Any
) -> None:
    assert count(tmp_path, kind, train, test) == found


def test_a_text_that_is_no_string_is_of_its_language(tmp_path: Path) -> None:
    rows = [{"en": 3, "sw": "a", "l": "x"}, {"en": "a", "l": "x"}, {"en": "b", "l": "y"}]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    source = {"kind": "jsonl", "path": "rows.jsonl", "columns": {"en": "en", "sw": "sw"}}
    source |= {"label_column": "l"}
    found = count(tmp_path, "classification", source, source)
    assert found["train"] == {"en": {"a text that is not a string": 1}}


def test_nothing_wrong_is_nothing_counted(tmp_path: Path) -> None:
    good = EACH | {"path": "each.en.tsv", "language": "en"}
    assert count(tmp_path, "classification", good, good) == {}
