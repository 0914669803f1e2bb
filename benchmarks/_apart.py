"""Sides in processes of their own, since what is set for one must not serve the other.

xlmkit tells the C library to keep its memory and to use huge pages, as `xlmkit run` does, and its
peer runs as shipped. Only one of them works at a time.
"""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

import torch
from _harness import Work, set_up, show_profile


class Apart:
    """A side's work in a process of its own; calling it does one turn there.

    Args:
        threads: of torch.
        tuned: with the settings of the allocator that xlmkit chooses, or as shipped.
        make: returns the work; called there with the other arguments.
    """

    def __init__(
        self, threads: int, tuned: bool, make: Callable[..., Work], *arguments: object
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(there, threads, tuned, make, arguments), daemon=True
        )
        self._process.start()
        there.close()

    def __call__(self) -> int:
        """Do one turn and return how many units it processed."""
        return int(self._ask(None))

    def profile(self, title: str) -> dict[str, float]:
        """Print and return where the time of a turn goes."""
        shares: dict[str, float] = self._ask(title)
        return shares

    def _ask(self, question: str | None) -> Any:  # noqa: ANN401
        self._here.send(question)
        return self._here.recv()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self._here.close()
        self._process.join()


def _serve(
    pipe: Connection,
    threads: int,
    tuned: bool,
    make: Callable[..., Work],
    arguments: tuple[object, ...],
) -> None:
    """Do a turn or tell a profile whenever that is asked for, until the other side is closed."""
    if tuned:
        set_up(threads)
    else:
        torch.set_num_threads(threads)
    torch.manual_seed(1)
    work = make(*arguments)
    while True:
        try:
            title = pipe.recv()
        except EOFError:
            return
        pipe.send(work() if title is None else show_profile(title, work))
