"""A training that was killed, or shared by processes, ends as one that ran through alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from xlmkit.core.files import sha256_file

STEPS = ["--set", "pretrain.steps=150", "--set", "pretrain.checkpoint_minutes=0.0001"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}


def command(folder: Path, verb: str, *arguments: str) -> list[str]:
    places = [str(folder / "recipe.yaml"), "--output", str(folder / "out")]
    return [sys.executable, "-m", "xlmkit", verb, *places, *arguments]


def finish(folder: Path, verb: str, *arguments: str) -> None:
    run_to_the_end(command(folder, verb, *arguments))


def run_to_the_end(command: list[str]) -> None:
    done = subprocess.run(
        command, env=ENVIRONMENT, check=False, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr


def wait_for(path: Path, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 100
    while not path.exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def checkpoint(folder: Path) -> Path:
    return folder / "out" / "pretrain" / ".both.partial" / "training.safetensors"


def weights(folder: Path) -> Path:
    return folder / "out" / "pretrain" / "both" / "model.safetensors"


def stop_after_a_checkpoint(folder: Path, number: signal.Signals) -> tuple[int, str]:
    """Start pretraining, send a signal once there is a checkpoint; return exit code and stderr."""
    with subprocess.Popen(
        command(folder, "run", *STEPS),
        env=ENVIRONMENT, start_new_session=True, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        wait_for(checkpoint(folder), process)
        process.send_signal(number)
        errors = process.stderr.read()
        return process.wait(timeout=100), errors


@pytest.fixture(scope="module")
def uninterrupted(_project: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The checksum of the weights that training without a pause ends with."""
    from xlmkit.run import prepare, pretrain

    out = tmp_path_factory.mktemp("uninterrupted")
    for verb in (prepare, pretrain):
        verb(_project / "recipe.yaml", STEPS[1::2], out, False)
    return sha256_file(out / "pretrain" / "both" / "model.safetensors")


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_stopped_pretraining_goes_on_bit_for_bit(
    project: Path, uninterrupted: str, number: signal.Signals
) -> None:
    code, errors = stop_after_a_checkpoint(project, number)
    if number == signal.SIGKILL:
        assert code == -signal.SIGKILL
    else:
        assert code == 130
        sentence = "Stopped; the same command goes on from the last checkpoint."
        assert errors.splitlines()[-1] == sentence
        assert "Traceback" not in errors
    assert checkpoint(project).is_file()
    assert not weights(project).exists()
    finish(project, "pretrain", *STEPS)
    assert sha256_file(weights(project)) == uninterrupted
    left = [path.name for path in (project / "out").rglob(".*")]
    assert left == []


def by_two_processes(command: list[str]) -> list[str]:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    return [command[0], *launcher, *command[1:]]


SHARED = ["--set", "pretrain.accumulate=2"]
SHARED += ["--set", "model.dropout=0", "--set", "model.attention_dropout=0"]


def test_two_processes_learn_what_one_learns(project: Path) -> None:
    short = [*SHARED, "--set", "pretrain.steps=20"]
    finish(project, "prepare", *short)
    run_to_the_end(by_two_processes(command(project, "pretrain", *short)))
    together = load_file(weights(project))
    finish(project, "pretrain", *short, "--force")
    alone = load_file(weights(project))
    assert together.keys() == alone.keys()
    for name, tensor in alone.items():
        assert abs(tensor - together[name]).max() < 1e-4, name


@pytest.mark.slow
def test_two_processes_are_stopped_together_and_go_on_bit_for_bit(project: Path) -> None:
    long = [*SHARED, *STEPS]
    finish(project, "prepare", *long)
    launch = by_two_processes(command(project, "pretrain", *long))
    run_to_the_end(launch)
    expected = sha256_file(weights(project))
    with subprocess.Popen(
        [*launch, "--force"],
        env=ENVIRONMENT, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        wait_for(checkpoint(project), process)
        process.send_signal(signal.SIGINT)
        errors = process.stderr.read()
        assert process.wait(timeout=100) != 0
    assert "Stopped; the same command goes on from the last checkpoint." in errors
    assert "mistake in xlmkit" not in errors
    assert checkpoint(project).is_file()
    run_to_the_end([*launch, "--force"])
    assert sha256_file(weights(project)) == expected


@pytest.mark.slow
def test_the_processes_of_a_run_end_together(project: Path) -> None:
    done = subprocess.run(
        by_two_processes(command(project, "pretrain")),  # without anything prepared
        env=ENVIRONMENT, check=False, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode != 0
    assert done.stderr.count("do xlmkit prepare first") == 1
    assert "mistake in xlmkit" not in done.stderr
