import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from xlmkit.core import machine
from xlmkit.core.machine import describe_machine, usable_cores


def test_everything_that_a_result_depends_on_is_named() -> None:
    machine = describe_machine()
    assert machine["processor"]
    assert machine["cores"] == usable_cores() >= 1
    assert machine["memory_gib"] > 0
    assert machine["python"] == ".".join(map(str, sys.version_info[:3]))
    assert machine["torch"] == version("torch")
    assert machine["numpy"] == version("numpy")
    assert machine["tokenizers"] == version("tokenizers")
    assert machine["transformers"] == version("transformers")


def test_an_installed_package_is_described_without_loading_it() -> None:
    code = (
        "import sys; from xlmkit.core.machine import describe_machine; describe_machine();"
        "sys.exit(bool({'torch', 'numpy', 'tokenizers', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("files", "granted"),
    [
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "1000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, 64),
        ({"cpu.max": "9900000 100000\n"}, 64),
        ({"cpu/cpu.cfs_quota_us": "250000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 64),
        ({}, 64),
    ],
)
def test_a_quota_of_time_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str], granted: int
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "ascii")
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)), raising=False)
    assert usable_cores() == granted
