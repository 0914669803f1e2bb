"""Side-by-side timing: contestants take turns in one process, and ratios are taken turn by turn.

A benchmark checks first that both sides compute the same, then calls `compare`. Results are
appended, dated, to `benchmarks/results/`, and the machine, versions and threads that they belong to
are printed below them.
"""

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.profiler import ProfilerActivity, profile

from xlmkit.compress.quantize import Int8Linear
from xlmkit.core.device import tune_allocator
from xlmkit.core.machine import describe_machine, package_versions
from xlmkit.core.tables import table
from xlmkit.model.config import Architecture

RESULTS = Path(__file__).parent / "results"
SETTINGS = ("OMP_", "RAYON_", "MKL_", "GLIBC_TUNABLES", "MALLOC_", "XLMKIT_COMPILED")
"""Beginnings of environment variables that change how fast something is."""

Work = Callable[[], int]
"""Does one turn and returns how many units (real tokens, lines) it processed."""


def set_up(threads: int) -> None:
    """Fix the number of threads and let malloc keep freed memory, for all sides alike."""
    tune_allocator()
    os.environ["RAYON_NUM_THREADS"] = str(threads)  # of `tokenizers`
    torch.set_num_threads(threads)


@dataclass(frozen=True, slots=True)
class Limit:
    """What the machine itself can do, beside which a side's rate is put.

    Attributes:
        measured: returns, for the name of a side, the best rate of its kind of work. It is called
            before and after the turns and the better one counts, since a machine that is not one's
            own is not always equally fast.
        per_unit: how much of it a unit (a real token, a line) needs.
        measure: what the rate counts.
    """

    measured: Callable[[], Mapping[str, float]]
    per_unit: float
    measure: str = "GFLOP/s"

    @classmethod
    def of_operations(
        cls, measured: Callable[[], Mapping[str, float]], operations: float
    ) -> "Limit":
        """Return a limit in GFLOP/s for units of so many operations."""
        return cls(measured, operations / 1e9)


@dataclass(frozen=True, slots=True)
class Goal:
    """How many times as fast as a peer a side is to be."""

    side: str
    peer: str
    at_least: float


