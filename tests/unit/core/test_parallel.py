import errno
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from xlmkit.core.errors import UserError
from xlmkit.core.parallel import ALONE, kept_processes, map_in_order

ITEMS = range(ALONE + 12)


def with_process(item: int) -> tuple[int, int]:
    sys.stdout.write("this must not come among the answers\n")
    return item, os.getpid()


def refuse(item: int) -> int:
    if item == ALONE + 3:
        raise UserError(f"no {item}")
    return item


def vanish(item: int) -> int:
    if item >= ALONE:
        os._exit(1)
    return item


def test_results_come_in_order_from_several_processes() -> None:
    results = list(map_in_order(with_process, ITEMS, 2))
    assert [item for item, _ in results] == list(ITEMS)
    processes = [process for _, process in results]
    assert set(processes[:ALONE]) == {os.getpid()}
    assert os.getpid() not in processes[ALONE:]
    assert len(set(processes[ALONE:])) == 2


@pytest.mark.parametrize(("count", "processes"), [(ALONE, 2), (ALONE + 12, 1), (0, 2)])
def test_a_little_work_needs_no_other_process(count: int, processes: int) -> None:
    results = list(map_in_order(with_process, range(count), processes))
    assert results == [(item, os.getpid()) for item in range(count)]


def test_mistakes_arrive() -> None:
    with pytest.raises(UserError, match=f"no {ALONE + 3}"):
        list(map_in_order(refuse, ITEMS, 2))


def test_a_process_that_ends_is_told() -> None:
    with pytest.raises(UserError, match="has ended"):
        list(map_in_order(vanish, ITEMS, 2))


def test_items_are_read_as_they_are_needed() -> None:
    read = []

    def items() -> Iterator[int]:
        for item in range(1000):
            read.append(item)
            yield item

    results = map_in_order(with_process, items(), 2)
    for _ in range(ALONE + 1):
        next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(read) < ALONE + 10


def double(item: int) -> tuple[int, int]:
    return 2 * item, os.getpid()


def test_processes_are_kept_for_the_next_function() -> None:
    with kept_processes():
        first = {process for _, process in map_in_order(with_process, ITEMS, 2)} - {os.getpid()}
        again = list(map_in_order(double, ITEMS, 2))
        assert [item for item, _ in again] == [2 * item for item in ITEMS]
        assert {process for _, process in again} == first
    afterwards = {process for _, process in map_in_order(with_process, ITEMS, 2)}
    assert not first & afterwards


def test_a_process_that_ended_is_not_kept() -> None:
    with kept_processes():
        with pytest.raises(UserError, match="has ended"):
            list(map_in_order(vanish, ITEMS, 2))
        assert [item for item, _ in map_in_order(double, ITEMS, 2)] == [2 * i for i in ITEMS]


def save_when_stopped(place: Path | None) -> None:
    """Work for a minute and write a file when asked to stop; fail without a place."""
    if place is None:
        raise UserError("no place")

    def stop(*_: object) -> None:
        place.with_suffix(".saved").touch()
        sys.exit()

    signal.signal(signal.SIGTERM, stop)
    place.touch()
    time.sleep(60)


def wait_for(place: Path) -> None:
    deadline = time.monotonic() + 30
    while not place.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def fail_early(place: Path) -> None:
    def items() -> Iterator[Path | None]:
        yield place
        wait_for(place)
        yield None

    with pytest.raises(UserError, match="no place"):
        list(map_in_order(save_when_stopped, items(), 2, alone=0, fail_early=True))


def fail_beside(place: Path) -> None:
    def items() -> Iterator[Path]:
        yield place
        wait_for(place)
        raise UserError("no more")

    with pytest.raises(UserError, match="no more"):
        list(map_in_order(save_when_stopped, items(), 2, alone=0))


def interrupted(place: Path) -> None:
    def send() -> None:
        wait_for(place)
        os.kill(os.getpid(), signal.SIGINT)

    # Whoever starts the tests in the background of a shell has the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            list(map_in_order(save_when_stopped, [place], 2, alone=0))
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("end", [fail_early, fail_beside, interrupted])
@pytest.mark.parametrize("kept", [False, True])
def test_what_is_being_done_is_stopped_and_saved(
    end: Callable[[Path], None], kept: bool, tmp_path: Path
) -> None:
    began = time.monotonic()
    with kept_processes() if kept else nullcontext():
        end(tmp_path / "item")
        assert (tmp_path / "item.saved").exists()
        again = list(map_in_order(double, ITEMS, 2))  # none that was stopped is kept
        assert [item for item, _ in again] == [2 * item for item in ITEMS]
    assert time.monotonic() - began < 50


def test_a_broken_pipe_of_windows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def invalid(*_: object) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr("xlmkit.core.parallel.pickle.dump", invalid)
    with pytest.raises(UserError, match="has ended"):
        list(map_in_order(double, ITEMS, 2, 0))


def test_cycles_are_seldom_looked_for_while_it_maps() -> None:
    before = gc.get_threshold()
    results = map_in_order(str, range(3), 1)
    next(results)
    assert gc.get_threshold()[0] > before[0]
    other = map_in_order(str, range(2), 1)  # which overlaps, and ends later
    next(other)
    assert list(results) == ["1", "2"]
    assert gc.get_threshold() == before
    assert list(other) == ["1"]
    assert gc.get_threshold() == before


def _threads(name: str) -> str | None:
    return os.environ.get(name)


def test_a_process_has_one_thread_for_each_library() -> None:
    names = ["OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"]
    assert list(map_in_order(_threads, names, 2, alone=0)) == ["1", "1"]
