"""Questions answered from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from xlmkit import AnswerPredictor
from xlmkit.cli.app import app


def call(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


ROWS = [{"question": "b", "context": "a b c"}, {"question": "c c", "context": "b a c a b"}]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "asked.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    return path


@pytest.mark.parametrize("question_lang", ["en", "fr"])
def test_questions_may_be_in_another_language(
    answerer: Path, source: Path, question_lang: str
) -> None:
    target = source.with_name("out.jsonl")
    options = ["--lang", "en", "--precision", "float32", "-o", target]
    done = call("predict", answerer, source, *options, "--question-lang", question_lang)
    assert done.exit_code == 0, done.stderr
    made = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    asked = [(row["question"], row["context"]) for row in ROWS]
    predictor = AnswerPredictor.from_pretrained(answerer, precision="float32")
    for row, expected, (_, context) in zip(
        made, predictor.predict(asked, "en", question_lang=question_lang), asked, strict=True
    ):
        assert row["answer"] == expected["answer"] == context[row["start"] : row["end"]]
        assert row["probability"] == pytest.approx(expected["probability"], rel=1e-4)


def test_options_of_other_kinds_are_refused(answerer: Path, classifier: Path, source: Path) -> None:
    behind = call("predict", answerer, source, "--lang", "en", "--append-column", "question")
    assert "answers questions; leave out --append-column" in behind.stderr
    asked = call("predict", classifier, source, "--lang", "en", "--question-lang", "fr")
    assert "answers no questions; leave out --question-lang" in asked.stderr
    assert behind.exit_code == asked.exit_code == 1
