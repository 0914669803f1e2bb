"""`xlmkit translate`: files and pipes, as many lines out as in, going on after a stop."""

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import TRANSLATOR
from xlmkit.cli.app import app
from xlmkit.generate.translator import Translator
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.truecasing import Truecaser
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

Stop = Callable[[], AbstractContextManager[None]]
LINES = ["a b c", "", "c", "b a b", "a", "", "c c"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    vocabulary = Vocabulary([*SPECIAL_TOKENS, "a</w>", "b</w>", "c</w>"])
    tokenizer = Tokenizer(vocabulary, Merges(()), {"en": 0, "fr": 1}, segmenters={})
    torch.manual_seed(0)
    shape = Architecture(
        n_words=len(vocabulary), n_langs=2, n_layers=1, emb_dim=16, n_heads=2,
        max_position_embeddings=32, embed_init_std=0.5,
    )  # fmt: skip
    weights = EncoderDecoder(shape).state_dict()
    weights["pred_layer.proj.bias"][: len(SPECIAL_TOKENS)] = -5.0  # so that it writes words
    Bundle(shape, tokenizer, weights, head=TRANSLATOR).save(folder)
    return folder


def call(model: Path, *arguments: Any, given: str | None = None) -> Any:
    return CliRunner().invoke(app, words_of(model, *arguments), input=given)


def words_of(model: Path, *arguments: Any) -> list[str]:
    return ["translate", str(model), "--src", "en", "--tgt", "fr", *map(str, arguments)]


def test_a_pipe_gives_as_many_lines(model: Path) -> None:
    made = call(model, given="\n".join(LINES) + "\n")
    assert made.exit_code == 0, made.output
    lines = made.stdout.split("\n")[:-1]
    assert len(lines) == len(LINES)
    assert [not line for line in lines] == [not line for line in LINES]


def test_a_file_gives_the_same_as_a_pipe(model: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "text", tmp_path / "new" / "out"
    source.write_text("\r\n".join(LINES), encoding="utf-8")  # no end at the last line
    assert call(model, source, "--output", target).exit_code == 0
    expected = call(model, given="\n".join(LINES) + "\n").stdout
    assert target.read_text(encoding="utf-8") == expected
    assert [path.name for path in target.parent.iterdir()] == ["out"]


def test_it_goes_on_where_it_stopped(
    model: Path, tmp_path: Path, stopped_behind_four_lines: Stop, lengths_of_chunks: list[int]
) -> None:
    source, target = begun(model, tmp_path, stopped_behind_four_lines)
    part = tmp_path / "out.part"
    assert part.read_text("utf-8").count("\n") == 4
    with part.open("a") as stream:
        stream.write("half a li")
    assert call(model, source, "--output", tmp_path / "whole").exit_code == 0
    whole = (tmp_path / "whole").read_text("utf-8")
    lengths_of_chunks.clear()
    assert call(model, source, "--output", target, "--resume").exit_code == 0
    assert target.read_text(encoding="utf-8") == whole
    assert (
        sum(lengths_of_chunks) - 1 == 3
    )  # one look at the languages, and the lines that were missing
    assert not list(tmp_path.glob("out.*"))


@pytest.mark.parametrize("cut", [0, 5, 40])
def test_several_translations_of_a_text_go_on_too(
    model: Path, tmp_path: Path, stopped_behind_four_lines: Stop, cut: int
) -> None:
    source, target = begun(model, tmp_path, stopped_behind_four_lines, "--n-best", "3")
    part = tmp_path / "out.part"
    content = part.read_bytes()
    part.write_bytes(content[: len(content) - cut])
    before = part.read_bytes()
    made = call(model, source, "--output", target, "--n-best", "3")
    assert "texts of an earlier call: --resume goes on behind them" in made.stderr
    assert part.read_bytes() == before
    assert call(model, source, "--output", tmp_path / "whole", "--n-best", "3").exit_code == 0
    made = call(model, source, "--output", target, "--n-best", "3", "--resume")
    assert made.exit_code == 0, made.stderr
    assert target.read_bytes() == (tmp_path / "whole").read_bytes()
    assert not list(tmp_path.glob("out.*"))


def begun(model: Path, folder: Path, stop: Stop, *options: str) -> tuple[Path, Path]:
    """Stop a call behind four lines; return what it reads and what it would write."""
    source, target = folder / "text", folder / "out"
    source.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    with stop():
        made = call(model, source, "--output", target, *options)
    assert made.exit_code == 130
    assert "Stopped; the same command with --resume goes on." in made.stderr
    return source, target


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "has 4 lines of an earlier call: --resume goes on"),
        (["--resume", "--tgt", "en"], "begun with another tgt: fr, and not en"),
        (["--resume", "--beam-size", "2"], "begun with another beam_size: 5, and not 2"),
        (["--resume", "--prefix", "a"], "begun with another prefix: None, and not a"),
        (["--resume", "--precision", "bfloat16"], "begun with another precision"),
        (["--resume", "--no-split"], "begun with another split: True, and not False"),
        (["--resume", "--no-capitals"], "begun with another capitals: True, and not False"),
    ],
)
def test_other_work_does_not_go_on(
    model: Path,
    tmp_path: Path,
    stopped_behind_four_lines: Stop,
    options: list[str],
    message: str,
) -> None:
    source, target = begun(model, tmp_path, stopped_behind_four_lines)
    before = (tmp_path / "out.part").read_bytes()
    made = call(model, source, "--output", target, *options)
    assert made.exit_code == 1
    assert message in made.stderr
    assert (tmp_path / "out.part").read_bytes() == before


