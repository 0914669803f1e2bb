"""A share of the train examples chooses the step in every kind of task."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from xlmkit.core.errors import UserError
from xlmkit.tasks.base import TaskInputs
from xlmkit.tasks.kinds import Task

N = 60
KINDS = ("classification", "tagging", "question_answering")


def write(folder: Path) -> None:
    """Write sixty texts of each language: every two questions are about the same one."""
    for code in ("en", "zh"):
        texts = [f"{code} text {number // 2}" for number in range(N)]
        rows = "".join(f"{text}\t{'xy'[i % 2]}\n" for i, text in enumerate(texts))
        (folder / f"{code}.tsv").write_text(rows, encoding="utf-8")
        words = "".join(f"{text.replace(' ', ' A')} B\n\n" for text in texts)
        (folder / f"{code}.conll").write_text(words.replace(" A", " O\n"), encoding="utf-8")
        asked = [
            {"question": f"{i}?", "context": text, "answers": [{"text": "text"}] * (i % 3 > 0)}
            for i, text in enumerate(texts)
        ]
        lines = "".join(f"{json.dumps(row)}\n" for row in asked)
        (folder / f"{code}.jsonl").write_text(lines, encoding="utf-8")


def section(kind: str, **more: Any) -> Any:
    source = {
        "classification": {"kind": "tsv", "path": "{language}.tsv", "text": 0, "label_column": 1},
        "tagging": {"kind": "conll", "path": "{language}.conll"},
        "question_answering": {"path": "{language}.jsonl"},
    }[kind]
    given = {"kind": kind, "train": [source], "test": [source], **more}
    return TypeAdapter(Task).validate_python(given)


def texts(part: Any) -> Sequence[str]:
    """Return what examples are held back by."""
    found = getattr(part, "texts", getattr(part, "sentences", part))
    return [str(getattr(one, "context", one)) for one in found]


@pytest.mark.parametrize("kind", KINDS)
def test_a_share_is_not_learned_and_chooses(tmp_path: Path, kind: str) -> None:
    write(tmp_path)
    inputs = TaskInputs(tmp_path, tmp_path, ("en", "zh"))
    config = section(kind, valid_share=0.3, patience=2)
    data, chooses = config.load(inputs), config.validation().load(inputs)
    learned = texts(data.train if kind == "question_answering" else data.train["en"])
    held_out = texts(chooses.test["en"])
    assert len(learned) + len(held_out) == N
    assert 0 < len(held_out) < N / 2
    assert not set(learned) & set(held_out)
    assert set(chooses.test) == {"en"}
    assert {code: len(part) for code, part in data.test.items()} == {"en": N, "zh": N}
    if kind == "question_answering":  # they find the threshold as well
        assert texts(data.valid) == texts(chooses.valid) == held_out
    few = section(kind, valid_share=0.3, few_shot=3)
    shots = few.load(inputs)
    assert texts(few.validation().load(inputs).test["en"]) == held_out
    parts = [q.language for q in shots.train] if kind == "question_answering" else shots.train
    assert set(parts) == {"en", "zh"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_makes_no_sense_is_refused(tmp_path: Path, kind: str) -> None:
    write(tmp_path)
    inputs = TaskInputs(tmp_path, tmp_path, ("en", "zh"))
    for share, message in (
        (1e-9, "valid_share is 1e-09, which leaves no text in en to choose by; raise it, or give"),
        (1 - 1e-9, "which leaves no text in en to learn; lower it, or give valid files"),
    ):
        with pytest.raises(UserError, match=message):
            section(kind, valid_share=share).load(inputs)
    source = section(kind).train
    for wrong, message in (
        ({"valid_share": 0.1, "valid": source}, "valid files or valid_share, but not both"),
        ({"patience": 1}, "patience counts validations; give valid files or valid_share"),
        ({"sweep": {"lr": [1e-3, 1e-4]}}, "texts to choose by; give valid files or valid_share"),
    ):
        with pytest.raises(ValidationError, match=message):
            section(kind, **wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_every_source_language_needs_texts_to_choose_by(tmp_path: Path, kind: str) -> None:
    write(tmp_path)
    for name in ("zh.tsv", "zh.conll", "zh.jsonl"):
        lines = (tmp_path / name).read_text("utf-8").splitlines(keepends=True)
        (tmp_path / name).write_text("".join(lines[:4]), "utf-8")
    config = section(kind, valid_share=0.03, source_languages=["en", "zh"])
    with pytest.raises(UserError, match="leaves no text in zh to choose by"):
        config.load(TaskInputs(tmp_path, tmp_path, ("en", "zh")))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_made_without_a_share_still_holds(kind: str) -> None:
    assert "valid_share" not in section(kind).inputs()
    assert section(kind, valid_share=0.1).inputs()["valid_share"] == 0.1
