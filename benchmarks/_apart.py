"""Sides in processes of their own, since what is set for one must not serve the other.

xlmkit tells the C library to keep its memory and to use huge pages, as `xlmkit run` does, and its
peer runs as shipped. Only one of them works at a time.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import torch
from _harness import Work, set_up, show_profile


class Apart:
    """A side's work in a process of its own; calling it does one turn there."""

    def __init__(self, process: ProcessPoolExecutor) -> None:
        self._process = process

    def __call__(self) -> int:
        """Do one turn and return how many units it processed."""
        return self._process.submit(_turn).result()

    def profile(self, title: str) -> dict[str, float]:
        """Print and return where the time of a turn goes."""
        return self._process.submit(_profile, title).result()


@contextmanager
def apart(
    threads: int, tuned: bool, make: Callable[..., Work], *arguments: object
) -> Iterator[Apart]:
    """Yield a side, whose process ends with the block.

    Args:
        threads: of torch.
        tuned: with the settings of the allocator that xlmkit chooses, or as shipped.
        make: returns the work; called there.
        *arguments: of `make`; may be pickled.
    """
    with ProcessPoolExecutor(
        1, get_context("spawn"), _begin, (threads, tuned, make, arguments)
    ) as process:
        yield Apart(process)


def do_apart(work: Callable[..., object], *arguments: object) -> None:
    """Do something in a process that ends afterwards, so that its memory is free again."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        process.submit(work, *arguments).result()


_work: Work  # of this process


def _begin(
    threads: int, tuned: bool, make: Callable[..., Work], arguments: tuple[object, ...]
) -> None:
    global _work
    if tuned:
        set_up(threads)
    else:
        torch.set_num_threads(threads)
    torch.manual_seed(1)
    _work = make(*arguments)


def _turn() -> int:
    return _work()


def _profile(title: str) -> dict[str, float]:
    return show_profile(title, _work)
