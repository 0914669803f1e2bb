"""Two processes learn what one learns, and stop and save after the same steps."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from xlmkit.data.shards import Shards

STEPS = 12
# Dropout differs between ranks, so there is none. The second process's clock stands still: only
# the first finds that it is time for a checkpoint.
PROGRAM = f"""
import os, signal, sys
from pathlib import Path
from types import SimpleNamespace

import torch
from safetensors.torch import save_file

from xlmkit.core.process import process_group
from xlmkit.data.shards import Shards
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.config import MlmConfig
from xlmkit.objectives.mlm import MaskedLanguageModeling
from xlmkit.train import hooks
from xlmkit.train.config import OptimizerConfig
from xlmkit.train.loop import Plan
from xlmkit.train.session import Session

folder, shards, stop_at = Path(sys.argv[1]), Shards(Path(sys.argv[2])), int(sys.argv[3])
torch.set_num_threads(1)


class Stopping(MaskedLanguageModeling):
    losses = 0

    def loss(self, model, batch):
        Stopping.losses += 1
        if Stopping.losses == stop_at:
            signal.raise_signal(signal.SIGTERM)
        return super().loss(model, batch)


with process_group() as processes:
    if processes.rank == 1:
        hooks.time = SimpleNamespace(monotonic=lambda: 0.0)
    if not processes.first:
        stop_at = 0
    torch.manual_seed(0)
    model = LanguageModel(
        Architecture(
            n_words=38, n_langs=2, n_layers=1, emb_dim=16, n_heads=2, dropout=0.0,
            attention_dropout=0.0,
        )
    )
    objective = Stopping.mlm(MlmConfig(length=16), shards, split="train", tokens=128, seed=1)
    session = Session(
        title="both", plan=Plan([objective], [1.0], {STEPS}, accumulate=3, seed=2),
        optimizer=OptimizerConfig(lr=1e-2, warmup=3), dtype=torch.float32, folder=folder,
        key="key", checkpoint_seconds=1e-9, points=4, estimated_tokens=1000,
    )
    try:
        state, weights = session.run(model, processes)
    except KeyboardInterrupt:
        sys.exit(130)
    weights["curve"] = torch.tensor([p["loss"] for p in state.curve], dtype=torch.float64)
    weights["tokens"] = torch.tensor(state.tokens)
    weights = {{name: value.clone() for name, value in weights.items()}}
    save_file(weights, folder / f"rank{{processes.rank}}.safetensors")
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def launch(folder: Path, shards: Shards, size: int, stop_at: int = 0) -> list[int]:
    """Run the program in so many processes and return their exit codes."""
    folder.mkdir(exist_ok=True)
    environment = os.environ | {
        "WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-c", PROGRAM, str(folder), str(shards.folder), str(stop_at)]
    running = [
        subprocess.Popen(command, env=environment | {"RANK": str(rank)}) for rank in range(size)
    ]
    try:
        return [process.wait(timeout=90) for process in running]
    finally:
        for process in running:
            process.kill()


def results(folder: Path, size: int) -> list[dict[str, Tensor]]:
    return [load_file(folder / f"rank{rank}.safetensors") for rank in range(size)]


def assert_close(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert set(found) == set(expected)
    for name, value in expected.items():
        if "k_lin.bias" not in name:  # its gradient is rounding alone, which Adam makes large
            torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-4, msg=name)
    assert found["tokens"] == expected["tokens"]


def test_two_processes_stop_together_and_one_goes_on_as_one_alone(
    shards: Shards, tmp_path: Path
) -> None:
    assert launch(tmp_path / "alone", shards, 1) == [0]
    alone = results(tmp_path / "alone", 1)[0]
    assert len(alone["curve"]) == 4
    assert launch(tmp_path / "both", shards, 2, stop_at=17) == [130, 130]  # in the ninth step
    assert launch(tmp_path / "both", shards, 1) == [0]
    assert_close(results(tmp_path / "both", 1)[0], alone)
