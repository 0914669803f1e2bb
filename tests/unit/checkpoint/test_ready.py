"""Ready checkpoints are found in folders and in the hub's cache, and known by what they hold."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import errors

from xlmkit.checkpoint.ready import find_checkpoint
from xlmkit.core.errors import UserError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "config.json": json.dumps({"model_type": "bert"}),
    "model.safetensors": "weights",
    "tokenizer.json": "{}",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, and no way to the hub itself."""
    folder = tmp_path / "cache"
    folder.mkdir()
    fetch = huggingface_hub.snapshot_download

    def from_here(name: str, **choices: Any) -> str:
        return fetch(name, cache_dir=folder, **choices)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", from_here)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return folder


def put_into_cache(cache: Path, files: dict[str, str], commit: str = COMMIT) -> Path:
    model = cache / "models--some--model"
    write(model / "refs", {"main": commit})
    return write(model / "snapshots" / commit, files)


def test_a_folder_is_known_by_all_that_is_read_of_it_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "model", FILES)
    found = find_checkpoint("model", None, tmp_path)
    assert (found.folder, found.model_type) == (tmp_path / "model", "bert")
    versions = {found.version}
    for name in FILES:
        changed = FILES[name].replace("bert", "roberta") + " "
        write(tmp_path / "model", {**FILES, name: changed})
        versions.add(find_checkpoint("model", None, tmp_path).version)
    assert len(versions) == 4
    records = {"stage.json": "{}", "figures.json": "{}", "README.md": "x"}
    write(tmp_path / "model", {**FILES, **records})
    assert find_checkpoint("model", None, tmp_path) == found


def test_a_model_of_the_hub_is_taken_from_the_cache_and_known_by_its_commit(
    tmp_path: Path, cache: Path
) -> None:
    folder = put_into_cache(cache, FILES)
    found = find_checkpoint("some/model", None, tmp_path)
    assert (found.folder, found.version) == (folder, COMMIT)
    assert find_checkpoint("some/model", COMMIT, tmp_path) == found
    assert found.to_json() == {"name": "some/model", "version": COMMIT, "model_type": "bert"}


def test_a_folder_of_the_same_name_goes_first(tmp_path: Path, cache: Path) -> None:
    put_into_cache(cache, FILES)
    write(tmp_path / "some" / "model", FILES)
    assert find_checkpoint("some/model", None, tmp_path).folder == tmp_path / "some" / "model"


@pytest.mark.parametrize(
    "missing", ["config.json", "model.safetensors", "tokenizer.json", "model-2.safetensors"]
)
def test_a_fetch_that_was_cut_short_does_not_count(
    tmp_path: Path, cache: Path, missing: str
) -> None:
    index = json.dumps({"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}})
    files = {**FILES, "model-2.safetensors": "more", "model.safetensors.index.json": index}
    put_into_cache(cache, {name: text for name, text in files.items() if name != missing})
    with pytest.raises(UserError, match="HF_HUB_OFFLINE is set"):
        find_checkpoint("some/model", None, tmp_path)
    put_into_cache(cache, files)
    find_checkpoint("some/model", None, tmp_path)


def hub(
    monkeypatch: pytest.MonkeyPatch, cache: Path, names: list[str]
) -> Callable[[], list[list[str]]]:
    """Stand in for the hub; the result tells which files were asked for, in which order."""
    asked: list[list[str]] = []
    before = huggingface_hub.snapshot_download

    def download(
        name: str,
        revision: str | None = None,
        allow_patterns: list[str] | None = None,
        local_files_only: bool = False,
    ) -> str:
        if local_files_only:
            return before(name, revision=revision, local_files_only=True)
        assert allow_patterns is not None
        asked.append(allow_patterns)
        return str(put_into_cache(cache, {file: FILES.get(file, "{}") for file in allow_patterns}))

    def info(*_: Any, **__: Any) -> Any:
        return SimpleNamespace(siblings=[SimpleNamespace(rfilename=n, size=1) for n in names])

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", info)
    return lambda: asked


def test_only_what_is_needed_is_fetched_once_and_the_weights_last(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    others = ["README.md", "pytorch_model.bin", "tf_model.h5", "onnx/model.onnx", "modeling.py"]
    asked = hub(monkeypatch, cache, [*others, *FILES, "spm.model"])
    found = find_checkpoint("some/model", None, tmp_path)
    expected = [["config.json", "tokenizer.json", "spm.model"], ["model.safetensors"]]
    assert asked() == expected
    assert "Fetching some/model from the Hugging Face Hub (0 MB)." in capsys.readouterr().err
    assert find_checkpoint("some/model", None, tmp_path) == found
    assert asked() == expected


def test_older_weights_are_fetched_where_there_are_no_others(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = hub(monkeypatch, cache, ["config.json", "tokenizer.json", "pytorch_model.bin"])
    find_checkpoint("some/model", None, tmp_path)
    assert asked()[1] == ["pytorch_model.bin"]


def test_a_model_without_weights_for_torch(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub(monkeypatch, cache, ["config.json", "tokenizer.json", "tf_model.h5"])
    with pytest.raises(UserError, match=r"some/model of the Hugging Face Hub has no model.safet"):
        find_checkpoint("some/model", None, tmp_path)


def response(kind: type[errors.HfHubHTTPError]) -> errors.HfHubHTTPError:
    return kind("no", response=SimpleNamespace(headers={}, request=None, status_code=404))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (response(errors.RepositoryNotFoundError), "it has no such model"),
        (response(errors.GatedRepoError), "its owner asks for agreement"),
        (response(errors.RevisionNotFoundError), "it has no revision v2"),
        (errors.OfflineModeIsEnabled("off"), "HF_HUB_OFFLINE is set"),
        (errors.HfHubHTTPError.__bases__[0]("no route"), "it cannot be reached"),
        (ConnectionResetError("reset"), "it cannot be reached"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_why_a_model_cannot_be_fetched(
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    reason: str,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", fail)
    with pytest.raises(UserError) as caught:
        find_checkpoint("some/model", "v2", tmp_path)
    assert str(caught.value).startswith(
        f"There is no folder {tmp_path / 'some/model'}, and the model some/model cannot be "
        f"fetched from the Hugging Face Hub: {reason}"
    )


@pytest.mark.parametrize(
    ("name", "revision", "sentence"),
    [
        ("runs/earlier/pretrain/model", None, "There is no folder {here}/runs/earlier/pretrain/m"),
        ("./model", None, "There is no folder {here}/model."),
        ("a file", None, "{here}/a file is a file; name a model's folder"),
        ("whole", "main", "{here}/whole is a folder and has no revision main; leave it out."),
        ("empty", None, "{here}/empty has no config.json; is it a model's folder?"),
        ("none", None, "{here}/none/config.json does not say which family of models it is for"),
        ("list", None, "{here}/list/config.json does not say which family of models it is for"),
        ("damaged", None, "{here}/damaged/config.json is not valid JSON"),
    ],
)
def test_what_is_no_checkpoint(
    tmp_path: Path, name: str, revision: str | None, sentence: str
) -> None:
    write(tmp_path, {"a file": ""})
    write(tmp_path / "whole", FILES)
    for folder, text in (("none", "{}"), ("list", "[]"), ("damaged", "{")):
        write(tmp_path / folder, {**FILES, "config.json": text})
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError) as caught:
        find_checkpoint(name, revision, tmp_path)
    assert str(caught.value).startswith(sentence.format(here=tmp_path))
