"""`xlmkit encode` and `xlmkit predict`: files and pipes, a row for each text, resumable."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import xlmkit.inference.files
from xlmkit import SentenceEncoder
from xlmkit.cli.app import app
from xlmkit.core.errors import UserError
from xlmkit.core.unfinished import begin_part, work_of
from xlmkit.inference.texts import Texts
from xlmkit.inference.vectors import vector_file

LINES = ["a b c", "", "c", "b a b", "a", "c c"]


def call(verb: str, *arguments: Any, given: str | None = None) -> Any:
    return CliRunner().invoke(app, [verb, *map(str, arguments)], input=given)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES), encoding="utf-8")
    return path


@pytest.mark.parametrize("chunk", [2, 4096])
def test_vectors_go_to_a_file_that_numpy_maps(
    language_model: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(xlmkit.inference.files, "_CHUNK", chunk)
    target = tmp_path / "new" / "out.npy"
    made = call("encode", language_model, source, "-o", target, "--lang", "fr")
    assert made.exit_code == 0, made.output
    vectors = np.load(target, mmap_mode="r")
    expected = SentenceEncoder.from_pretrained(language_model).encode(LINES, "fr")
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert [path.name for path in target.parent.iterdir()] == ["out.npy"]


def test_a_pipe_gives_vectors_as_json_lines(language_model: Path) -> None:
    options = ["--lang", "en", "--layer", 1, "--pooling", "first"]
    made = call("encode", language_model, *options, given="a\nb\n")
    encoder = SentenceEncoder.from_pretrained(language_model, layer=1, pooling="first")
    rows = [json.loads(line) for line in made.stdout.splitlines()]
    np.testing.assert_allclose(rows, encoder.encode(["a", "b"], "en"), atol=1e-5)


def test_texts_may_each_have_their_language(language_model: Path, tmp_path: Path) -> None:
    rows = [("a b", "en"), ("a b", "fr")]
    source, target = tmp_path / "text.jsonl", tmp_path / "out.npy"
    lines = [json.dumps({"text": text, "code": code}) for text, code in rows]
    source.write_text("\n".join(lines), encoding="utf-8")
    made = call("encode", language_model, source, "-o", target, "--lang-column", "code")
    assert made.exit_code == 0, made.output
    english, french = np.load(target)
    assert not np.allclose(english, french)


@pytest.mark.parametrize("rows", [0, 4])
def test_vectors_go_on_where_they_stopped(
    language_model: Path, source: Path, tmp_path: Path, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.npy"
    arguments = ["encode", language_model, source, "-o", target, "--lang", "fr"]
    vectors = SentenceEncoder.from_pretrained(language_model).encode(LINES, "fr")
    stop_at(rows, monkeypatch, *arguments)
    with (tmp_path / "out.npy.part").open("ab") as stream:
        stream.write(b"a seven")
    if rows:
        made = call(*arguments)
        assert f"has {rows} lines of an earlier call: --resume goes on" in made.stderr
        made = call(*arguments[:-1], "en", "--resume")
        assert "begun with another lang: fr, and not en" in made.stderr
        monkeypatch.setattr(xlmkit.inference.files, "_CHUNK", 4096)
    seen: list[int] = []
    encode = SentenceEncoder.encode

    def counting(self: Any, texts: Any, *rest: Any, **named: Any) -> Any:
        seen.append(len(texts))
        return encode(self, texts, *rest, **named)

    monkeypatch.setattr(SentenceEncoder, "encode", counting)
    made = call(*arguments, "--resume")
    assert made.exit_code == 0, made.output
    assert sum(seen) == len(LINES) - rows
    np.testing.assert_allclose(np.load(target), vectors, atol=1e-5)


def stop_at(rows: int, monkeypatch: pytest.MonkeyPatch, *arguments: Any) -> None:
    """Let a call be stopped behind so many rows, which come singly."""
    monkeypatch.setattr(xlmkit.inference.files, "_CHUNK", 1)
    encode, seen = SentenceEncoder.encode, []

    def stopping(self: Any, texts: Any, *rest: Any, **named: Any) -> Any:
        seen.append(texts)
        if len(seen) > rows:
            raise KeyboardInterrupt
        return encode(self, texts, *rest, **named)

    with monkeypatch.context() as context:
        context.setattr(SentenceEncoder, "encode", stopping)
        made = call(*arguments)
    assert made.exit_code == 130
    assert "the same command with --resume goes on" in made.stderr


def _stopped(target: Path, rows: np.ndarray, *, resume: bool) -> None:
    with vector_file(target, rows.shape[1], {}, resume=resume) as file:
        file.write(rows)
        raise KeyboardInterrupt


def test_a_file_goes_on_only_with_vectors_of_its_width(tmp_path: Path) -> None:
    target = tmp_path / "out.npy"
    for width in (3, 4):
        rows = np.ones((2, width), np.float32)
        expected = KeyboardInterrupt if width == 3 else UserError
        with pytest.raises(expected, match=None if width == 3 else "vectors of 3 numbers"):
            _stopped(target, rows, resume=width == 4)
    with vector_file(target, 3, {}, resume=True) as file:
        assert file.rows == 2
        file.write(np.zeros((100_000, 3), np.float32))
    assert np.load(target).shape == (100_002, 3)


@pytest.mark.parametrize("ending", [".jsonl", ".tsv"])
def test_predictions_have_labels_and_probabilities(
    classifier: Path, source: Path, tmp_path: Path, ending: str
) -> None:
    target = tmp_path / f"out{ending}"
    arguments = ["predict", classifier, source, "-o", target, "--lang", "en"]
    assert call(*arguments).exit_code == 0
    text = target.read_text(encoding="utf-8")
    piped = call("predict", classifier, "--lang", "en", given="\n".join(LINES)).stdout
    expected = [json.loads(line) for line in piped.splitlines()]
    if ending == ".jsonl":
        made = [json.loads(line)["label"] for line in text.splitlines()]
    else:
        head, *rows = (line.split("\t") for line in text.splitlines())
        assert head == ["label", "news", "sport", "art"]
        made = [row[0] for row in rows]
    assert made == [row["label"] for row in expected]
    assert len(made) == len(LINES)
    target.unlink()
    lines = text.splitlines(keepends=True)
    texts = Texts(path=source, lang="en")
    settings = {"precision": "auto", "spaces": False, "long_texts": None, "question_lang": None}
    work = xlmkit.inference.files._work_of("predict", classifier, texts, **settings)
    begin_part(target, work, 0, resume=False)
    part = tmp_path / f"{target.name}.part"
    part.write_text("".join(lines[:3]) + lines[3][:4], "utf-8")
    assert "3 lines of an earlier call" in call(*arguments).stderr
    part.write_text("".join(lines[:3]) + lines[3][:4], "utf-8")
    assert call(*arguments, "--resume").exit_code == 0
    assert target.read_text(encoding="utf-8").splitlines()[:3] == text.splitlines()[:3]
    assert len(target.read_text(encoding="utf-8").splitlines()) == len(lines)
    source.rename(target)
    assert "give --output another name" in call(*arguments[:2], target, *arguments[3:]).stderr


def test_rows_of_csv_go_on_where_they_stopped(classifier: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "a.csv", tmp_path / "out.jsonl"
    source.write_text('text,label\n"a b\nc",x\n"b, a",x\nc,y\n', encoding="utf-8")
    arguments = ["predict", classifier, source, "-o", target, "--lang", "en"]
    assert "Say with --text-column" in call(*arguments).stderr
    arguments += ["--text-column", "text"]
    assert call(*arguments).exit_code == 0
    piped = call("predict", classifier, "--lang", "en", given="a b c\nb, a\nc\n").stdout
    assert target.read_text("utf-8") == piped
    part = target.rename(tmp_path / "out.jsonl.part")
    lines = piped.splitlines(keepends=True)
    texts = Texts(path=source, lang="en", text="text")
    settings = {"precision": "auto", "spaces": False, "long_texts": None, "question_lang": None}
    work = xlmkit.inference.files._work_of("predict", classifier, texts, **settings)
    begin_part(target, work, 0, resume=False)
    part.write_text("".join(lines[:2]), "utf-8")
    assert call(*arguments, "--resume").exit_code == 0
    # The last row is now alone in its batch, and a processor may round it otherwise there.
    alone = call("predict", classifier, "--lang", "en", given="c\n").stdout
    assert target.read_text("utf-8") == "".join([*lines[:2], alone])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.txt", "--lang", "en"], "There is no file"),
        (["--lang", "en", "--resume"], "--resume needs --output"),
        (["--lang", "de"], "does not know the language 'de'"),
        ([], "--lang-column"),
        (["--lang", "en", "-o", "out.txt"], "out.txt is neither"),
    ],
)
def test_mistakes_in_one_sentence(language_model: Path, arguments: list[str], message: str) -> None:
    made = call("encode", language_model, *arguments, given="a\n")
    assert made.exit_code == 1
    assert message in made.stderr
    assert "Traceback" not in made.stderr


def test_a_source_that_was_edited_is_another(source: Path, tmp_path: Path) -> None:
    model, target = tmp_path / "model", tmp_path / "out.tsv"
    begun = work_of("predict", model, [source])
    begin_part(target, begun, 0, resume=False)
    begin_part(target, work_of("predict", model, [source]), 3, resume=True)
    os.utime(source, ns=(0, source.stat().st_mtime_ns + 1))  # a text of the same size
    with pytest.raises(UserError, match="another time of the source"):
        begin_part(target, work_of("predict", model, [source]), 3, resume=True)


def test_a_finished_output_is_not_made_again_by_resuming(
    language_model: Path, source: Path, tmp_path: Path
) -> None:
    for name in ("out.npy", "out.jsonl"):
        arguments = ["encode", language_model, source, "-o", tmp_path / name, "--lang", "fr"]
        assert call(*arguments).exit_code == 0
        made = call(*arguments, "--resume")
        assert made.exit_code == 1
        assert f"{name} is finished, with nothing to go on with" in made.stderr


def test_a_language_that_the_model_does_not_know_is_told_with_its_line(
    language_model: Path, tmp_path: Path
) -> None:
    source = tmp_path / "text.tsv"
    source.write_text("a\ten\nb\txx\n", encoding="utf-8")
    made = call("encode", language_model, source, "--lang-column", "1")
    assert made.exit_code == 1
    assert "text.tsv, line 2: the model does not know the language 'xx', only en" in made.stderr


def test_long_texts_come_in_smaller_chunks(
    language_model: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    encode = SentenceEncoder.encode

    def counting(encoder: SentenceEncoder, texts: list[str], *rest: Any, **more: Any) -> Any:
        sizes.append(len(texts))
        return encode(encoder, texts, *rest, **more)

    monkeypatch.setattr(SentenceEncoder, "encode", counting)
    monkeypatch.setattr(xlmkit.inference.files, "_CHARACTERS", 6)
    target = tmp_path / "out.npy"
    assert call("encode", language_model, source, "-o", target, "--lang", "fr").exit_code == 0
    assert sizes == [3, 2, 1]
    assert len(np.load(target)) == len(LINES)


@pytest.mark.parametrize("name", ["out.csv", "out"])
def test_an_ending_that_is_no_form_of_predictions_is_refused(
    classifier: Path, source: Path, tmp_path: Path, name: str
) -> None:
    made = call("predict", classifier, source, "-o", tmp_path / name, "--lang", "en")
    assert made.exit_code == 1
    assert "Predictions are written to .jsonl or .tsv, but" in made.stderr
    assert not (tmp_path / name).exists()