def test_another_text_or_model_does_not_go_on(
    model: Path, tmp_path: Path, stopped_behind_four_lines: Stop
) -> None:
    source, target = begun(model, tmp_path, stopped_behind_four_lines)
    (tmp_path / "note").write_bytes((tmp_path / "out.part.json").read_bytes())
    written = source.stat()
    source.write_text("a\n", encoding="utf-8")
    made = call(model, source, "--output", target, "--resume")
    assert "begun with another size of the source" in made.stderr
    source.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    os.utime(source, ns=(written.st_atime_ns, written.st_mtime_ns))  # as it was
    Bundle.load(model).save(tmp_path / "other")
    made = call(tmp_path / "other", source, "--output", target, "--resume")
    assert "begun with another model" in made.stderr
    (tmp_path / "out.part.json").unlink()
    made = call(model, source, "--output", target, "--resume")
    assert "Nothing says what call began" in made.stderr
    (tmp_path / "note").rename(tmp_path / "out.part.json")
    assert call(model, source, "--output", target, "--resume", "--batch-tokens", 64).exit_code == 0


def test_a_shorter_pipe_does_not_go_on(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import xlmkit.translate

    monkeypatch.setattr(xlmkit.translate, "_CHUNK", 1)
    target = tmp_path / "out"
    text = b"a\n\xff\n"  # the second line stops the first call
    made = CliRunner().invoke(app, words_of(model, "--output", target), input=text)
    assert made.exit_code == 1
    made = call(model, "--output", target, "--resume", given="")
    assert made.exit_code == 1
    assert "written 1 lines, but the text has only 0" in made.stderr


def test_no_allowed_word_is_a_mistake(model: Path, tmp_path: Path) -> None:
    (tmp_path / "none").write_text("\n", encoding="utf-8")
    made = call(model, "--allowed", tmp_path / "none", given="a\n")
    assert made.exit_code == 1
    assert "has no text, so that no word would be allowed" in made.stderr


def test_an_output_is_not_its_own_input(model: Path, tmp_path: Path) -> None:
    source = tmp_path / "text"
    source.write_text("a\n", encoding="utf-8")
    (tmp_path / "link").symlink_to(source)
    for target in (source, tmp_path / "link"):
        made = call(model, source, "--output", target)
        assert made.exit_code == 1
        assert "give --output another name" in made.stderr
        assert source.read_text("utf-8") == "a\n"
    part = tmp_path / "out.part"
    part.write_text("a\n", encoding="utf-8")
    assert "give --output another" in call(model, part, "--output", tmp_path / "out").stderr


def test_several_translations_of_a_text_are_numbered(model: Path) -> None:
    made = call(model, "--n-best", 3, given="a b\n\nc\n")
    assert made.exit_code == 0, made.output
    fields = [line.split("\t") for line in made.stdout.splitlines()]
    assert [field[0] for field in fields] == ["1"] * 3 + ["2"] + ["3"] * 3
    scores = [float(field[1]) for field in fields if field[0] == "3"]
    assert scores == sorted(scores, reverse=True)
    best = call(model, given="a b\n\nc\n").stdout.splitlines()
    assert [fields[0][2], fields[3][2], fields[4][2]] == best


def test_the_sentences_of_a_line_are_translated_one_by_one(model: Path) -> None:
    text = "a b! c a c! b"
    alone = call(model, "--no-capitals", given="a b!\nc a c!\nb\n").stdout.splitlines()
    split, whole = (
        call(model, "--no-capitals", how, given=f"{text}\n").stdout.splitlines()
        for how in ("--split", "--no-split")
    )
    assert split == [" ".join(alone)] != whole
    assert len(whole) == 1


def test_prefix_allowed_words_and_samples(model: Path, tmp_path: Path) -> None:
    made = call(model, "--no-capitals", "--prefix", "b c", given="a b\nc\n")
    assert all(line.startswith("b c") for line in made.stdout.splitlines())
    (tmp_path / "few").write_text("a\n", encoding="utf-8")
    made = call(model, "--no-capitals", "--allowed", tmp_path / "few", given="c b\n")
    assert made.exit_code == 0, made.output
    assert set(made.stdout) <= {"a", " ", "\n"}
    drawn = [
        call(model, "--sample", "--set", f"seed={seed}", given="a b c\n" * 9).stdout
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0].splitlines())) > 1


