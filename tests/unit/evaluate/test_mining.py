import numpy as np
import pytest

from xlmkit.evaluate.mining import mine, on_disk, to_one_space
from xlmkit.evaluate.mining_scores import best_threshold, judge
from xlmkit.evaluate.spaces import comparable


def shuffled(n: int, strangers: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors of `n` translations in another order and with noise, then some without any."""
    random = np.random.default_rng(0)
    a = random.normal(size=(n + strangers, 24)).astype(np.float32)
    order = random.permutation(n)
    b = a[order] + 0.2 * random.normal(size=(n, 24)).astype(np.float32) + 3
    b = np.concatenate([b, random.normal(size=(strangers, 24)) + 3]).astype(np.float32)
    to_one_space(a)
    to_one_space(b)
    return a, b, order


def test_pairs_are_found_once_and_the_best_come_first() -> None:
    a, b, order = shuffled(60, 20)
    pairs = mine(a, b)
    assert len(set(pairs.first.tolist())) == len(pairs.first)
    assert len(set(pairs.second.tolist())) == len(pairs.second)
    assert (np.diff(pairs.scores) <= 0).all()
    best = pairs.above(float(pairs.scores[59]))
    assert {(int(i), int(j)) for i, j in zip(best.first, best.second, strict=True)} == {
        (int(i), j) for j, i in enumerate(order)
    }


def test_scores_are_the_margins_of_the_formula() -> None:
    a, b, _ = shuffled(20, 5)
    cosines = a @ b.T
    near_a = np.sort(cosines, axis=1)[:, -3:].mean(axis=1)
    near_b = np.sort(cosines, axis=0)[-3:].mean(axis=0)
    pairs = mine(a, b, neighbours=3)
    expected = cosines[pairs.first, pairs.second] / (
        (near_a[pairs.first] + near_b[pairs.second]) / 2
    )
    np.testing.assert_allclose(pairs.scores, expected, rtol=1e-4)


def test_vectors_are_brought_to_one_space_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xlmkit.evaluate.mining._ROWS", 7)
    vectors = np.random.default_rng(1).normal(2, 1, (30, 4)).astype(np.float32)
    centred = vectors - vectors.mean(axis=0)
    to_one_space(vectors)
    expected = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, expected, atol=1e-5)


@pytest.mark.parametrize("whiten", [False, True])
def test_maps_of_files_come_into_the_space_of_retrieval(
    monkeypatch: pytest.MonkeyPatch, whiten: bool
) -> None:
    monkeypatch.setattr("xlmkit.evaluate.mining._ROWS", 7)
    random = np.random.default_rng(3)
    a, b = (random.normal(i, 1 + i, (20 + 9 * i, 4)).astype(np.float32) for i in range(2))
    expected = comparable(a, b, whiten=whiten)
    with on_disk([a[:9], a[9:]], 20, "a") as one, on_disk([b], 29, "b") as other:
        to_one_space(one, other, whiten=whiten)
        np.testing.assert_allclose(one, expected[0], atol=1e-4)
        np.testing.assert_allclose(other, expected[1], atol=1e-4)


def test_the_threshold_has_the_best_f1_of_all() -> None:
    random = np.random.default_rng(2)
    for _ in range(20):
        scores = random.integers(0, 8, 30).astype(np.float32)
        right = random.random(30) < scores / 10
        if not right.any():
            continue
        n_gold = int(right.sum()) + 3
        found = best_threshold(scores, right, n_gold)
        values = [judge(scores, right, n_gold, t).f1 for t in np.unique(scores)]
        assert judge(scores, right, n_gold, found).f1 == pytest.approx(max(values))
    nothing = best_threshold(np.ones(2, np.float32), np.zeros(2, bool), 1)
    assert judge(np.ones(2, np.float32), np.zeros(2, bool), 1, nothing).pairs == 0


def test_precision_and_recall_are_counted() -> None:
    found = judge(np.array([3, 2, 1], np.float32), np.array([True, False, True]), 4, 2.0)
    assert (found.pairs, found.precision, found.recall) == (2, 0.5, 0.25)
    assert found.f1 == pytest.approx(1 / 3)
