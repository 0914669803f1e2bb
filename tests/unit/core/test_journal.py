"""Work goes on from its last note: the state, and files as long as they were then."""

import json
from pathlib import Path

import pytest

from xlmkit.core import journal
from xlmkit.core.errors import UserError
from xlmkit.core.journal import Journal


def grow(notes: Journal, *parts: bytes, always: bool = True) -> None:
    """Append parts to a file, and note how many there are after each."""
    done = notes.state["parts"] if notes.state else 0
    with notes.open("data") as stream:
        for part in parts:
            stream.write(part)
            done += 1
            notes.note({"data": stream}, lambda: {"parts": done}, always=always)  # noqa: B023


def test_it_goes_on_behind_the_last_note(tmp_path: Path) -> None:
    path = tmp_path / "journal.json"
    assert Journal(path).state is None
    grow(Journal(path), b"one,", b"two,")
    with (tmp_path / "data").open("ab") as stream:
        stream.write(b"cut off by a stop")  # written, but never noted
    notes = Journal(path)
    assert notes.state == {"parts": 2}
    grow(notes, b"three")
    assert (tmp_path / "data").read_bytes() == b"one,two,three"
    assert Journal(path).state == {"parts": 3}


def test_a_file_that_was_never_noted_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"of earlier work")
    grow(Journal(tmp_path / "journal.json"), b"new")
    assert (tmp_path / "data").read_bytes() == b"new"


def test_notes_of_other_work_are_not_heeded(tmp_path: Path) -> None:
    path = tmp_path / "journal.json"
    grow(Journal(path, "key"), b"one")
    assert Journal(path, "key").state == {"parts": 1}
    other = Journal(path, "another key")
    assert other.state is None
    grow(other, b"new")
    assert (tmp_path / "data").read_bytes() == b"new"
    assert Journal(path, "key").state is None


def test_it_notes_now_and_then_and_always_where_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(journal.time, "monotonic", lambda: now[0])
    path = tmp_path / "journal.json"
    notes = Journal(path)
    grow(notes, b"one", always=False)
    assert not path.exists()
    now[0] += journal.SECONDS
    grow(notes, b"two", b"three", always=False)
    assert Journal(path).state == {"parts": 1}  # the third came too soon after the second
    now[0] += journal.SECONDS - 0.1
    grow(notes, b"four", always=False)
    assert json.loads(path.read_text("utf-8"))["sizes"] == {"data": 3}
    grow(notes, b"four", always=True)
    assert json.loads(path.read_text("utf-8"))["sizes"] == {"data": 4}


def test_a_note_that_takes_long_is_made_more_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(journal.time, "monotonic", lambda: now[0])
    path = tmp_path / "journal.json"
    notes = Journal(path)
    made = []

    def slowly() -> dict[str, object]:
        made.append(now[0])
        now[0] += 10.0
        return {}

    notes.note({}, slowly, always=True)  # 10 seconds
    for _ in range(50):
        now[0] += 10.0
        notes.note({}, slowly)
    assert made == [0.0, 210.0, 420.0]


def test_the_end_leaves_no_notes(tmp_path: Path) -> None:
    path = tmp_path / "journal.json"
    notes = Journal(path)
    grow(notes, b"one")
    notes.remove()
    notes.remove()
    assert not path.exists()
    assert Journal(path).state is None


def test_damaged_notes_are_told(tmp_path: Path) -> None:
    path = tmp_path / "journal.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"journal\.json"):
        Journal(path)


@pytest.mark.parametrize("left", [None, b"one"])
def test_notes_of_files_that_were_cut_short_are_not_heeded(
    tmp_path: Path, left: bytes | None
) -> None:
    """What is missing would else be made up for by zeros."""
    path = tmp_path / "journal.json"
    grow(Journal(path), b"one,", b"two,")
    notes = Journal(path)
    with notes.open("other") as stream:  # the first is not open any more, and still counts
        stream.write(b"more")
        notes.note({"other": stream}, lambda: {"parts": 3}, always=True)
    assert Journal(path).state == {"parts": 3}
    (tmp_path / "data").unlink()
    if left is not None:
        (tmp_path / "data").write_bytes(left)
    again = Journal(path)
    assert again.state is None
    grow(again, b"new")
    assert (tmp_path / "data").read_bytes() == b"new"


@pytest.mark.parametrize("value", [{}, {"key": ""}, [], None, 1])
def test_a_file_that_is_no_journal_is_not_heeded(tmp_path: Path, value: object) -> None:
    path = tmp_path / "journal.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    assert Journal(path).state is None
