"""`xlmkit translate` with several files: one text, one output, which goes on, and a total."""

import os
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from xlmkit.core.streams import count_lines, lines_of

LINES = ["a b c", "", "c", "b a b", "a", "", "c d"]
PIPED = "".join(f"{line}\n" for line in LINES)

Call = Callable[..., Any]
Stop = Callable[[], AbstractContextManager[None]]


def apart(folder: Path, *parts: Iterable[str]) -> list[Path]:
    """Write texts to a file each, the last line of each without an end."""
    paths = [folder / f"part {number}" for number in range(len(parts))]
    for path, lines in zip(paths, parts, strict=True):
        path.write_text("\n".join(lines), encoding="utf-8")
    return paths


def stopped(call: Call, sources: list[Path], folder: Path, stop: Stop) -> Path:
    """Stop a call behind four lines; return what it would write."""
    with stop():
        made = call(*sources, "--output", folder / "out")
    assert made.exit_code == 130
    assert (folder / "out.part").read_text("utf-8").count("\n") == 4
    return folder / "out"


def test_files_behind_one_another_are_one_text(call: Call, tmp_path: Path) -> None:
    parts = apart(tmp_path, LINES[:3], LINES[3:5], [], LINES[5:])
    for options in ([], ["--n-best", 2]):  # whose lines have the number of their text
        whole = call(*options, given=PIPED).stdout
        assert whole.count("\n") >= len(LINES)
        assert call(*parts, *options).stdout == whole
    assert call(*reversed(parts)).stdout != call(*parts).stdout


def test_it_goes_on_in_the_file_where_it_stopped(
    call: Call, tmp_path: Path, stopped_behind_four_lines: Stop
) -> None:
    parts = apart(tmp_path, LINES[:3], LINES[3:])
    target = stopped(call, parts, tmp_path, stopped_behind_four_lines)
    for others in (reversed(parts), parts[:1], [*parts, parts[0]]):
        made = call(*others, "--output", target, "--resume")
        assert made.exit_code == 1
        assert "begun with another source: " in made.stderr
    assert call(*parts, "--output", target, "--resume").exit_code == 0
    assert target.read_text("utf-8") == call(given=PIPED).stdout


@pytest.mark.parametrize("changed", [0, 1])
def test_files_of_which_one_changed_do_not_go_on(
    call: Call, tmp_path: Path, stopped_behind_four_lines: Stop, changed: int
) -> None:
    parts = apart(tmp_path, LINES[:3], LINES[3:])
    target = stopped(call, parts, tmp_path, stopped_behind_four_lines)
    parts[changed].write_text(parts[changed].read_text("utf-8").replace("b", "d"), "utf-8")
    os.utime(parts[changed], ns=(1, 1))
    made = call(*parts, "--output", target, "--resume")
    assert "begun with another time of the source" in made.stderr
    parts[changed].write_text("a\n", encoding="utf-8")
    made = call(*parts, "--output", target, "--resume")
    assert "begun with another size of the source" in made.stderr
    assert made.exit_code == 1


def test_all_files_are_looked_at_before_the_first_is_read(call: Call, tmp_path: Path) -> None:
    here, other = apart(tmp_path, LINES, LINES)
    for sources, target, message in (
        ((here, tmp_path / "none"), tmp_path / "out", f"There is no file {tmp_path / 'none'}."),
        ((here, tmp_path), tmp_path / "out", f"{tmp_path} is a folder"),
        ((here, other), other, "give --output another name"),
    ):
        made = call(*sources, "--output", target)
        assert made.exit_code == 1
        assert message in made.stderr
    assert sorted(tmp_path.iterdir()) == [here, other]


def test_a_line_that_is_not_utf8_is_named_with_its_own_file(call: Call, tmp_path: Path) -> None:
    here, other = apart(tmp_path, LINES, [])
    other.write_bytes(b"a\n\xff\n")
    assert f"{other}, line 2, is not UTF-8" in call(here, other).stderr


def test_progress_has_a_total_where_files_are_read(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xlmkit.core.progress._SHORT_SECONDS", 0)
    monkeypatch.setattr("xlmkit.core.progress._Lines.seconds", 0)
    monkeypatch.setattr("xlmkit.translate._CHUNK", 2)
    parts = apart(tmp_path, LINES[:3], LINES[3:])
    shown = call(*parts).stderr
    assert "translating en to fr: 4 of 7 lines (57 %), " in shown
    assert " left\n" in shown
    assert "translating en to fr: done, 7 of 7 lines (100 %), " in shown
    assert "translating en to fr: done, 7 lines, " in call(given=PIPED).stderr


def test_lines_are_counted_of_what_can_be_read_twice(tmp_path: Path) -> None:
    parts = apart(tmp_path, LINES[:3], LINES[3:], [])
    (tmp_path / "text").write_text(PIPED, encoding="utf-8")
    assert count_lines(parts) == count_lines([tmp_path / "text"]) == len(LINES)
    assert count_lines([]) is None
    os.mkfifo(pipe := tmp_path / "pipe")
    assert count_lines([parts[0], pipe]) is None
    writing = threading.Thread(target=pipe.write_text, args=(PIPED,))
    writing.start()
    assert list(lines_of([parts[0], pipe])) == [*LINES[:3], *LINES]
    writing.join()


def test_long_lines_come_out_before_many_are_read(
    call: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lengths_of_chunks: list[int],
) -> None:
    import xlmkit.translate

    (tmp_path / "text").write_text("a b c d e\n" * 6, encoding="utf-8")
    whole = call(tmp_path / "text").stdout
    monkeypatch.setattr(xlmkit.translate, "_CHARACTERS", 18)
    lengths_of_chunks.clear()
    assert call(tmp_path / "text").stdout == whole
    assert lengths_of_chunks[1:] == [2, 2, 2]  # behind one look at the languages


def test_lines_of_a_slow_pipe_come_out_as_they_come(
    call: Call,
    reversing_translator: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lengths_of_chunks: list[int],
) -> None:
    from xlmkit.translate import Request, SearchConfig, translate

    whole = call(given="a b\nc\n\nd\r\ne").stdout
    lengths_of_chunks.clear()
    there = iter((b"a b\nc\n", b"\n", b"d\r", b"\n", b"e"))  # one after the other
    slow = SimpleNamespace(read1=lambda size: next(there, b""))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=slow))
    asked = Request(src="en", tgt="fr", search=SearchConfig())
    translate(reversing_translator, [], tmp_path / "out", asked)
    assert (tmp_path / "out").read_text("utf-8") == whole
    assert lengths_of_chunks[1:] == [2, 1, 1, 1]
