"""One function over many items, by several processes where there are enough of them to pay.

The processes are fresh ones that talk over pipes (`python -m xlmkit.core.parallel`): they inherit
neither threads nor memory, and the program that uses them needs no guard of its main module, as
`multiprocessing` asks for.
"""

import gc
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from queue import SimpleQueue
from typing import IO, Any, TypeVar

from xlmkit.core.errors import UserError
from xlmkit.core.machine import usable_cores

ALONE = 4
"""How many items are done before other processes are started, whose start takes a while."""

_WAITING = 2  # items per process that may wait, done or not
_SELDOM = 100_000  # objects; records are many objects without cycles, that need no looking for

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    processes: int | None = None,
    alone: int = ALONE,
    *,
    fail_early: bool = False,
) -> Iterator[Result]:
    """Yield the results of a function for all items, in their order, a few items ahead.

    If it ends early, by a signal, a mistake or because no more is asked for, the processes get
    SIGTERM, and it waits until they have ended: a function may save what it has.

    Args:
        function: may be pickled, and depends on nothing but its item; what it remembers is
            remembered by each process for itself.
        items: read as they are needed; may be pickled, as the results.
        processes: how many work; by default one for each core. With 1 no other process is started.
        alone: how many items are done before others are started.
        fail_early: raise a mistake at once, not in its item's turn; for items that take hours.

    Raises:
        UserError: the function raised one, or a process ended early.
    """
    with _seldom_collected():
        yield from _map_in_order(function, iter(items), processes, alone, fail_early)


def _map_in_order(
    function: Callable[[Item], Result],
    iterator: Iterator[Item],
    processes: int | None,
    alone: int,
    fail_early: bool,
) -> Iterator[Result]:
    count = usable_cores() if processes is None else processes
    if count == 1 or not _kept:
        yield from map(function, islice(iterator, alone) if count > 1 else iterator)
    first = next(iterator, None)
    if first is None:
        return
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker()) for _ in range(count)]
        free: SimpleQueue[_Worker] = SimpleQueue()
        for worker in workers:
            free.put(worker)
        pool = stack.enter_context(ThreadPoolExecutor(count))

        def work(item: Item) -> Result:
            worker = free.get()
            try:
                result: Result = worker.do(function, item)
                return result
            finally:
                free.put(worker)

        waiting: deque[Future[Result]] = deque()
        stack.enter_context(_stopped_early(workers, waiting))  # before the pool waits for all
        for item in chain([first], iterator):
            waiting.append(pool.submit(work, item))
            if len(waiting) > _WAITING * count:
                yield _next_result(waiting, fail_early)
        while waiting:
            yield _next_result(waiting, fail_early)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Look for cycles among objects seldom; of blocks that overlap the first decides how long."""
    global _usual_thresholds
    first = _usual_thresholds is None
    if first:
        _usual_thresholds = gc.get_threshold()
        gc.set_threshold(_SELDOM)
    try:
        yield
    finally:
        if first and _usual_thresholds is not None:
            gc.set_threshold(*_usual_thresholds)
            _usual_thresholds = None


@contextmanager
def _stopped_early(workers: list["_Worker"], waiting: Iterable[Future[Result]]) -> Iterator[None]:
    """Ask the processes to end if the block does not come to its end."""
    try:
        yield
    except BaseException:
        for future in waiting:
            future.cancel()
        for worker in workers:
            worker.stop()
        raise


def _next_result(waiting: deque[Future[Result]], fail_early: bool) -> Result:
    """Return the first result, and take it away."""
    while fail_early and not waiting[0].done():
        for future in waiting:
            if future.done():
                future.result()
        wait([future for future in waiting if not future.done()], return_when=FIRST_COMPLETED)
    result = waiting[0].result()
    waiting.popleft()
    return result


_usual_thresholds: tuple[int, int, int] | None = None
_kept: list["_Worker"] | None = None  # processes that wait for work


@contextmanager
def kept_processes() -> Iterator[None]:
    """Let the calls of `map_in_order` inside the block share processes, which end with it."""
    global _kept
    before, _kept = _kept, []
    try:
        yield
    finally:
        for worker in _kept:
            worker.end()
        _kept = before


@contextmanager
def _worker() -> Iterator["_Worker"]:
    """Yield a process, which is kept if it may and can be."""
    worker = _kept.pop() if _kept else _Worker()
    try:
        yield worker
    finally:
        if _kept is None or worker.broken:
            worker.end()
        else:
            _kept.append(worker)


class _Worker:
    """A process that applies functions to what it is sent."""

    def __init__(self) -> None:
        # Libraries with threads of their own would take cores from the other processes, and bars
        # would be drawn over one another.
        alone = {
            "TOKENIZERS_PARALLELISM": "false",
            "RAYON_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "TERM": "dumb",
        }
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "xlmkit.core.parallel"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **alone, "PYTHONPATH": paths},
        )
        self._function: Callable[[Any], Any] | None = None
        self.broken = False

    def stop(self) -> None:
        """Ask the process to end, which saves what it does if that can be saved."""
        self.broken = True
        self._process.terminate()

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def do(self, function: Callable[[Any], Any], item: object) -> Any:  # noqa: ANN401
        """Return what a function makes of an item."""
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        try:
            request = (None if function is self._function else function, item)
            pickle.dump(request, self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
            self._function = function
            result, error = pickle.load(self._process.stdout)  # noqa: S301 - of our own process
        except (EOFError, OSError, pickle.UnpicklingError):  # EINVAL is Windows' broken pipe
            self.broken = True
            raise UserError(
                "A process that shared the work has ended, perhaps for lack of memory; run again."
            ) from None
        if error is not None:
            raise error
        return result


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until the requests end."""
    function: Callable[[Any], Any] | None = None
    while True:
        try:
            new, item = pickle.load(requests)  # noqa: S301 - of the process that started this one
        except EOFError:
            return
        function = new or function
        assert function is not None  # noqa: S101 - the first request brings one
        answer: tuple[Any, Exception | None]
        try:
            answer = (function(item), None)
        except Exception as error:  # it is raised where the results are read
            answer = (None, error)
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


def _main() -> None:
    gc.set_threshold(_SELDOM)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed must not come among the answers
    try:
        _serve(sys.stdin.buffer, answers)
    except (KeyboardInterrupt, OSError, EOFError):
        sys.exit(1)  # the one that asked has gone


if __name__ == "__main__":
    _main()
