import os
import sys
from collections.abc import Iterator

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