@pytest.mark.parametrize(
    ("arguments", "given", "message"),
    [
        (["missing.txt"], None, "There is no file"),
        (["--resume"], "a\n", "--resume needs --output"),
        (["--tgt", "de"], "a\n", "does not know the language 'de'"),
        (["--n-best", "6"], "a\n", "need as many beams"),
        (["--set", "top_q=0.5"], "a\n", "the search has no key 'top_q'"),
        (["--set", "top_p"], "a\n", "write it as key=value, for instance rules=sound"),
        (["--n-best", "9"], "a\n", "error: 9 translations of a text need as many beams"),
        (["--set", "top_p=0.5"], "a\n", "top_p says how words are drawn, which is done with --sa"),
        (["--set", "seed=5"], "a\n", "seed says how words are drawn, which is done with --sample"),
        (["--set", "min_length=5", "--set", "max_length=3"], "a\n", "at least 5 and at most 3"),
        (["--prefix", "a z"], "a\n", "The prefix 'a z' has a letter that the model does not know"),
    ],
)
def test_mistakes_in_one_sentence(
    model: Path, arguments: list[str], given: str | None, message: str
) -> None:
    made = call(model, *arguments, given=given)
    assert made.exit_code == 1
    assert message in made.stderr
    assert "Traceback" not in made.stderr


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("xlmkit.json", "[]", "xlmkit.json is no JSON object"),
        ("xlmkit.json", '{"directions": 3}', "directions is 3 there"),
        ("xlmkit.json", '{"length": "x"}', "length is 'x' there"),
        ("tokenizer_config.json", '{"lang2id": [1]}', "does not give languages numbers"),
        ("engine.json", "{}", "engine.json does not tell src, tgt, longest, n_words"),
        ("engine.json", "[]", "engine.json does not tell src"),
        ("engine.json", '{"src": "en", "tgt": "xx", "longest": 9, "n_words": 9}', "'xx'"),
    ],
)
def test_damaged_folders_in_one_sentence(
    model: Path, tmp_path: Path, name: str, text: str, message: str
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(model, folder)
    (folder / name).write_text(text, encoding="utf-8")
    made = call(folder, given="a\n")
    assert made.exit_code == 1, made.output
    assert message in made.stderr
    assert "Traceback" not in made.stderr


def test_a_folder_is_no_output(model: Path, tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("a\n", encoding="utf-8")
    (tmp_path / "out").mkdir()
    made = call(model, tmp_path / "lines", "--output", tmp_path / "out")
    assert made.exit_code == 1
    assert "out is a folder; give --output the name of a file" in made.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lines", "out"]


def test_text_that_is_not_utf8_is_named(model: Path, tmp_path: Path) -> None:
    source = tmp_path / "latin1"
    source.write_bytes(b"a b\n\xe9t\xe9\n")
    made = call(model, source, "--output", tmp_path / "out")
    assert made.exit_code == 1
    assert "line 2, is not UTF-8" in made.stderr
    assert not (tmp_path / "out").exists()


def test_an_empty_file_gives_an_empty_file(model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert call(model, tmp_path / "empty", "--output", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out").read_bytes() == b""


def test_capitals_where_they_are_asked_for(model: Path) -> None:
    given = "\n".join(LINES) + "\n"
    lower, raised = (
        call(model, how, given=given).stdout for how in ("--no-capitals", "--capitals")
    )
    assert lower != raised
    assert lower.lower() == raised.lower()
    first = next(line for line in raised.splitlines() if line)
    assert first[0].isupper()


def test_words_get_the_case_and_accents_that_were_learned(model: Path, tmp_path: Path) -> None:
    forms = {"fr": {"a": "à", "b": "B", "c": "Ç"}}
    folder = tmp_path / "model"
    bundle = Bundle.load(model)
    replace(bundle, tokenizer=bundle.tokenizer.with_truecaser(Truecaser(forms))).save(folder)
    given = "\n".join(LINES) + "\n"
    plain = call(folder, "--no-capitals", given=given).stdout
    assert plain == call(model, "--no-capitals", given=given).stdout
    lines = call(folder, given=given).stdout.splitlines()
    cased = plain.replace("a", "à").replace("b", "B").replace("c", "Ç").splitlines()
    assert lines == [line[:1].upper() + line[1:] for line in cased]
    assert lines == Translator.from_pretrained(folder).translate(LINES, "en", "fr")
    without = Translator.from_pretrained(folder, capitals=False)
    assert without.translate(LINES, "en", "fr") == plain.splitlines()
