"""How far a job is: a bar in a terminal, a line now and then in a file or a pipe."""

import math
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from xlmkit.core.log import is_terminal, terminal

if TYPE_CHECKING:
    from rich.progress import TaskID

_BAR_SECONDS = 0.2  # between two drawings of a bar
_LINE_SECONDS = 10.0  # between two plain lines
_SHORT_SECONDS = 2.0  # a job over before this prints no plain line
_RATE_SECONDS = 10.0  # how far back the shown rate looks

Field = str | int | float


class Progress:
    """A running count with its rate and a few named values.

    A call costs about a microsecond, so a loop may report every item. Several threads may report.

    Attributes:
        total: how many units there are, if known; may be set anew where it was an estimate.
        count: those that are done.
    """

    def __init__(self, description: str, total: int | None, unit: str, start: int) -> None:
        self.description = description
        self.total = total
        self.unit = unit
        self.count = start
        self.fields: dict[str, Field] = {}
        self._start = start
        self._began = self._seen_at = time.monotonic()
        self._seen_count = start
        self._rate: float | None = None
        self._lock = threading.Lock()
        self._display: _Display = _Bar(self) if is_terminal(sys.stderr) else _Lines(self)
        self._due = self._began + self._display.seconds

    def advance(self, n: int = 1, **fields: Field) -> None:
        """Count `n` more units; `fields` are shown behind as key=value until they change."""
        with self._lock:
            self.count += n
            if fields:
                self.fields.update(fields)
            now = time.monotonic()
            if now >= self._due:
                self._due = now + self._display.seconds
                self._measure(now)
                self._display.show(", ".join(self._parts(self._rate, now)))

    def update(self, **fields: Field) -> None:
        """Change the named values without counting."""
        self.advance(0, **fields)

    def close(self, *, finished: bool = True) -> None:
        """Show the last state, with the average rate."""
        with self._lock:
            now = time.monotonic()
            elapsed = now - self._began
            rate = (self.count - self._start) / elapsed if elapsed > 0 else None
            parts = self._parts(rate, now, finished=finished)
            self._display.close(", ".join(parts), elapsed, finished=finished)

    def _measure(self, now: float) -> None:
        """Update the rate, a moving average over about the last ten seconds."""
        passed = now - self._seen_at
        current = (self.count - self._seen_count) / passed
        if self._rate is None:
            self._rate = current
        else:
            self._rate += (current - self._rate) * (1 - math.exp(-passed / _RATE_SECONDS))
        self._seen_at, self._seen_count = now, self.count

    def _parts(self, rate: float | None, now: float, *, finished: bool = False) -> Iterator[str]:
        """Yield what is known, in the order in which it is read."""
        if self.total:
            share = 100 * self.count / self.total
            yield f"{self.count:,} of {self.total:,} {self.unit} ({share:.0f} %)"
        else:
            yield f"{self.count:,} {self.unit}"
        if rate is not None:
            yield f"{rate:,.0f} {self.unit}/s" if rate >= 10 else f"{rate:.2g} {self.unit}/s"
        for name, value in self.fields.items():
            yield f"{name}={format_value(value)}"
        yield format_duration(now - self._began)
        if self.total and rate and self.count < self.total and not finished:
            yield f"{format_duration((self.total - self.count) / rate)} left"


class _Display(Protocol):
    """Where a job's state is shown."""

    seconds: float

    def show(self, state: str) -> None: ...

    def close(self, state: str, elapsed: float, *, finished: bool) -> None: ...


class _Lines:
    """Plain lines, few of them."""

    seconds = _LINE_SECONDS

    def __init__(self, job: Progress) -> None:
        self._job = job

    def show(self, state: str) -> None:
        sys.stderr.write(f"{self._job.description}: {state}\n")
        sys.stderr.flush()

    def close(self, state: str, elapsed: float, *, finished: bool) -> None:
        if elapsed >= _SHORT_SECONDS:
            self.show(f"{'done' if finished else 'stopped'}, {state}")


class _Bar:
    """A bar, drawn from the job's own calls since a thread would not survive a fork."""

    seconds = _BAR_SECONDS

    def __init__(self, job: Progress) -> None:
        from rich.progress import BarColumn, ProgressColumn, TextColumn
        from rich.progress import Progress as RichProgress
        from rich.table import Column

        self._job = job
        one_line = Column(no_wrap=True, overflow="ellipsis")
        columns: list[ProgressColumn] = [
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[state]}", markup=False, table_column=one_line),
        ]
        if job.total:
            columns.insert(1, BarColumn(bar_width=24))
        self._rich = RichProgress(*columns, console=terminal(), auto_refresh=False)
        self._task: TaskID | None = None

    def show(self, state: str) -> None:
        if self._task is None:  # so that a job too short for a bar shows none
            self._rich.start()
            self._task = self._rich.add_task(self._job.description, total=self._job.total, state="")
        count, total = self._job.count, self._job.total  # which may be known better by now
        self._rich.update(self._task, completed=count, total=total, state=state, refresh=True)

    def close(self, state: str, elapsed: float, *, finished: bool) -> None:
        del elapsed, finished
        if self._task is not None:
            self.show(state)
            self._rich.stop()


@contextmanager
def progress(
    description: str, total: int | None = None, unit: str = "lines", *, start: int = 0
) -> Iterator[Progress]:
    """Show how far a job is while the block runs.

    In a terminal this is a bar; elsewhere a plain line every ten seconds and one at the end, and
    nothing for a job under two seconds.

    Args:
        description: what is being done, for instance "cleaning".
        total: how many units there are, if known; then the time left is shown.
        unit: what is counted, in the plural.
        start: units that were done before, when a job goes on.

    Yields:
        What to call `advance(n, loss=2.31)` on.
    """
    job = Progress(description, total, unit, start)
    try:
        yield job
    except BaseException:
        job.close(finished=False)
        raise
    job.close()


def format_value(value: object) -> str:
    """Return a value for people: thousands separated, four significant digits, - for none."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return str(value)


def format_duration(seconds: float) -> str:
    """Return a duration as minutes:seconds or hours:minutes:seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