def compare(
    title: str,
    unit: str,
    sides: Mapping[str, Work],
    *,
    turns: int,
    warm_up: int = 1,
    limit: Limit | None = None,
    goals: Sequence[Goal] = (),
    minutes: float | None = None,
) -> dict[str, Any]:
    """Let all sides take turns, print rates and ratios to the first side, and return them.

    Args:
        title: what is compared.
        unit: what a turn's number counts.
        sides: name to work; the others are measured against the first, the peer.
        turns: counted turns of each side.
        warm_up: turns of each side before, not counted.
        limit: then the share of it that each side reaches is told.
        goals: then a table tells which are reached.
        minutes: no turn begins after so many, but each side has one.
    """
    before = limit.measured() if limit is not None else {}
    rates: dict[str, list[float]] = {name: [] for name in sides}
    ends = time.perf_counter() + 60 * (float("inf") if minutes is None else minutes)
    for turn in range(warm_up + turns):
        if turn > warm_up and time.perf_counter() > ends:
            print(f"Ended after {turn - warm_up} of {turns} turns: the time is over.")
            break
        for name, work in sides.items():
            began = time.perf_counter()
            done = work()
            if turn >= warm_up:
                rates[name].append(done / (time.perf_counter() - began))
    after = limit.measured() if limit is not None else {}
    peer = next(iter(sides))
    rows, results = [], {}
    for name, values in rates.items():
        result = results[name] = {"rate": statistics.median(values), **ratio(values, rates[peer])}
        rows.append([name, f"{result['rate']:,.4g}", *_told(result)])
        if limit is not None:
            reached, best = result["rate"] * limit.per_unit, max(before[name], after[name])
            share = reached / best
            result |= {"measure": limit.measure, "reached": reached, "limit": best, "share": share}
            rows[-1] += [f"{reached:,.3g} of {best:,.3g}", f"{share:.0%}"]
    headings = ["side", f"{unit}/s", f"ratio to {peer}", "least to most"]
    table(title, [*headings, limit.measure, "of limit"] if limit else headings, rows)
    told = {"title": title, "unit": unit, "turns": len(rates[peer]), "sides": results}
    return told | {"goals": show_goals(goals, rates)} if goals else told


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """Return the median, the least and the greatest ratio of rates, turn by turn."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return {
        "ratio": statistics.median(ratios),
        "ratio_least": min(ratios),
        "ratio_most": max(ratios),
    }


def show_goals(goals: Sequence[Goal], rates: Mapping[str, Sequence[float]]) -> list[dict[str, Any]]:
    """Print and return which goals are reached by the rates of all turns."""
    results: list[dict[str, Any]] = []
    for goal in goals:
        found = ratio(rates[goal.side], rates[goal.peer])
        reached = found["ratio"] >= goal.at_least
        results.append({**asdict(goal), **found, "reached": reached})
    rows = [
        [g["side"], g["peer"], *_told(g), f"{g['at_least']:g}", "yes" if g["reached"] else "no"]
        for g in results
    ]
    table("Goals", ["side", "against", "ratio", "least to most", "goal", "reached"], rows)
    return results


def _told(found: Mapping[str, float]) -> list[str]:
    return [f"{found['ratio']:.2f}", f"{found['ratio_least']:.2f} to {found['ratio_most']:.2f}"]


def attention_operations(shape: Architecture, lengths: NDArray[np.integer]) -> float:
    """Return those of a token forward, in the two products of attention within sequences."""
    attended = float((lengths**2).sum() / lengths.sum())  # tokens, by a token on average
    return 4.0 * shape.n_layers * shape.emb_dim * attended


def matrix_limit(m: int, k: int, n: int, dtype: torch.dtype, device: str = "cpu") -> float:
    """Return the best measured rate of a matrix product (m, k) x (k, n), in GFLOP/s."""
    a, b = (torch.randn(size).to(device, dtype) for size in ((m, k), (k, n)))

    def product() -> None:
        a @ b
        if device != "cpu":
            torch.cuda.synchronize()

    return best_rate(product, 2.0 * m * k * n)


def int8_limit(m: int, k: int, n: int) -> float:
    """Return the best measured rate of an 8-bit layer for (m, k) states, in GFLOP/s."""
    layer, states = Int8Linear.of(torch.nn.Linear(k, n)), torch.randn(m, k)
    return best_rate(lambda: layer(states), 2.0 * m * k * n)


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


def text_limit(lines: Sequence[str], *, repeats: int = 5) -> float:
    """Return the best rate of decoding text and cutting it at spaces, in MB/s: the least to do."""
    data = [line.encode() for line in lines]

    def cut() -> None:
        for line in data:
            line.decode().split()

    return 1e3 * best_rate(cut, sum(map(len, data)), repeats=repeats)


def show_profile(title: str, turn: Work) -> dict[str, float]:
    """Print which operations of torch take the time of a turn, and return their shares.

    What lies between operations (Python, other libraries) is not in it.
    """
    with profile(activities=[ProfilerActivity.CPU]) as measured:
        turn()
    events = measured.key_averages()
    total = sum(event.self_cpu_time_total for event in events)
    largest = sorted(events, key=lambda event: -event.self_cpu_time_total)[:12]
    shares = {event.key: event.self_cpu_time_total / total for event in largest}
    shares["all others"] = 1 - sum(shares.values())
    table(
        f"Where the time goes: {title}",
        ["operation", "share"],
        [[name, f"{share:.1%}"] for name, share in shares.items()],
    )
    return shares


def commit() -> str | None:
    """Return the commit that is measured, with a `+` where files differ from it, if git tells."""
    git = shutil.which("git")
    if git is None:
        return None

    def answer(*arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - git, with our words
            [git, *arguments], cwd=RESULTS.parent, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = answer("status", "--porcelain", "--untracked-files=no")
    found = answer("rev-parse", "HEAD")
    return f"{found}{'+' * bool(changed)}" if found else None


def described(texts: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
    """Return what tells a text again, of each language: lines, bytes, and a digest."""
    told = {}
    for language, lines in texts.items():
        data = "\n".join(lines).encode()
        digest = hashlib.sha256(data).hexdigest()[:16]
        told[language] = {"lines": len(lines), "bytes": len(data), "sha256": digest}
    return told


def record(name: str, comparisons: list[dict[str, Any]], **details: object) -> Path:
    """Write a dated result, print what it was measured with, and return its path."""
    now = datetime.now(UTC)
    path = RESULTS / f"{now:%Y-%m-%d-%H%M%S}-{name}.json"
    RESULTS.mkdir(exist_ok=True)
    value = {
        "date": now.isoformat(timespec="seconds"),
        "arguments": [Path(word).name if os.sep in word else word for word in sys.argv[1:]],
        "commit": commit(),
        "machine": describe_machine(),
        "versions": package_versions(),
        "threads": torch.get_num_threads(),
        "settings": {k: v for k, v in sorted(os.environ.items()) if k.startswith(SETTINGS)},
        "copied_gb_per_second": round(copy_rate(), 2),
        **details,
        "comparisons": comparisons,
    }
    with path.open("x", encoding="utf-8") as stream:  # and none is written over
        stream.write(json.dumps(value, indent=1) + "\n")
    shown = ", ".join(f"{key} {told}" for key, told in value["machine"].items())
    print(f"{shown}; {value['threads']} threads; copies {value['copied_gb_per_second']} GB/s")
    print(f"Written to {path}")
    return path
