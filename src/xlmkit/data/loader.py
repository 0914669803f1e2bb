"""Batches made ahead of the training loop, in a thread of their own.

numpy releases the interpreter while it works on arrays, so one thread keeps the processor's batches
ready without the copies that worker processes would need.
"""

import threading
from collections.abc import Callable, Iterator
from queue import Empty, Full, Queue
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")
_WAIT = 0.1  # seconds between looks at the stop sign


class Prefetcher(Generic[T]):
    """Iterate over `make(start), make(start + 1), ..., make(stop - 1)`, made ahead.

    An exception in `make` is raised where its value would have come. Use as a context manager, so
    that the thread ends with the loop.
    """

    def __init__(self, make: Callable[[int], T], start: int, stop: int, depth: int = 4) -> None:
        self._make, self._range = make, range(start, stop)
        self._queue: Queue[T | BaseException] = Queue(depth)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="batches", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed.set()
        self._thread.join()

    def __iter__(self) -> Iterator[T]:
        for _ in self._range:
            yield self._next()

    def _next(self) -> T:
        while True:
            try:
                value = self._queue.get(timeout=_WAIT)
            except Empty:
                if not self._thread.is_alive() and self._queue.empty():
                    raise RuntimeError("The thread that makes batches has died.") from None
                continue
            if isinstance(value, BaseException):
                raise value
            return value

    def _work(self) -> None:
        for number in self._range:
            try:
                value: T | BaseException = self._make(number)
            except BaseException as error:  # raised again in the loop's thread
                value = error
            while not self._closed.is_set():
                try:
                    self._queue.put(value, timeout=_WAIT)
                    break
                except Full:
                    continue
            if self._closed.is_set() or isinstance(value, BaseException):
                return
