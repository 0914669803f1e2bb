import io
import re

import pytest

from xlmkit.core.tables import table

ROWS = [("English", 0.71234, 12000, "a [b]"), ("中文", None, 3, "c"), ("français", 0.5, 10, "")]


def test_plain_columns_are_aligned_by_what_a_terminal_shows(capsys) -> None:
    table("Transfer", ("language", "accuracy", "n", "note"), ROWS)
    assert capsys.readouterr().out.splitlines() == [
        "Transfer",
        "language  accuracy       n  note",
        "English     0.7123  12,000  a [b]",
        "中文             -       3  c",
        "français       0.5      10",
        "",
    ]


def test_texts_that_begin_with_a_number_stand_right(capsys) -> None:
    table("t", ("language", "accuracy"), [("fr", "71.3 ± 2.0"), ("de", "-"), ("zh", "+9 %")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:5] == [
        "fr        71.3 ± 2.0",
        "de                 -",
        "zh              +9 %",
    ]


def test_a_table_without_rows_has_its_headings(capsys) -> None:
    table("Nothing", ("a", "b"), [])
    assert capsys.readouterr().out == "Nothing\na  b\n\n"


def test_a_terminal_keeps_to_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    table("Long", ("language", "text"), [("ру", "слово " * 20)])
    lines = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()
    assert "слово" in stream.getvalue()
    assert max(len(line) for line in lines) <= 40
