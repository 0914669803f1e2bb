import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from xlmkit.core.errors import UserError
from xlmkit.core.process import Processes, process_group

VARIABLES = [
    "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT",
    "SLURM_PROCID", "SLURM_NTASKS",
]  # fmt: skip


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_one_process_is_the_first_and_adds_nothing() -> None:
    with process_group() as processes:
        assert processes == Processes(0, 1)
        assert processes.first
        assert processes.on_this_machine == 1
        tensor = torch.tensor([2.0, 3.0])
        processes.sum(tensor)
        processes.barrier()
        assert tensor.tolist() == [2.0, 3.0]
    assert not Processes(1, 2).first


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"RANK": "one", "WORLD_SIZE": "2"}, "RANK or WORLD_SIZE is not a number"),
        ({"RANK": "0", "WORLD_SIZE": "2"}, "WORLD_SIZE is set but MASTER_ADDR is not"),
        ({"RANK": "2", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost"},
         "RANK is 2 but WORLD_SIZE is 2"),
        ({"RANK": "-1", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost"},
         "RANK is -1 but WORLD_SIZE is 2"),
    ],
)  # fmt: skip
def test_contradicting_variables_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], sentence: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=sentence), process_group():
        pass


def test_an_interactive_allocation_of_slurm_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.setenv("SLURM_NTASKS", "4")
    with process_group() as processes:
        assert processes == Processes()


_CODE = """
import sys
import torch
import torch.distributed as dist
from xlmkit.core.errors import UserError
from xlmkit.core.process import process_group

# A store in a file needs no free port.
start = dist.init_process_group
dist.init_process_group = lambda backend, **options: start(
    backend, init_method="file://" + sys.argv[1], **options
)
with process_group() as processes:
    tensor = torch.tensor([1.0 + processes.rank, 10.0], dtype=torch.float64)
    processes.sum(tensor)
    assert tensor.tolist() == [3.0, 20.0], tensor
    assert processes.on_this_machine == 2
    processes.barrier()
    if processes.first:
        sys.exit(7)
    try:
        processes.barrier()
    except UserError as error:
        print(error)
        sys.exit(5)
"""


def test_two_processes_add_and_one_notices_the_others_end(tmp_path: Path) -> None:
    common = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "localhost"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _CODE, str(tmp_path / "meeting")],
            env={**os.environ, **common, "RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    said = [process.communicate(timeout=100) for process in started]
    assert [process.returncode for process in started] == [7, 5], said
    assert said[1][0].startswith("Process 1 of 2 has lost the others; the first of them that")
    assert said[1][0].count("\n") == 1
