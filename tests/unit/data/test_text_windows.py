import numpy as np
import pytest

from xlmkit.data.text_windows import cut_rows, starts


@pytest.mark.parametrize(
    ("length", "room", "stride", "expected"),
    [
        (5, 5, 2, [0]),
        (0, 5, 2, [0]),
        (6, 5, 2, [0, 1]),
        (11, 5, 2, [0, 3, 6]),
        (12, 5, 2, [0, 3, 6, 7]),
        (9, 4, 99, [0, 2, 4, 5]),
        (3, 1, 5, [0, 1, 2]),
    ],
)
def test_windows_begin(length: int, room: int, stride: int, expected: list[int]) -> None:
    assert starts(length, room, stride) == expected


@pytest.mark.parametrize("stride", [0, 1, 3, 50])
@pytest.mark.parametrize("length", range(1, 30))
def test_windows_hold_every_token_and_are_of_one_length(length: int, stride: int) -> None:
    row = ((np.arange(length), 3),)
    windows = cut_rows([row], 9, stride)
    parts = [ids for ((ids, language),) in windows.rows if language == 3]
    assert set(np.concatenate(parts).tolist()) == set(range(length))
    assert {len(part) for part in parts} == {min(length, 7)}
    assert len(parts) == len(windows.rows) == len(windows.owners)


def test_of_a_pair_the_longer_text_is_cut() -> None:
    short, long = (np.arange(3), 0), (np.arange(100, 120), 1)
    made = cut_rows([(short, long), (long, short), (short, short)], 12, 1)
    assert made.owners.tolist() == [0] * 5 + [1] * 5 + [2]
    for first, second in made.rows[:5]:
        assert first[0].tolist() == [0, 1, 2]
        assert (len(second[0]), second[1]) == (5, 1)
    for first, second in made.rows[5:10]:
        assert second[0].tolist() == [0, 1, 2]
        assert len(first[0]) == 5
    assert made.rows[10][0] is made.rows[10][1] is short


def test_two_long_texts_share_the_room() -> None:
    a, b = (np.arange(20), 0), (np.arange(30), 0)
    made = cut_rows([(a, b)], 14, 2)
    assert all(len(x[0]) == 5 and len(y[0]) == 5 for x, y in made.rows)
    assert made.rows[-1][1][0][-1] == 29


def test_a_stride_of_more_than_half_is_told_once_where_it_matters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [((np.arange(length), 0),) for length in (3, 20, 30)]
    cut_rows(rows, 12, 5)
    cut_rows(rows[:1], 12, 99)
    assert capsys.readouterr().err == ""
    cut_rows(rows, 12, 99)
    assert capsys.readouterr().err == (
        "Windows of 12 tokens share at most half of them: 5, not 99; lower the stride, or raise "
        "the length.\n"
    )
