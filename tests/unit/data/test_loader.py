import threading
import time

import pytest

from xlmkit.data.loader import Prefetcher


def running() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "batches"}


def test_values_come_in_order() -> None:
    with Prefetcher(lambda number: number * number, 3, 40) as values:
        assert list(values) == [number * number for number in range(3, 40)]
    assert not running()


def test_an_empty_range_gives_nothing() -> None:
    with Prefetcher(lambda number: number, 5, 5) as values:
        assert list(values) == []


def test_values_are_made_ahead_but_not_without_bound() -> None:
    made: list[int] = []
    enough = threading.Event()

    def make(number: int) -> int:
        made.append(number)
        if number == 4:
            enough.set()
        return number

    with Prefetcher(make, 0, 1000, depth=4) as values:
        assert next(iter(values)) == 0
        assert enough.wait(5)
        time.sleep(0.05)
        assert len(made) <= 1 + 4 + 1  # taken, waiting, in hand
    assert not running()


def test_values_are_made_in_another_thread() -> None:
    with Prefetcher(lambda _: threading.current_thread(), 0, 2) as values:
        assert threading.current_thread() not in list(values)


@pytest.mark.parametrize("error", [ValueError("bad line"), KeyboardInterrupt()])
def test_an_exception_is_raised_where_its_value_would_have_come(error: BaseException) -> None:
    made = []

    def make(number: int) -> int:
        made.append(number)
        if number == 2:
            raise error
        return number

    got: list[int] = []

    def consume() -> None:
        with Prefetcher(make, 0, 10) as values:
            got.extend(values)

    with pytest.raises(type(error)) as caught:
        consume()
    assert caught.value is error
    assert made == [0, 1, 2]
    assert not running()


def test_values_before_an_exception_arrive() -> None:
    got: list[int] = []

    def make(number: int) -> int:
        if number == 3:
            raise ValueError(number)
        return number

    def consume() -> None:
        with Prefetcher(make, 0, 10) as values:
            for value in values:
                got.append(value)  # noqa: PERF402 - what came before the exception counts

    with pytest.raises(ValueError, match="3"):
        consume()
    assert got == [0, 1, 2]


def test_closing_early_ends_the_thread_though_its_queue_is_full() -> None:
    began = time.monotonic()
    with Prefetcher(lambda number: number, 0, 10**9, depth=1) as values:
        for value in values:
            if value == 3:
                break
    assert not running()
    assert time.monotonic() - began < 5


def test_an_exception_in_the_loop_ends_the_thread() -> None:
    def consume() -> None:
        with Prefetcher(lambda number: number, 0, 10**9) as values:
            for _ in values:
                raise RuntimeError("the loop")

    with pytest.raises(RuntimeError, match="the loop"):
        consume()
    assert not running()


def test_asking_for_more_than_was_made_is_an_error_not_a_wait() -> None:
    with Prefetcher(lambda number: number, 0, 2) as values:
        assert list(values) == [0, 1]
        with pytest.raises(RuntimeError, match="thread that makes batches"):
            list(values)
