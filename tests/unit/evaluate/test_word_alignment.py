import numpy as np
import pytest

from xlmkit.core.errors import UserError
from xlmkit.evaluate.word_alignment import (
    Gold,
    aligned_tokens,
    aligned_words,
    alignment_quality,
    read_gold,
    to_pharaoh,
)

# The second source token is nearest to the first target token, which is nearer to another.
SIMILARITY = np.array([[0.9, 0.1, 0.2], [0.8, 0.7, 0.1], [0.1, 0.2, -0.5]])


def test_argmax_keeps_pairs_that_are_nearest_both_ways() -> None:
    assert aligned_tokens(SIMILARITY, "argmax") == [(0, 0)]


def test_itermax_goes_on_with_what_has_found_nothing() -> None:
    # In the second round rows 1 and 2 and columns 1 and 2 are free: (1 + 0.7) / 2 = 0.85 is best in
    # row and column; of row 2 the free columns give 0.6 and 0.25, of which (2, 1) loses to (1, 1).
    assert aligned_tokens(SIMILARITY, "itermax") == [(0, 0), (1, 1)]


def test_itermax_never_adds_what_is_found_on_both_sides() -> None:
    similarity = -np.ones((2, 2)) + 0.5 * np.eye(2)
    assert aligned_tokens(similarity, "itermax") == [(0, 0), (1, 1)]


def test_softmax_keeps_pairs_that_are_likely_both_ways() -> None:
    dots = np.array([[10.0, 0.0], [9.5, 0.0], [0.0, 9.0]])
    # Each row and column by itself: 9.5 against 10 is likely enough, 0 against 9 is not.
    assert aligned_tokens(dots, "softmax") == [(0, 0), (1, 0), (2, 1)]


@pytest.mark.parametrize("method", ["argmax", "itermax", "softmax"])
def test_nothing_is_aligned_with_nothing(method: str) -> None:
    assert aligned_tokens(np.empty((0, 3)), method) == []


def test_words_are_aligned_where_any_tokens_are() -> None:
    assert aligned_words([(0, 0), (1, 0), (2, 3)], [0, 0, 1], [0, 1, 1, 2]) == [(0, 0), (1, 2)]
    assert to_pharaoh([(0, 0), (1, 2)]) == "0-0 1-2"


def test_error_rate_is_that_of_och_and_ney(tmp_path) -> None:
    path = tmp_path / "gold"
    path.write_text("1-1 2p2\n1-2\n", encoding="utf-8")
    gold = read_gold(path, first=1)
    assert gold[0] == Gold(frozenset({(0, 0)}), frozenset({(0, 0), (1, 1)}))
    found = [[(0, 0), (1, 1)], [(0, 0)]]
    quality = alignment_quality(found, gold)
    # |A| = 3, |S| = 2, |A and S| = 1, |A and P| = 2
    assert quality.precision == pytest.approx(2 / 3)
    assert quality.recall == pytest.approx(1 / 2)
    assert quality.error_rate == pytest.approx(1 - 3 / 5)


def test_mistakes_are_told(tmp_path) -> None:
    path = tmp_path / "gold"
    path.write_text("0-0 1:1\n", encoding="utf-8")
    with pytest.raises(UserError, match="line 1: '1:1' is no pair of words"):
        read_gold(path)
    path.write_text("0-0\n", encoding="utf-8")
    with pytest.raises(UserError, match="'0-0' is no pair"):
        read_gold(path, first=1)
    gold = read_gold(path)
    with pytest.raises(UserError, match="2 pairs of sentences but 1 gold"):
        alignment_quality([[], []], gold)
    with pytest.raises(UserError, match="no sure pair"):
        alignment_quality([[]], [Gold(frozenset(), frozenset())])
