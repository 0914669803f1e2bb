import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from xlmkit.data.batch import Segment, SegmentRows, assemble


def ids(*values: int) -> NDArray[np.uint16]:
    return np.array(values, np.uint16)


def test_sentences_stand_in_the_originals_form() -> None:
    made = assemble([((ids(20, 21, 22), 0),), ((ids(30), 2),)], 10)
    assert made.tokens.tolist() == [[1, 20, 21, 22, 1], [1, 30, 1, 2, 2]]
    assert made.lengths.tolist() == [5, 3]
    assert made.positions.tolist() == [[0, 1, 2, 3, 4], [0, 1, 2, 0, 0]]
    assert made.languages.tolist() == [[0, 0, 0, 0, 0], [2, 2, 2, 0, 0]]


def test_positions_restart_and_languages_change_at_the_second_sentence() -> None:
    made = assemble([((ids(20, 21), 1), (ids(30), 0)), ((ids(), 2), (ids(40), 1))], 10)
    assert made.tokens.tolist() == [[1, 20, 21, 1, 1, 30, 1], [1, 1, 1, 40, 1, 2, 2]]
    assert made.lengths.tolist() == [7, 5]
    assert made.positions.tolist() == [[0, 1, 2, 3, 0, 1, 2], [0, 1, 0, 1, 2, 0, 0]]
    assert made.languages.tolist() == [[1, 1, 1, 1, 0, 0, 0], [2, 2, 1, 1, 1, 0, 0]]


def test_joined_sentences_share_an_end_and_positions_go_on() -> None:
    rows = [((ids(20, 21), 1), (ids(30), 0)), ((ids(), 2), (ids(40), 1)), ((ids(50), 0),)]
    made = assemble(rows, 10, "joined")
    assert made.tokens.tolist() == [[1, 20, 21, 1, 30, 1], [1, 1, 40, 1, 2, 2], [1, 50, 1, 2, 2, 2]]
    assert made.lengths.tolist() == [6, 4, 3]
    assert made.positions.tolist() == [[0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 0, 0], [0, 1, 2, 0, 0, 0]]
    assert made.languages.tolist()[0] == [1, 1, 1, 0, 0, 0]  # as the original has it
    long = assemble([((ids(*range(20, 30)), 0), (ids(*range(40, 50)), 0))], 9, "joined")
    assert long.tokens.tolist() == [[1, 20, 21, 22, 1, 40, 41, 42, 1]]
    sequences = SegmentRows(rows, 5, "joined")
    assert (sequences.lengths.tolist(), sequences.n_cut) == ([5, 4, 3], 1)


def test_a_long_sentence_loses_its_end() -> None:
    made = assemble([((ids(*range(20, 40)), 0),)], 8)
    assert made.tokens.tolist() == [[1, 20, 21, 22, 23, 24, 25, 1]]


def test_a_long_pair_loses_the_ends_in_proportion() -> None:
    long, short = ids(*range(100, 130)), ids(*range(200, 210))
    made = assemble([((long, 0), (short, 1))], 24)
    assert made.lengths.tolist() == [24]
    row = made.tokens[0].tolist()
    assert row == [1, *range(100, 115), 1, 1, *range(200, 205), 1]
    untouched = assemble([((long, 0), (short, 1))], 44)
    assert untouched.lengths.tolist() == [44]


_SEGMENT = st.lists(st.integers(14, 60000), max_size=60)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(_SEGMENT, min_size=1, max_size=3), min_size=1, max_size=5),
    longest=st.integers(9, 80),
)
def test_nothing_exceeds_the_longest_and_every_sentence_keeps_its_ends(
    rows: list[list[list[int]]], longest: int
) -> None:
    sequences: list[tuple[Segment, ...]] = [
        tuple((np.array(part, np.uint16), code) for code, part in enumerate(row)) for row in rows
    ]
    made = assemble(sequences, longest)
    assert made.tokens.shape[1] == made.lengths.max() <= longest
    for number, row in enumerate(rows):
        length = int(made.lengths[number])
        line = made.tokens[number]
        assert (line[length:] == 2).all()
        assert (line[:length] == 1).sum() == 2 * len(row)
        for code, part in enumerate(row):
            mine = line[:length][made.languages[number, :length] == code]
            assert mine[0] == mine[-1] == 1
            kept = mine[1:-1].tolist()
            assert kept == part[: len(kept)]
            assert kept or not part
        if sum(map(len, row)) + 2 * len(row) <= longest:
            assert length == sum(map(len, row)) + 2 * len(row)


def test_tensors_share_the_arrays_memory() -> None:
    arrays = assemble([((ids(20, 21), 0),), ((ids(30), 1),)], 10)
    assert {a.dtype for a in (arrays.tokens, arrays.lengths, arrays.positions)} == {np.dtype("i8")}
    inputs = arrays.tensors()
    fields = (inputs.tokens, inputs.lengths, inputs.positions, inputs.languages)
    assert {field.dtype for field in fields} == {torch.int64}
    assert inputs.n_tokens == 7
    arrays.tokens[0, 1] = 99
    assert inputs.tokens[0, 1] == 99
    moved = inputs.to(torch.device("meta"))
    assert moved.languages.device.type == moved.lengths.device.type == "meta"


def test_rows_know_their_lengths_and_give_batches() -> None:
    rows = SegmentRows([((ids(20, 21), 1),), ((ids(*range(30)), 0), (ids(40), 1))], 12)
    assert rows.lengths.tolist() == [4, 12]
    batch = rows.batch([1, 0])
    assert (batch.lengths.tolist(), batch.n_tokens) == ([12, 4], 16)
    given = batch.fed_to(lambda *tensors: tensors)
    assert given == (batch.tokens, batch.lengths, batch.positions, batch.languages)
