import errno
import io
import json
import re
import resource
import subprocess
import sys
import types
from pathlib import Path

import pytest
import torch
from pydantic import ConfigDict
from typer.testing import CliRunner

import xlmkit
from xlmkit.cli.app import VERBS, app, main
from xlmkit.core.config import Config
from xlmkit.core.errors import UserError

ALL_VERBS = ["run", *VERBS, "schema"]
RECIPE_VERBS = ["run", *VERBS]


class Recipe(Config):
    model_config = ConfigDict(title="Recipe")

    name: str = "été"
    """What the run is called."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """Put a module that notes its calls in the place of `xlmkit.run`."""
    calls: list[tuple] = []
    module = types.ModuleType("xlmkit.run")
    module.Recipe = Recipe
    for verb in RECIPE_VERBS:
        name = verb.replace("-", "_")
        setattr(module, name, lambda *arguments, name=name: calls.append((name, *arguments)))
    monkeypatch.setitem(sys.modules, "xlmkit.run", module)
    return calls


@pytest.fixture
def run_with(calls, monkeypatch: pytest.MonkeyPatch):
    """Call `xlmkit run r.yaml` with a `run` that raises."""

    def run_with(error: BaseException):
        def run(*_: object) -> None:
            sys.stdout.write("half a result\n")
            raise error

        monkeypatch.setattr(sys.modules["xlmkit.run"], "run", run)
        return CliRunner().invoke(app, ["run", "r.yaml"])

    return run_with


@pytest.mark.parametrize("verb", RECIPE_VERBS)
def test_a_verb_hands_on_what_it_was_given(calls, verb: str) -> None:
    arguments = ["--set", "a.b=1", "--set", "c=[x, y]", "--output", "out"]
    result = CliRunner().invoke(app, [verb, "recipes/r.yaml", *arguments])
    assert result.exit_code == 0, result.output
    function = verb.replace("-", "_")
    assert calls == [(function, Path("recipes/r.yaml"), ["a.b=1", "c=[x, y]"], Path("out"), False)]


@pytest.mark.parametrize("verb", RECIPE_VERBS)
def test_a_verb_needs_nothing_but_a_recipe(calls, verb: str) -> None:
    assert CliRunner().invoke(app, [verb, "r.yaml"]).exit_code == 0
    assert calls == [(verb.replace("-", "_"), Path("r.yaml"), [], None, False)]
    assert CliRunner().invoke(app, [verb]).exit_code == 2


def test_force_is_handed_on(calls) -> None:
    CliRunner().invoke(app, ["run", "r.yaml", "--force"])
    assert calls == [("run", Path("r.yaml"), [], None, True)]


def test_schema_is_json_with_help(calls) -> None:
    result = CliRunner().invoke(app, ["schema"])
    name = json.loads(result.stdout)["properties"]["name"]
    assert name["description"] == "What the run is called."
    assert name["default"] == "été"


def test_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"xlmkit {xlmkit.__version__}\n")


def test_a_mistake_of_the_user_is_one_sentence(run_with) -> None:
    result = run_with(UserError("r.yaml:3: model has no key 'droput'."))
    assert result.exit_code == 1
    assert result.stderr == "xlmkit: error: r.yaml:3: model has no key 'droput'.\n"
    assert result.stdout == "half a result\n"


def test_ctrl_c_says_how_to_go_on(run_with) -> None:
    result = run_with(KeyboardInterrupt())
    assert result.exit_code == 130
    assert result.stderr == "Stopped; the same command goes on from the last checkpoint.\n"


def test_a_full_disk_is_one_sentence(run_with) -> None:
    result = run_with(OSError(errno.ENOSPC, "No space left on device", "model.safetensors"))
    assert result.exit_code == 1
    assert result.stderr == (
        "xlmkit: error: model.safetensors: No space left on device; "
        "free some space and run again.\n"
    )


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), OSError(errno.EIO, "I/O error")])
def test_a_mistake_of_ours_asks_for_a_report_and_passes_on(run_with, error: Exception) -> None:
    result = run_with(error)
    assert result.exception is error
    assert result.stderr.startswith(f"xlmkit: this is a mistake in xlmkit {xlmkit.__version__}")
    assert "please report it" in result.stderr


def _python(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60
    )


def test_a_traceback_stands_behind_the_request_to_report_it() -> None:
    result = _python(
        "import sys, types; run = types.ModuleType('xlmkit.run'); run.run = lambda *a: 1 / 0;"
        "sys.modules['xlmkit.run'] = run; sys.argv = ['xlmkit', 'run', 'r.yaml'];"
        "from xlmkit.cli.app import main; main()"
    )
    lines = result.stderr.splitlines()
    assert result.returncode == 1
    assert "please report it" in lines[0]
    assert lines[1].startswith("Traceback")
    assert lines[-1].startswith("ZeroDivisionError")


def test_output_is_utf_8_and_keeps_how_errors_are_handled(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="surrogateescape")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr("xlmkit.cli.app.app", lambda: stream.write("é\udcff\n"))
    main()
    stream.flush()
    assert stream.buffer.getvalue() == b"\xc3\xa9\xff\n"


def test_a_reader_that_goes_away_is_no_mistake() -> None:
    code = (
        "import sys, types; run = types.ModuleType('xlmkit.run');"
        "run.run = lambda *a: [print('x' * 999) for _ in range(9999)];"
        "sys.modules['xlmkit.run'] = run; sys.argv = ['xlmkit', 'run', 'r.yaml'];"
        "from xlmkit.cli.app import main; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait(timeout=60) == 141
    assert errors == b""


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("arguments", [[], *([verb] for verb in ALL_VERBS)], ids=str)
def test_help_comes_at_once(arguments: list[str]) -> None:
    """Half a second is promised; processor time is measured, since the machine may be busy."""
    seconds, result = [], None
    for _ in range(5):
        began = _children_seconds()
        result = _python(
            f"import sys; sys.argv = ['xlmkit', *{arguments}, '--help'];"
            "from xlmkit.cli.app import main; main()"
        )
        seconds.append(_children_seconds() - began)
        if seconds[-1] < 0.5:
            break
    assert result.returncode == 0, result.stderr
    assert "Usage: xlmkit" in result.stdout
    assert min(seconds) < 0.5


@pytest.mark.parametrize(
    "code",
    [
        "import xlmkit; xlmkit.__version__; dir(xlmkit)",
        "import xlmkit.cli.app; from typer.testing import CliRunner;"
        "assert CliRunner().invoke(xlmkit.cli.app.app, ['run', '--help']).exit_code == 0",
    ],
    ids=["import", "help"],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(code: str) -> None:
    heavy = "{'torch', 'numpy', 'transformers', 'tokenizers', 'yaml', 'xlmkit.run'}"
    result = _python(f"{code}; import sys; print({heavy} & set(sys.modules))")
    assert result.stdout == "set()\n", result.stderr


def test_every_public_name_can_be_loaded() -> None:
    for name in xlmkit.__all__:
        assert getattr(xlmkit, name) is getattr(xlmkit, name)
        assert name in dir(xlmkit)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=re.escape("module 'xlmkit' has no attribute 'Nmae'")):
        _ = xlmkit.Nmae


def test_a_full_gpu_is_one_sentence(run_with) -> None:
    result = run_with(torch.OutOfMemoryError("CUDA out of memory."))
    assert result.exit_code == 1
    assert result.stderr.startswith("xlmkit: error: the GPU has not enough memory; lower tokens_")


def test_ctrl_c_of_a_command_that_begins_again_promises_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("xlmkit.inference.word_files.fill_mask", stopped)
    result = CliRunner().invoke(app, ["fill-mask", "model", "-l", "en"])
    assert (result.exit_code, result.stderr) == (130, "Stopped.\n")
