"""Neighbours in blocks against the plain formulas on whole matrices."""

import numpy as np
import pytest

from xlmkit.evaluate import neighbours
from xlmkit.evaluate.neighbours import Comparison, nearest
from xlmkit.evaluate.spaces import comparable, of_length_one


def vectors(n: int, seed: int, width: int = 6) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)
    return of_length_one(drawn + 0.5)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_TILE", 7)
    monkeypatch.setattr(neighbours, "_CELLS", 35)


@pytest.mark.parametrize("k", [1, 4, 50])
def test_the_nearest_are_those_of_the_whole_matrix(k: int) -> None:
    a, b = vectors(23, 0), vectors(17, 1)
    found = nearest(a, b, k)
    cosines = a @ b.T
    order = np.argsort(-cosines, axis=1)[:, :k]
    np.testing.assert_array_equal(found.places, order)
    np.testing.assert_allclose(found.cosines, np.take_along_axis(cosines, order, 1), rtol=1e-5)


@pytest.mark.parametrize("measure", ["cosine", "margin", "csls"])
def test_scores_follow_the_formulas(measure: neighbours.Measure) -> None:
    a, b = vectors(23, 0), vectors(17, 1)
    cosines = a @ b.T
    of_a = np.sort(cosines, axis=1)[:, -4:].mean(axis=1)[:, None]
    of_b = np.sort(cosines, axis=0)[-4:].mean(axis=0)[None]
    expected = {
        "cosine": cosines,
        "margin": cosines / ((of_a + of_b) / 2),
        "csls": 2 * cosines - of_a - of_b,
    }[measure]
    comparison = Comparison.of(a, b, measure, 4)
    made = np.concatenate([scores for _, scores in comparison.scores(a, b)])
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-6)
    turned = np.concatenate([scores for _, scores in comparison.turned.scores(b, a)])
    np.testing.assert_allclose(turned, expected.T, rtol=1e-4, atol=1e-6)


def test_whitened_vectors_vary_alike_in_all_directions() -> None:
    random = np.random.default_rng(0)
    stretch = np.diag([3, 1, 0.5]).astype(np.float32)
    a, b = (random.normal(size=(4000, 3)).astype(np.float32) @ stretch + 5 for _ in range(2))
    one, two = comparable(a, b, whiten=True)
    spread = np.cov(np.concatenate([one, two]), rowvar=False)
    np.testing.assert_allclose(spread, np.eye(3) / 3, atol=0.05)
    plain, _ = comparable(a, b)
    assert np.var(plain, axis=0).max() > 5 * np.var(plain, axis=0).min()
