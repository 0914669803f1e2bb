"""The benchmarks tell what they measured, and can be started."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from xlmkit.model.config import Architecture

FOLDER = Path(__file__).parents[2] / "benchmarks"
NAMES = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


@pytest.fixture(autouse=True)
def _beside_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)


@pytest.fixture
def harness() -> ModuleType:
    return importlib.import_module("_harness")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, harness: ModuleType) -> Any:
    """A clock that only goes on when a side works."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(harness.time, "perf_counter", lambda: clock.now)
    return clock


def side(clock: Any, seconds: list[float], units: int = 10) -> Any:
    """Work whose turns take these seconds."""
    left: Iterator[float] = iter(seconds)

    def work() -> int:
        clock.now += next(left)
        return units

    return work


def test_ratios_are_taken_turn_by_turn(
    harness: ModuleType, clock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    sides = {"peer": side(clock, [99.0, 2.0, 4.0, 2.0]), "ours": side(clock, [0.1, 1.0, 1.0, 2.0])}
    measured = iter([{"peer": 20.0, "ours": 30.0}, {"peer": 15.0, "ours": 40.0}])
    limit = harness.Limit.of_operations(lambda: next(measured), 1e9)  # the better one counts
    goals = [harness.Goal("ours", "peer", 2.0), harness.Goal("ours", "peer", 2.5)]
    told = harness.compare("Work", "lines", sides, turns=3, limit=limit, goals=goals)
    ours = told["sides"]["ours"]
    assert (ours["ratio"], ours["ratio_least"], ours["ratio_most"]) == (2.0, 1.0, 4.0)
    assert (ours["rate"], ours["reached"], ours["limit"], ours["share"]) == (10.0, 10.0, 40.0, 0.25)
    assert told["sides"]["peer"]["share"] == 0.25
    assert [goal["reached"] for goal in told["goals"]] == [True, False]
    printed = capsys.readouterr().out
    assert "GFLOP/s" in printed
    assert printed.count("1.00 to 4.00") == 3


def test_no_turn_begins_after_the_time_is_over(
    harness: ModuleType, clock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    sides = {"peer": side(clock, [10.0] * 4), "ours": side(clock, [25.0] * 4)}
    told = harness.compare("Work", "lines", sides, turns=3, minutes=1)
    assert told["turns"] == 1  # the warm-up took 35 s, and the first turn 35 s more
    assert told["sides"]["ours"]["ratio"] == 0.4
    assert "Ended after 1 of 3 turns" in capsys.readouterr().out
    sides = {"peer": side(clock, [10.0] * 4), "ours": side(clock, [25.0] * 4)}
    assert harness.compare("Work", "lines", sides, turns=3, minutes=0)["turns"] == 1


def test_a_token_attends_to_those_of_its_own_sequence(harness: ModuleType) -> None:
    shape = Architecture(n_words=20, n_langs=1, n_layers=3, emb_dim=8, n_heads=2)
    # Two products of 2 operations each over 8 numbers, for 3 layers: 96 for each token seen; ten
    # tokens see ten, and two see two.
    operations = harness.attention_operations(shape, np.array([10, 2]))
    assert operations == pytest.approx(96 * (10 * 10 + 2 * 2) / 12)


def test_the_limit_of_text_is_what_reading_it_takes(
    monkeypatch: pytest.MonkeyPatch, harness: ModuleType
) -> None:
    times = iter([0.0, 2.0, 5.0, 6.0])
    monkeypatch.setattr(harness.time, "perf_counter", lambda: next(times))
    lines = ["häuser am see"] * 100_000  # 14 bytes each
    assert harness.text_limit(lines, repeats=2) == pytest.approx(1.4)  # MB in the best second


def test_what_is_recorded_names_machine_versions_and_threads(
    monkeypatch: pytest.MonkeyPatch, harness: ModuleType, tmp_path: Path
) -> None:
    monkeypatch.setattr(harness, "RESULTS", tmp_path)
    monkeypatch.setattr(harness, "copy_rate", lambda: 12.341)
    path = harness.record("some-work", [{"title": "Work"}], words=3)
    value = json.loads(path.read_text(encoding="utf-8"))
    assert path.name.endswith("-some-work.json")
    assert value["comparisons"] == [{"title": "Work"}]
    assert value["words"] == 3
    assert value["copied_gb_per_second"] == 12.34
    assert {"date", "machine", "versions", "threads"} <= value.keys()


def test_what_is_recorded_names_code_arguments_and_text(
    monkeypatch: pytest.MonkeyPatch, harness: ModuleType, tmp_path: Path
) -> None:
    monkeypatch.setattr(harness, "copy_rate", lambda: 12.341)
    monkeypatch.setattr(sys, "argv", ["work.py", "--text", str(tmp_path / "real"), "--turns", "2"])
    found = harness.commit()  # of this repository, if it is one
    assert found is None or len(found.rstrip("+")) == 40
    monkeypatch.setattr(harness, "RESULTS", tmp_path)  # which is none
    assert harness.commit() is None
    text = {"en": ["one", "two"], "fr": ["un"]}
    value = json.loads(harness.record("w", [], text=harness.described(text)).read_text("utf-8"))
    assert value["arguments"] == ["--text", "real", "--turns", "2"]
    assert (value["text"]["en"]["lines"], value["text"]["en"]["bytes"]) == (2, 7)
    assert value["text"]["en"]["sha256"] != value["text"]["fr"]["sha256"]


def test_no_result_is_written_over(
    monkeypatch: pytest.MonkeyPatch, harness: ModuleType, tmp_path: Path
) -> None:
    monkeypatch.setattr(harness, "RESULTS", tmp_path)
    monkeypatch.setattr(harness, "copy_rate", lambda: 1.0)

    class Still(harness.datetime):  # type: ignore[misc, name-defined]
        @classmethod
        def now(cls, zone: object) -> Any:
            return cls(2026, 1, 1, tzinfo=zone)

    monkeypatch.setattr(harness, "datetime", Still)
    harness.record("work", [])
    with pytest.raises(FileExistsError):
        harness.record("work", [])


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("encoding", ["--text", "nowhere"], "nowhere has no text: it needs a folder for each"),
        ("tokenizing", ["--text", "."], "has no text: it needs a folder for each language"),
        ("preparation", ["--turns", "0"], "'0' is no whole number from 1 on"),
        ("training_step", ["--batches", "-3"], "'-3' is no whole number from 1 on"),
        ("training_step", ["--pairs", "nowhere.tsv"], "There is no file nowhere.tsv"),
    ],
)
def test_a_mistake_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    name: str,
    arguments: list[str],
    message: str,
) -> None:
    benchmark = importlib.import_module(name)
    run = importlib.import_module("_arguments").run
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    with pytest.raises(SystemExit) as ended:
        run(benchmark.main)
    assert ended.value.code not in (0, None)
    assert message in f"{ended.value.code}{capsys.readouterr().err}"


