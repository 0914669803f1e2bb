import os
import platform
import resource
import subprocess
import sys

import pytest
import torch

from xlmkit.core.device import (
    bound_shape_cache,
    choose_device,
    choose_dtype,
    share_the_processor,
    tune_allocator,
)
from xlmkit.core.errors import UserError

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def test_the_device_is_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for available, device in ((True, GPU), (False, CPU)):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=available: there)
        assert choose_device() == device


@pytest.mark.parametrize("device", [CPU, GPU], ids=str)
def test_a_precision_by_name_is_taken_at_its_word(device: torch.device) -> None:
    assert choose_dtype("float32", device) == torch.float32
    assert choose_dtype("bfloat16", device) == torch.bfloat16


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(UserError, match="no precision 'int4'; take auto, float32 or bfloat16"):
        choose_dtype("int4", CPU)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("avx512", "amx", "dtype"),
    [
        (False, False, torch.float32),
        (True, False, torch.bfloat16),
        (False, True, torch.bfloat16),
    ],
)
def test_auto_asks_what_the_processor_can(
    monkeypatch: pytest.MonkeyPatch, avx512: bool, amx: bool, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert choose_dtype("auto", CPU) == dtype


@pytest.mark.parametrize(("fast", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_asks_what_the_gpu_can_without_emulation(
    monkeypatch: pytest.MonkeyPatch, fast: bool, dtype: torch.dtype
) -> None:
    def supported(*, including_emulation: bool) -> bool:
        return fast or including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert choose_dtype("auto", GPU) == dtype


@pytest.mark.parametrize("library", [None, "libm.so.6"])
def test_another_c_library_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, library: str | None
) -> None:
    """Where there is no mallopt nothing happens; libm stands for a C library without it."""
    monkeypatch.setattr("ctypes.util.find_library", lambda name: library)

    class Bare:
        def __init__(self, name: str) -> None:
            assert name == library

    monkeypatch.setattr("ctypes.CDLL", Bare)
    tune_allocator()


_CODE = """
import resource, statistics, sys
import torch
from xlmkit.core.device import tune_allocator

if sys.argv[1] == "tuned":
    tune_allocator()
for mebibytes in (8, 64):
    weight = torch.ones(mebibytes << 18, requires_grad=True)

    def fill():
        torch.empty(mebibytes << 18).fill_(1)

    def backward():
        weight.grad = None
        (weight * 2).sum().backward()

    for use in (fill, backward):
        faults = []
        for _ in range(25):  # at first blocks do not lie so that all freed ones fit again
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            use()
            faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
        print(statistics.median(faults))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is glibc's")
def test_freed_memory_is_used_again_afterwards() -> None:
    """What autograd allocates counts, too, in whatever thread it does so."""
    faults = {
        how: [
            int(line)
            for line in subprocess.check_output([sys.executable, "-c", _CODE, how]).split()
        ]
        for how in ("tuned", "plain")
    }
    pages_of_64 = (64 << 20) // resource.getpagesize()
    assert max(faults["tuned"]) < pages_of_64 / 16
    assert min(faults["plain"][2:]) >= pages_of_64  # mapped anew at each use


_SHAPES = """
import torch
from xlmkit.core.device import bound_shape_cache

bound_shape_cache()
torch.set_num_threads(1)

def mebibytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 >> 20

for rows in range(1500, 1650):
    if rows == 1580:
        before = mebibytes()
    states = torch.randn(rows, 1024, requires_grad=True)
    torch.nn.functional.gelu(states).sum().backward()
print(mebibytes() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux tells of a process")
def test_ever_new_shapes_of_batches_take_no_more_memory() -> None:
    """Seventy shapes took 400 MB where oneDNN computes GELU."""
    assert int(subprocess.check_output([sys.executable, "-c", _SHAPES])) < 100


def test_shapes_are_remembered_as_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "7")
    bound_shape_cache()
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "7"


def test_waiting_threads_sleep_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    share_the_processor()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    share_the_processor()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
