"""Side-by-side timing: contestants take turns in one process, and ratios are taken turn by turn.

A benchmark checks first that both sides compute the same, then calls `compare`. Results are
appended, dated, to `benchmarks/results/`, and the machine, versions and threads that they belong to
are printed below them.
"""

import json
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from xlmkit.core.device import tune_allocator
from xlmkit.core.machine import describe_machine, package_versions
from xlmkit.core.tables import table

RESULTS = Path(__file__).parent / "results"
Work = Callable[[], int]
"""Does one turn and returns how many units (real tokens, lines) it processed."""


def set_up(threads: int) -> None:
    """Fix the number of threads and let malloc keep freed memory, for all sides alike."""
    tune_allocator()
    torch.set_num_threads(threads)


def compare(
    title: str,
    unit: str,
    sides: Mapping[str, Work],
    *,
    turns: int,
    warm_up: int = 1,
    flops: float = 0.0,
    limits: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Let all sides take turns, print rates and ratios to the first side, and return them.

    Args:
        title: what is compared.
        unit: what a turn's number counts.
        sides: name to work; the others are measured against the first, the peer.
        turns: counted turns of each side.
        warm_up: turns of each side before, not counted.
        flops: useful operations of a unit; then the share of the machine's limit is told.
        limits: name of a side to the GFLOP/s that the machine was measured to reach.
    """
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(warm_up + turns):
        for name, work in sides.items():
            began = time.perf_counter()
            done = work()
            if turn >= warm_up:
                rates[name].append(done / (time.perf_counter() - began))
    peer = next(iter(sides))
    rows, results = [], {}
    for name, values in rates.items():
        ratios = [ours / theirs for ours, theirs in zip(values, rates[peer], strict=True)]
        result = results[name] = {
            "rate": statistics.median(values),
            "ratio": statistics.median(ratios),
            "ratio_least": min(ratios),
            "ratio_most": max(ratios),
        }
        spread = f"{result['ratio_least']:.2f} to {result['ratio_most']:.2f}"
        rows.append([name, f"{result['rate']:,.4g}", f"{result['ratio']:.2f}", spread])
        if limits is not None:
            gflops = result["rate"] * flops / 1e9
            result |= {"gflops": gflops, "limit": limits[name], "share": gflops / limits[name]}
            rows[-1] += [f"{gflops:.0f} of {limits[name]:.0f}", f"{result['share']:.0%}"]
    headings = ["side", f"{unit}/s", f"ratio to {peer}", "least to most"]
    table(title, [*headings, "GFLOP/s", "of limit"] if limits else headings, rows)
    return {"title": title, "unit": unit, "turns": turns, "sides": results}


def matrix_limit(m: int, k: int, n: int, dtype: torch.dtype, device: str = "cpu") -> float:
    """Return the best measured rate of a matrix product (m, k) x (k, n), in GFLOP/s."""
    a, b = (torch.randn(size).to(device, dtype) for size in ((m, k), (k, n)))

    def product() -> None:
        a @ b
        if device != "cpu":
            torch.cuda.synchronize()

    return best_rate(product, 2.0 * m * k * n)


def best_rate(work: Callable[[], object], flops: float, *, repeats: int = 30) -> float:
    """Return the best rate of some work of so many operations, in GFLOP/s."""
    best = float("inf")
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return flops / best / 1e9


def copy_rate(megabytes: int = 256, *, repeats: int = 5) -> float:
    """Return the best measured rate of copying memory, read and written, in GB/s."""
    source = torch.ones(megabytes << 18)
    target = torch.empty_like(source)
    return best_rate(lambda: target.copy_(source), 2.0 * source.nbytes, repeats=repeats)


def record(name: str, comparisons: list[dict[str, Any]], **details: object) -> Path:
    """Write a dated result, print what it was measured with, and return its path."""
    now = datetime.now(UTC)
    path = RESULTS / f"{now:%Y-%m-%d-%H%M}-{name}.json"
    RESULTS.mkdir(exist_ok=True)
    value = {
        "date": now.isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "versions": package_versions(),
        "threads": torch.get_num_threads(),
        "copied_gb_per_second": round(copy_rate(), 2),
        **details,
        "comparisons": comparisons,
    }
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    shown = ", ".join(f"{key} {told}" for key, told in value["machine"].items())
    print(f"{shown}; {value['threads']} threads; copies {value['copied_gb_per_second']} GB/s")
    print(f"Written to {path}")
    return path
