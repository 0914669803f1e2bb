"""A sweep that is killed leaves no process behind, and goes on where its trials were."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xlmkit.core.files import read_json

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]

_SOURCE = "kind: tsv, text: 0, language_column: 1, label_column: 2"
SETTINGS = [
    "data=null",
    f"finetune.kind.valid=[{{{_SOURCE}, path: test.tsv}}]",
    "finetune.kind.sweep={lr: [1.0e-3, 1.0e-2]}",
    "finetune.kind.epochs=10",
    "threads=2",
]
OFTEN = ["pretrain.checkpoint_minutes=1e-9"]


def command(folder: Path, out: str, verb: str, settings: list[str]) -> list[str]:
    ready = f"pretrain.models={{ready: {{checkpoint: {folder / 'out/pretrain/both'}}}}}"
    given = [part for one in (*settings, ready) for part in ("--set", one)]
    places = [str(folder / "recipe.yaml"), "--output", str(folder / out)]
    return [sys.executable, "-m", "xlmkit", verb, *places, *given]


def finish(folder: Path, out: str, verb: str, settings: list[str]) -> None:
    made = subprocess.run(
        command(folder, out, verb, settings), check=False, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr


def weights(folder: Path, out: str) -> bytes:
    return (folder / out / "finetune" / "ready" / "kind" / "model.safetensors").read_bytes()


def states(trials: Path) -> list[Path]:
    return list(trials.glob(".*.partial/trained/training.safetensors"))


def stop(folder: Path, number: signal.Signals) -> tuple[int, Path]:
    """Begin a sweep, and send a signal to its first process alone once both trials learn."""
    trials = folder / "stopped" / "finetune" / "ready" / "kind@trials"
    with subprocess.Popen(
        command(folder, "stopped", "finetune", SETTINGS + OFTEN),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 200
        while len(states(trials)) < 2 and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)  # the processes of the trials are not asked
        assert process.stderr is not None
        process.stderr.read()  # until nobody can write to it any more
    return process.returncode, trials


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_stopped_sweep_goes_on_exactly(finished: Path, number: signal.Signals) -> None:
    for out in ("whole", "stopped"):
        finish(finished, out, "pretrain", SETTINGS)
    finish(finished, "whole", "finetune", SETTINGS)
    code, trials = stop(finished, number)
    assert code == (-number if number == signal.SIGKILL else 130)
    assert len(states(trials)) == 2
    assert not (finished / "stopped" / "finetune" / "ready" / "kind").exists()
    finish(finished, "stopped", "finetune", SETTINGS + OFTEN)
    assert weights(finished, "stopped") == weights(finished, "whole")
    first, second = (
        read_json(finished / out / "finetune" / "ready" / "kind" / "figures.json")["trials"]
        for out in ("whole", "stopped")
    )
    assert first == second
