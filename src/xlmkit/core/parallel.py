"""One function over many items, by several processes where there are enough of them to pay.

The processes are fresh ones that talk over pipes (`python -m xlmkit.core.parallel`): they inherit
neither threads nor memory, and the program that uses them needs no guard of its main module, as
`multiprocessing` asks for.
"""

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain, islice
from queue import SimpleQueue
from typing import IO, Any, TypeVar

from xlmkit.core.errors import UserError
from xlmkit.core.machine import usable_cores

ALONE = 16
"""How many items are done before other processes are started, whose start takes a second."""

_WAITING = 2  # items per process that may wait, done or not

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    processes: int | None = None,
    alone: int = ALONE,
) -> Iterator[Result]:
    """Yield the results of a function for all items, in their order, a few items ahead.

    Args:
        function: may be pickled, and depends on nothing but its item; what it remembers is
            remembered by each process for itself.
        items: read as they are needed; may be pickled, as the results.
        processes: how many work; by default one for each core. With 1 no other process is started.
        alone: how many items are done before others are started.

    Raises:
        UserError: the function raised one, or a process ended early.
    """
    iterator = iter(items)
    count = usable_cores() if processes is None else processes
    yield from map(function, islice(iterator, alone) if count > 1 else iterator)
    first = next(iterator, None)
    if first is None:
        return
    with ExitStack() as stack:
        free: SimpleQueue[_Worker] = SimpleQueue()
        for _ in range(count):
            free.put(stack.enter_context(_Worker(function)))
        pool = stack.enter_context(ThreadPoolExecutor(count))

        def work(item: Item) -> Result:
            worker = free.get()
            try:
                result: Result = worker.do(item)
                return result
            finally:
                free.put(worker)

        waiting: deque[Future[Result]] = deque()
        stack.callback(lambda: [future.cancel() for future in waiting])
        for item in chain([first], iterator):
            waiting.append(pool.submit(work, item))
            if len(waiting) > _WAITING * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _Worker:
    """A process that applies a function to what it is sent; a context manager that ends it."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        # Libraries with threads of their own would take cores from the other processes, and bars
        # would be drawn over one another.
        alone = {"TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1", "TERM": "dumb"}
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "xlmkit.core.parallel"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **alone, "PYTHONPATH": paths},
        )
        self._function: Callable[[Any], Any] | None = function

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def do(self, item: object) -> Any:  # noqa: ANN401 - what the function returns
        """Return what the function makes of an item."""
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        try:
            if self._function is not None:
                pickle.dump(self._function, self._process.stdin)
                self._function = None
            pickle.dump(item, self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
            result, error = pickle.load(self._process.stdout)  # noqa: S301 - of our own process
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            raise UserError(
                "A process that shared the work has ended, perhaps for lack of memory; run again."
            ) from None
        if error is not None:
            raise error
        return result


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until the requests end."""
    function = pickle.load(requests)  # noqa: S301 - of the process that started this one
    while True:
        try:
            item = pickle.load(requests)  # noqa: S301
        except EOFError:
            return
        answer: tuple[Any, Exception | None]
        try:
            answer = (function(item), None)
        except Exception as error:  # it is raised where the results are read
            answer = (None, error)
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


def _main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed must not come among the answers
    try:
        _serve(sys.stdin.buffer, answers)
    except (KeyboardInterrupt, BrokenPipeError, EOFError):
        sys.exit(1)  # the one that asked has gone


if __name__ == "__main__":
    _main()