def test_without_text_a_benchmark_is_skipped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark = importlib.import_module("encoding")
    monkeypatch.delenv("XLMKIT_REAL_TEXT", raising=False)
    monkeypatch.setattr(sys, "argv", ["encoding"])
    with pytest.raises(SystemExit) as ended:
        benchmark.main()
    assert ended.value.code == 0
    assert "Skipped" in capsys.readouterr().out


@pytest.mark.parametrize("spoil", ["loss", "gradients"])
def test_sides_that_compute_otherwise_are_found(
    monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    training_step = importlib.import_module("training_step")
    batches = importlib.import_module("_batches")
    shape = Architecture(n_words=50, n_langs=2, n_layers=1, emb_dim=16, n_heads=2)
    (batch,) = batches.streams(shape, 1)
    training_step.check_equal(shape, batch)
    right = training_step.peer_loss

    def wrong(*given: Any) -> torch.Tensor:
        loss = right(*given)
        return 1.01 * loss if spoil == "loss" else 1.01 * loss - 0.01 * loss.detach()

    monkeypatch.setattr(training_step, "peer_loss", wrong)
    with pytest.raises(AssertionError):
        training_step.check_equal(shape, batch)


def test_pairs_in_other_batches_are_the_same_pairs() -> None:
    batches = importlib.import_module("_batches")
    shape = Architecture(n_words=500, n_langs=2, n_layers=1, emb_dim=16, n_heads=2)
    made = batches.pairs(shape, batches.drawn_pairs(shape, 3))

    def rows(some: Any) -> list[Any]:
        """Return what each sequence is and what is predicted of it."""
        found = []
        for batch in some:
            width = batch.inputs.tokens.shape[1]
            for row, length in enumerate(batch.inputs.lengths.tolist()):
                own = batch.predict // width == row
                found.append(
                    (
                        *(
                            tuple(getattr(batch.inputs, name)[row, :length].tolist())
                            for name in ("tokens", "positions", "languages")
                        ),
                        tuple((batch.predict[own] % width).tolist()),
                        tuple(batch.targets[own].tolist()),
                    )
                )
        return sorted(found)

    sorted_ones = batches.by_length(made)
    assert rows(sorted_ones) == rows(made)
    padded = [batch.inputs.tokens.numel() for batch in made]
    assert sum(batch.inputs.tokens.numel() for batch in sorted_ones) < sum(padded)


def test_goals_are_those_of_what_a_training_uses() -> None:
    training_step = importlib.import_module("training_step")
    sides = dict.fromkeys([training_step.FLOAT32, "xlmkit float32", "xlmkit float32, packed"])
    found = training_step.goals_of(sides, (6.0, 3.2))
    assert [(g.side, g.peer, g.at_least) for g in found] == [
        ("xlmkit float32", "transformers float32", 6.0)
    ]
    sides |= dict.fromkeys([training_step.BFLOAT16, "xlmkit bfloat16"])
    found = training_step.goals_of(sides, (6.0, 3.2))
    assert [(g.side, g.peer, g.at_least) for g in found] == [
        ("xlmkit bfloat16", "transformers float32", 6.0),
        ("xlmkit bfloat16", "transformers bfloat16 autocast", 3.2),
    ]


def _process_of(more: int) -> Any:
    return lambda: more + os.getpid()


def test_a_side_apart_works_in_a_process_of_its_own(harness: ModuleType) -> None:
    apart = importlib.import_module("_apart")
    with apart.apart(1, True, _process_of, 1000) as side:
        assert side() == side() != 1000 + os.getpid()


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_can_be_loaded(name: str) -> None:
    assert importlib.import_module(name).__doc__


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_benchmark_for_a_gpu_runs_on_a_processor() -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "gpu.py", "--device", "cpu", "--tiny", "--turns", "1"],
        check=False, capture_output=True, text=True, timeout=380,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Equal losses and gradients on the same weights") == 2
    assert "Half of the weights of attention dropped" in done.stdout
    assert "All on the CPU" in done.stdout


