import io
import re
import threading

import pytest

from xlmkit.core import log
from xlmkit.core.log import say
from xlmkit.core.progress import format_duration, format_value, progress


class Clock:
    """A clock that tests move on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("xlmkit.core.progress.time.monotonic", clock)
    return clock


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch):
    """Give a function that puts a terminal in the place of standard error.

    It returns one that gives what was written since, without colours.
    """

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def terminal():
        stream = Terminal()
        monkeypatch.setattr("sys.stderr", stream)
        return lambda: re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    log.terminal.cache_clear()
    yield terminal
    log.terminal.cache_clear()


def test_plain_lines_come_every_ten_seconds_and_at_the_end(clock, capsys) -> None:
    with progress("training", total=1000, unit="tokens") as bar:
        for _ in range(25):
            clock.now += 1
            bar.advance(20, loss=3.14159)
    assert capsys.readouterr().err.splitlines() == [
        "training: 200 of 1,000 tokens (20 %), 20 tokens/s, loss=3.142, 0:10, 0:40 left",
        "training: 400 of 1,000 tokens (40 %), 20 tokens/s, loss=3.142, 0:20, 0:30 left",
        "training: done, 500 of 1,000 tokens (50 %), 20 tokens/s, loss=3.142, 0:25",
    ]


def test_a_total_that_was_estimated_is_corrected(clock, capsys) -> None:
    with progress("training", total=1000, unit="tokens") as bar:
        for _ in range(12):
            clock.now += 1
            bar.total = 250
            bar.advance(20)
    first, last = capsys.readouterr().err.splitlines()
    assert first == "training: 200 of 250 tokens (80 %), 20 tokens/s, 0:10, 0:02 left"
    assert last == "training: done, 240 of 250 tokens (96 %), 20 tokens/s, 0:12"


def test_a_short_job_prints_nothing(clock, capsys) -> None:
    with progress("reading") as bar:
        clock.now += 1.9
        bar.advance(5)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_job_that_fails_says_how_far_it_came(clock, capsys) -> None:
    def fail() -> None:
        with progress("cleaning") as bar:
            clock.now += 4
            bar.advance(8)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert capsys.readouterr().err == "cleaning: stopped, 8 lines, 2 lines/s, 0:04\n"


def test_what_was_done_before_does_not_count_for_the_rate(clock, capsys) -> None:
    with progress("training", total=300, unit="steps", start=100) as bar:
        clock.now += 10
        bar.advance(100)
    assert capsys.readouterr().err.splitlines()[0] == (
        "training: 200 of 300 steps (67 %), 10 steps/s, 0:10, 0:10 left"
    )


def test_the_rate_follows_a_change_of_pace(clock, capsys) -> None:
    with progress("reading") as bar:
        for pace in (100, 100, 10, 10, 10, 10):
            clock.now += 10
            bar.advance(10 * pace)
    rates = [int(rate) for rate in re.findall(r"(\d+) lines/s", capsys.readouterr().err)]
    assert rates[:2] == [100, 100]
    assert rates[2:6] == sorted(rates[2:6], reverse=True)
    assert rates[5] < 15
    assert rates[6] == 40  # the average, at the end


def test_fields_stay_until_they_change(clock, capsys) -> None:
    with progress("training", unit="steps") as bar:
        bar.update(stage="mlm")
        clock.now += 10
        bar.advance(1, loss=2.0)
        clock.now += 10
        bar.advance(1, stage="tlm")
    first, second, _ = capsys.readouterr().err.splitlines()
    assert "stage=mlm, loss=2," in first
    assert "stage=tlm, loss=2," in second


def test_threads_may_count_together() -> None:
    with progress("reading") as bar:
        threads = [
            threading.Thread(target=lambda: [bar.advance() for _ in range(5000)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert bar.count == 20_000


def test_a_terminal_shows_a_bar_with_rate_and_fields(clock, terminal) -> None:
    written = terminal()
    with progress("training [a]", total=100, unit="tokens") as bar:
        clock.now += 5
        bar.advance(50, loss=1.25)
        say("saved [b]")
    lines = written().replace("\r", "\n").splitlines()
    shown = next(line for line in lines if "50 of 100" in line)
    assert shown.startswith("training [a] ━")
    assert "50 of 100 tokens (50 %), 10 tokens/s, loss=1.25, 0:05, 0:05 left" in shown
    assert "saved [b]" in [line.strip() for line in lines]


def test_a_terminal_shows_no_bar_for_a_job_that_is_over_at_once(clock, terminal) -> None:
    written = terminal()
    with progress("reading", total=3) as bar:
        bar.advance(3)
    assert written() == ""


def test_bars_may_stand_inside_one_another(clock, terminal) -> None:
    written = terminal()
    with progress("outer", total=2, unit="files") as outer:
        clock.now += 1
        outer.advance()
        with progress("inner") as inner:
            clock.now += 1
            inner.advance(7)
        clock.now += 1
        outer.advance()
    assert "7 lines" in written()
    assert "2 of 2 files (100 %)" in written()


def test_a_line_for_people_goes_to_standard_error(capsys) -> None:
    say("проверка [b]x[/b]")
    assert capsys.readouterr() == ("", "проверка [b]x[/b]\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (1234567, "1,234,567"),
        (0.00012345, "0.0001234"),
        (71.25, "71.25"),
        (123456.7, "123,457"),
        ("中文", "中文"),
    ],
)
def test_values_are_written_for_people(value: object, text: str) -> None:
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (61, "1:01"), (3725, "1:02:05")]
)
def test_durations(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
