import numpy as np
import pytest

from xlmkit.evaluate.calibration import softmax
from xlmkit.evaluate.joining import join_windows

SCORES = np.array([[1, 2], [3, 0], [-1, 1.5], [7, 8]], np.float32)
OWNERS = np.array([0, 0, 0, 1])


@pytest.mark.parametrize(
    ("join", "expected"), [("mean", [1, 3.5 / 3]), ("max", [3, 2]), ("first", [1, 2])]
)
def test_rules_by_hand(join, expected) -> None:
    joined = join_windows(SCORES, OWNERS, join)
    np.testing.assert_allclose(joined, [expected, [7, 8]], rtol=1e-6)


@pytest.mark.parametrize("join", ["mean", "max", "first", "vote"])
@pytest.mark.parametrize("several", [False, True])
def test_a_text_of_one_window_keeps_its_scores(join, several: bool) -> None:
    assert join_windows(SCORES, np.arange(4), join, several=several) is SCORES
    joined = join_windows(SCORES, OWNERS, join, several=several)
    np.testing.assert_array_equal(joined[1], SCORES[3])
    empty = np.empty(0, np.float32)
    assert join_windows(empty, np.empty(0, np.int64), join) is empty


def test_a_vote_counts_windows_and_the_mean_decides_ties() -> None:
    # Two windows for class 1, one by far for class 0: the vote is not moved by the mean.
    joined = join_windows(np.array([[0, 1], [9, 0], [0, 1]], np.float32), np.zeros(3, int), "vote")
    share = softmax(joined)[0]
    assert share[1] == pytest.approx((2 + 1 / (1 + np.exp(3 - 2 / 3))) / 4)
    tie = join_windows(np.array([[0, 1], [9, 0]], np.float32), np.zeros(2, int), "vote")
    assert tie[0].argmax() == 0


def test_where_each_class_is_decided_by_itself_windows_vote_on_each() -> None:
    scores = np.array([[1, -1, 5], [1, -1, -9], [-8, 1, 1]], np.float32)
    joined = join_windows(scores, np.zeros(3, int), "vote", several=True)
    assert (joined[0] >= 0).tolist() == [True, False, True]
    tie = join_windows(scores[1:], np.zeros(2, int), "vote", several=True)
    assert (tie[0] >= 0).tolist() == (scores[1:].mean(axis=0) >= 0).tolist()