def test_what_fails_on_a_gpu_costs_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    done_one_by_one = importlib.import_module("gpu").done_one_by_one

    def checked() -> None:
        raise AssertionError("other gradients")

    def ends() -> None:
        raise SystemExit("bfloat16 does not compute the same.")

    parts = {"checked": checked, "one": lambda: {"a": 1}, "two": ends, "three": lambda: {"b": 2}}
    measured, failures = done_one_by_one(parts)
    assert measured == [{"a": 1}, {"b": 2}]
    assert failures == {
        "checked": "AssertionError: other gradients",
        "two": "SystemExit: bfloat16 does not compute the same.",
    }
    assert "Failed: two" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("resident", "anonymous", "flat"),
    [((600, 1200), (500, 640), True), ((600, 4400), (500, 640), False), ((6, 12), (5, 8), False)],
)
def test_memory_that_grows_is_told(
    resident: tuple[int, int], anonymous: tuple[int, int], flat: bool
) -> None:
    is_flat = importlib.import_module("prepare_memory").is_flat
    results = [
        {"megabytes": size, "resident_megabytes": most, "anonymous_megabytes": part}
        for size, most, part in zip((1000, 100), resident[::-1], anonymous[::-1], strict=True)
    ]
    assert is_flat(results) is flat
    assert is_flat(results[1:])


def test_a_missed_start_fails(
    harness: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starting = importlib.import_module("starting")
    monkeypatch.setattr(harness, "RESULTS", tmp_path / "one")
    monkeypatch.setattr(harness, "copy_rate", lambda: 1.0)
    monkeypatch.setattr(sys, "argv", ["starting.py", "--turns", "1"])
    monkeypatch.setattr(starting, "COMMANDS", {"import xlmkit": ["-c", "pass"]})
    monkeypatch.setattr(starting, "TOKENIZERS", ["pass"])
    assert starting.main() == 0
    monkeypatch.setattr(starting, "GOAL", 1e-9)
    monkeypatch.setattr(harness, "RESULTS", tmp_path / "two")  # they are named by the second
    assert starting.main() == 1
    monkeypatch.setattr(starting, "TOKENIZERS", ["import sys; sys.modules['torch'] = sys"])
    with pytest.raises(subprocess.CalledProcessError):
        starting.main()


def test_larger_text_repeats_no_line_and_has_the_size_asked_for() -> None:
    larger = importlib.import_module("_larger").larger
    texts = {code: [f"{code}{n} a b {code}{n}x" for n in range(500)] for code in ("en", "fr")}
    size = sum(len(line.encode()) + 1 for lines in texts.values() for line in lines)
    found = list(larger(texts, 2.5 * size / 1e6))
    for code, lines in texts.items():
        own = [line for language, line in found if language == code]
        assert own[:500] == lines
        assert len(own) == len(set(own)) == 1250
        assert {word for line in own for word in line.split()} == {
            word for line in lines for word in line.split()
        }
