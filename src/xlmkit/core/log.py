"""Lines for people: they go to standard error, so that standard output stays for results."""

import os
import sys
from functools import cache
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def say(message: str) -> None:
    """Print one line about what happens, above a progress bar if one is shown."""
    if is_terminal(sys.stderr):
        terminal().print(message, markup=False, highlight=False, soft_wrap=True)
    else:
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()


_said = set[str]()


def say_once(message: str) -> None:
    """Print a line unless it was printed since the run began: what is measured often says it so."""
    if message not in _said:
        _said.add(message)
        say(message)


def forget_said() -> None:
    """Let `say_once` print every line again, as at the beginning of a run."""
    _said.clear()


def is_terminal(stream: IO[str]) -> bool:
    """Tell whether a stream can show lines that change."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


@cache
def terminal() -> "Console":
    """Return the one console on standard error; two would write over each other's bars."""
    from rich.console import Console

    return Console(stderr=True)
