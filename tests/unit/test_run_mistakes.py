"""What a person does wrong, or a machine: exit code 1, one sentence, and the next run goes on."""

import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from xlmkit.cli.app import app
from xlmkit.core.files import read_json, sha256_file
from xlmkit.objectives.config import MlmConfig
from xlmkit.prepare import check_text

MOUNT, UNMOUNT = [shutil.which("mount") or ""], [shutil.which("umount") or ""]


def call(folder: Path, verb: str, *settings: str, output: Path | None = None) -> Result:
    words = [word for setting in settings for word in ("--set", setting)]
    out = str(output or folder / "out")
    recipe = str(folder / "recipe.yaml")
    return CliRunner().invoke(app, [verb, recipe, "--output", out, *words])


def refused(result: Result) -> str:
    """Return the one sentence with which a command ended."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)  # and so no traceback
    lines = result.stderr.splitlines()
    assert [line for line in lines if line.startswith("xlmkit: error: ")] == lines[-1:]
    assert lines[-1].endswith((".", "?"))
    assert "mistake in xlmkit" not in result.stderr
    return lines[-1].removeprefix("xlmkit: error: ")


def test_an_empty_file(project: Path) -> None:
    (project / "text.zh").write_bytes(b"")
    path = project / "text.zh"
    assert refused(call(project, "run")).startswith(f"{path} is empty; ")


def test_a_file_that_is_not_utf8(project: Path) -> None:
    path = project / "text.ar"
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1256"))
    sentence = refused(call(project, "run"))
    assert sentence.startswith(f"{path} is not UTF-8: 300 of its 300 lines cannot be decoded; ")


def test_a_table_that_is_not_utf8(project: Path) -> None:
    path = project / "test.tsv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
    assert refused(call(project, "run")).startswith(f"finetune.kind: {path} is not UTF-8")
    assert not (project / "out" / "pretrain").exists()  # seen before hours of training


def test_files_of_different_lengths(project: Path) -> None:
    with (project / "text.en").open("a", encoding="utf-8") as stream:
        stream.write("One more dog.\n")
    sentence = refused(call(project, "run"))
    assert sentence.startswith("Line-aligned files need the same number of lines, but ")
    assert f"{project / 'text.en'} has 301" in sentence
    assert f"{project / 'text.zh'} has 300" in sentence


@pytest.mark.parametrize("name", ["text.zh", "train.tsv"])
def test_a_missing_file_is_told_before_anything_is_done(project: Path, name: str) -> None:
    (project / name).unlink()
    assert refused(call(project, "run")) == f"There is no file {project / name}."
    assert not (project / "out" / "corpus").exists()


def test_a_folder_in_the_place_of_a_file(project: Path) -> None:
    (project / "text.zh").unlink()
    (project / "text.zh").mkdir()
    assert refused(call(project, "run")) == f"{project / 'text.zh'} is a folder, a file is needed."


@pytest.mark.parametrize("kind", ["folder", "missing", "empty", "list", "binary"])
def test_a_recipe_that_is_none(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "recipe.yaml"
    match kind:
        case "folder":
            path.mkdir()
            expected = f"{path} is a folder, a YAML file is needed."
        case "missing":
            expected = f"There is no file {path}."
        case "empty":
            path.write_text("# nothing\n", encoding="utf-8")
            expected = f"{path} is empty; it should say what to do."
        case "list":
            path.write_text("- a\n", encoding="utf-8")
            expected = f"{path}:1: a recipe is made of sections such as 'model:'."
        case _:
            path.write_bytes(b"name: \xff\xfe\n")
            expected = f"{path}:1: the file is not UTF-8; save it as UTF-8."
    assert refused(call(tmp_path, "run")) == expected


def test_an_output_that_is_a_file(project: Path) -> None:
    out = project / "text.en"
    expected = f"{out} is a file; name a folder for the results with --output."
    assert refused(call(project, "run", output=out)) == expected
    below = refused(call(project, "run", output=out / "deeper"))
    assert below == f"Cannot write {out / 'deeper' / 'recipe.yaml'}: Not a directory."


def test_an_output_that_must_not_be_written(project: Path) -> None:
    with mounted(project / "fixed", "ro"):
        sentence = refused(call(project, "run", output=project / "fixed" / "out"))
    assert re.fullmatch(r"Cannot write .*recipe.yaml: Read-only file system\.", sentence)


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Mount a small file system, where that is allowed."""
    folder.mkdir()
    mount = [*MOUNT, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if not MOUNT[0] or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a file system is not allowed here")
    try:
        yield
    finally:
        subprocess.run([*UNMOUNT, str(folder)], check=True)


@pytest.mark.parametrize("kilobytes", [12, 60, 140, 220, 320, 420])
def test_a_full_disk_is_one_sentence_and_the_next_run_goes_on(
    project: Path, kilobytes: int
) -> None:
    out = project / "small"
    with mounted(out, f"size={kilobytes}k"):
        sentence = refused(call(project, "run", output=out))
        assert "disk is full" in sentence or "No space left on device" in sentence
        assert "free some space and run again" in sentence
        subprocess.run([*MOUNT, "-o", "remount,size=16m", str(out)], check=True)
        again = call(project, "run", output=out)
        assert again.exit_code == 0, again.output
        assert (out / "report.html").is_file()


def test_a_full_disk_where_nothing_can_be_mounted(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_room)
        sentence = refused(call(project, "run"))
    assert sentence.startswith("The disk is full: ")
    assert list((project / "out").rglob("*")) == []
    assert call(project, "prepare").exit_code == 0


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("finetune={mine: {}}",
         "finetune.mine: There are 0 different labels in en to learn from, at least two are "
         "needed; give `label` in a source of data, or train and test files."),
        ("finetune.kind.source_languages=[zh]",
         "finetune.kind: There are 0 different labels in zh to learn from, at least two are "
         "needed; there are labels in en: name them in source_languages, or give `label` in a "
         "source of data, or train and test files."),
        ("data.sources=[{kind: text, path: text.en, language: en}, {kind: text, path: text.zh, "
         "language: zh}, {kind: text, path: text.ar, language: ar}]",
         "pretrain.models.both.tlm learns from translations, but no training text has any; give "
         "parallel sources in data, or take tlm out."),
        ("pretrain.models.both.mlm={form: stream, length: 64}", None),
        ("languages=[en, zh, ar, sw]", "There is no text in sw to learn a vocabulary from."),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_before_training(
    project: Path, setting: str, sentence: str | None
) -> None:
    if sentence is None:
        for code in ("en", "zh", "ar"):  # too little for one stream
            lines = (project / f"text.{code}").read_text(encoding="utf-8").splitlines()[:2]
            (project / f"text.{code}").write_text("\n".join(lines) + "\n", encoding="utf-8")
        said = refused(call(project, "run", setting))
        start = "pretrain.models.both.mlm cuts text into streams of 64 tokens, but no language has"
        assert said.startswith(start)
    else:
        assert refused(call(project, "run", setting)) == sentence
    assert not (project / "out" / "pretrain").exists()


@pytest.mark.parametrize("form", ["sentence", "text"])
def test_single_texts_may_all_be_short(form: Any) -> None:
    shards: Any = None  # is not looked at
    check_text("pretrain.models.m.mlm", MlmConfig(form=form, length=64), shards)


def test_translations_without_the_pivot(project: Path) -> None:
    sources = "data.sources=[{kind: parallel, paths: {zh: text.zh, ar: text.ar}}, "
    sources += "{kind: text, path: text.en, language: en}]"
    sentence = refused(call(project, "run", sources, "pretrain.models.both.tlm.pivot=en"))
    assert sentence == (
        "pretrain.models.both.tlm learns from translations, but no training text has any with en; "
        "give parallel sources in data, or take tlm out."
    )


def test_only_one_class(project: Path) -> None:
    path = project / "train.tsv"
    path.write_text(path.read_text(encoding="utf-8").replace("machine", "animal"), "utf-8")
    sentence = refused(call(project, "run"))
    assert sentence.startswith("finetune.kind: There are 1 different labels in en to learn from")


def test_a_file_that_is_learned_and_tested_on_is_told_once(project: Path) -> None:
    source = "[{kind: tsv, path: test.tsv, text: 0, language_column: 1, label_column: 2}]"
    told = "finetune.kind: test.tsv is learned and tested on"
    result = call(project, "run", f"finetune.kind.train={source}")
    assert result.exit_code == 0, result.output
    assert result.stderr.count(told) == 1
    shutil.rmtree(project / "out")
    assert told not in call(project, "run").stderr


def test_labels_never_learned_or_missing_are_left_out_and_told(project: Path) -> None:
    path = project / "test.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[0] = lines[0].rsplit("\t", 1)[0] + "\tplant"
    lines.append("更多\tzh\t")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = call(project, "run")
    assert result.exit_code == 0, result.output
    told = "Test texts whose labels were never learned are left out: plant (1) in en,"
    assert result.stderr.count(told) == 1
    task = read_json(project / "out" / "results.json")["models"]["both"]["tasks"]["kind"]
    assert task["bad_input"] == {"test": {"zh": {"no label": 1}}}
    page = (project / "out" / "report.html").read_text(encoding="utf-8")
    assert "Damaged or odd in the test files: 1 in Chinese (no label: 1)." in page
    assert {code: part["n"] for code, part in task["languages"].items()} == {
        "en": 39, "zh": 40, "ar": 40,
    }  # fmt: skip


def test_no_test_text_has_a_label_that_was_learned(project: Path) -> None:
    path = project / "test.tsv"
    text = path.read_text(encoding="utf-8").replace("machine", "plant").replace("animal", "fungus")
    path.write_text(text, encoding="utf-8")
    sentence = refused(call(project, "run"))
    assert sentence.startswith("finetune.kind: ")
    assert not (project / "out" / "pretrain").exists()


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel in a folder that pip takes for its only index."""
    path = tmp_path / "index" / "greeter-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "greeter/locale/ar/LC_MESSAGES/greeter.po",
            'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
            'msgid "Good morning"\nmsgstr "صباح الخير"\n',
        )
        info = "greeter-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: greeter\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    monkeypatch.setenv("XLMKIT_CACHE", str(tmp_path / "cache"))
    return path


def with_wheel(sha256: str) -> str:
    return (
        "data.sources=[{kind: parallel, paths: {en: text.en, zh: text.zh, ar: text.ar}}, "
        f"{{kind: wheel, package: greeter, version: '1.0', sha256: '{sha256}'}}]"
    )


def test_a_wheel_with_another_hash(project: Path, wheel: Path) -> None:
    pytest.importorskip("pip")
    sentence = refused(call(project, "prepare", with_wheel("0f" * 32)))
    assert sentence.startswith("The wheel of greeter 1.0 has another SHA-256 than the recipe says")
    assert sha256_file(wheel) in sentence
    assert not (project / "out" / "corpus").exists()
    good = call(project, "prepare", with_wheel(sha256_file(wheel)))
    assert good.exit_code == 0, good.output
    wheel.unlink()  # from now on the cache must do
    assert call(project, "prepare", with_wheel(sha256_file(wheel_in_cache(project)))).exit_code == 0


def wheel_in_cache(project: Path) -> Path:
    return next((project.parent / "cache" / "wheels").glob("*.whl"))


@pytest.mark.usefixtures("wheel")
def test_no_network(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pip")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    sentence = refused(call(project, "prepare", with_wheel("0f" * 32)))
    assert sentence == (
        "The wheel of greeter 1.0 could not be fetched: the package index cannot be reached; "
        "connect to the network, or set PIP_INDEX_URL to a mirror."
    )


def test_pip_is_not_asked_for_what_the_recipe_has_not(project: Path) -> None:
    assert call(project, "prepare").exit_code == 0
    assert not (project.parent / "cache").exists()
