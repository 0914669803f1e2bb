"""What a result was computed with: it stands beside every number that is kept."""

import math
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_PACKAGES = ("xlmkit", "torch", "numpy", "tokenizers", "transformers")


def describe_machine() -> dict[str, str | int | float]:
    """Return processor, cores, memory in GiB, system and the versions that results depend on."""
    return {
        "processor": processor_name(),
        "cores": usable_cores(),
        "memory_gib": round(memory_bytes() / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **package_versions(),
    }


def processor_name() -> str:
    """Return the name of the processor, as its maker gives it where the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model", "cpu model"):
                return value.strip()
    return platform.processor() or platform.machine()


def usable_cores() -> int:
    """Return how many logical cores this process may use, or how many a quota of time amounts to.

    A part of a core counts as one.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(cores, _quota())


def _quota() -> int:
    """Return how many cores' time the control group grants, of either version of groups."""
    found = _words("cpu.max") or [
        *_words("cpu/cpu.cfs_quota_us"),
        *_words("cpu/cpu.cfs_period_us"),
    ]
    if len(found) != 2 or not all(word.isdecimal() for word in found):  # "max", or -1
        return sys.maxsize
    quota, period = map(int, found)
    return max(1, math.ceil(quota / max(1, period)))


def _words(name: str) -> list[str]:
    """Return the words in a file of the control group, none where there is no such file."""
    try:
        return (_CGROUP / name).read_text(encoding="ascii").split()
    except OSError:
        return []


def memory_bytes() -> int:
    """Return how much memory this process may use, 0 where the system does not tell."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0
    limit, *_ = [*_words("memory.max"), ""]
    return min(total, int(limit)) if limit.isdecimal() else total


def package_versions() -> dict[str, str]:
    """Return the installed versions of this package and of those that decide its numbers."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions
