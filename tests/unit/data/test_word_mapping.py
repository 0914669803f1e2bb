import numpy as np
import pytest

from xlmkit.data.word_mapping import map_words
from xlmkit.data.word_vectors import Floats, centred

WORDS, WIDTH = 300, 20


@pytest.fixture(scope="module")
def sides() -> tuple[Floats, Floats]:
    """Return vectors of two languages: word i of one means what word 299 - i means in the other."""
    random = np.random.default_rng(1)
    first = random.normal(size=(WORDS, WIDTH))
    turn, _ = np.linalg.qr(random.normal(size=(WIDTH, WIDTH)))
    second = first @ turn + 0.4 * random.normal(size=(WORDS, WIDTH))
    return centred(first.astype(np.float32)), centred(second[::-1].astype(np.float32))


def test_a_few_words_alike_suffice_to_find_all(sides: tuple[Floats, Floats]) -> None:
    first, second = sides
    alike = np.array([[i, WORDS - 1 - i] for i in range(0, WORDS, 25)])  # 12 of them
    start = first[alike[:, 0]].T @ second[alike[:, 1]]
    left, _, right = np.linalg.svd(start)
    answers = np.arange(WORDS)[::-1]
    before = ((first @ left @ right @ second.T).argmax(axis=1) == answers).mean()
    found = map_words(first, second, alike, words=WORDS, seed=1)
    after = ((found.vectors @ second.T).argmax(axis=1) == answers).mean()
    assert before < 0.6
    assert after > 0.95
    assert len(found.pairs) > 0.95 * WORDS
    right_pairs = found.pairs.sum(axis=1) == WORDS - 1
    assert right_pairs.mean() > 0.95
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-4)


def test_it_is_learned_from_the_frequent_words_and_holds_for_all(
    sides: tuple[Floats, Floats],
) -> None:
    first, second = sides[0], sides[1][::-1]
    alike = np.array([[i, i] for i in range(0, 150, 10)])
    found = map_words(first, second, alike, words=150, seed=1)
    assert found.vectors.shape == first.shape
    assert found.pairs.max() < 150
    rare = (found.vectors[150:] @ second.T).argmax(axis=1) == np.arange(150, WORDS)
    assert rare.mean() > 0.9


def test_the_same_seed_gives_the_same_and_nearness_tells_relatedness(
    sides: tuple[Floats, Floats],
) -> None:
    first, second = sides
    alike = np.array([[i, WORDS - 1 - i] for i in range(0, WORDS, 25)])
    once, again = (map_words(first, second, alike, words=WORDS, seed=3) for _ in range(2))
    np.testing.assert_array_equal(once.vectors, again.vectors)
    noise = centred(np.random.default_rng(9).normal(size=first.shape).astype(np.float32))
    unrelated = map_words(first, noise, alike, words=WORDS, seed=3)
    assert unrelated.nearness < once.nearness - 0.1
    assert len(unrelated.pairs) < len(once.pairs)
