"""A recipe that lets a compiler take the layers."""

from pathlib import Path
from typing import Any

import pytest
import torch

from xlmkit.core.errors import UserError
from xlmkit.run import run


def test_what_is_pretrained_is_compiled_and_its_first_step_told(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compiled: list[Any] = []

    def keep(function: Any) -> Any:
        compiled.append(function)
        return function

    monkeypatch.setattr(torch, "compile", keep)
    run(project / "recipe.yaml", ["pretrain.compile=true"], project / "out", False)
    assert [function.__name__ for function in compiled] == ["run"]  # of the one that is trained
    told = capsys.readouterr()
    line = "pretraining MLM + TLM: the first step, with its compilation, took "
    assert (told.out + told.err).count(line) == 1


def test_a_missing_compiler_ends_a_run_only_where_something_would_be_compiled(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    without = ["pretrain.compile=true", "pretrain.models={none: {title: No pretraining}}"]
    run(finished / "recipe.yaml", without, finished / "out", False)
    with pytest.raises(UserError, match="needs a compiler"):
        run(finished / "recipe.yaml", ["pretrain.compile=true"], finished / "out", False)
