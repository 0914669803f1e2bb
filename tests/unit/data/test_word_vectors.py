import numpy as np
import pytest

from xlmkit.data import word_vectors
from xlmkit.data.shards import Sentences
from xlmkit.data.word_vectors import WordVectors

FIRST = 14  # ids below belong to special tokens


def sentences(*rows: list[int]) -> Sentences:
    starts = np.cumsum([0, *(len(row) + 1 for row in rows)])
    return Sentences(np.array([id_ for row in rows for id_ in (*row, 1)], np.uint16), starts)


def vectors_of(text: Sentences, width: int = 4, window: int = 2, least: int = 1) -> WordVectors:
    return WordVectors.of(text, FIRST + 10, width, window, least, seed=1)


def test_words_stand_by_frequency_and_rare_ones_have_no_place() -> None:
    found = vectors_of(sentences([15, 14, 15], [15, 14, 16, 3]), least=2)
    assert found.ids.tolist() == [15, 14]
    assert found.counts.tolist() == [3, 2]
    assert found.vectors.shape == (2, 4)
    assert not found.vectors[:, 2:].any()  # no more dimensions than words


def test_nothing_is_learned_where_no_word_is_frequent_or_has_a_neighbour() -> None:
    assert vectors_of(sentences([15, 14]), least=2).vectors.shape == (0, 4)
    alone = vectors_of(sentences([15], [15], [14], [14]), least=2)
    assert alone.ids.tolist() == [14, 15]
    assert not alone.vectors.any()


def test_words_with_the_same_neighbours_lie_together() -> None:
    """14 and 15 stand beside 16 and 17, and 18 and 19 beside 20 and 21."""
    random = np.random.default_rng(3)
    rows = [
        [int(random.choice(pair)) + 14 for pair in pairs]
        for pairs in [((0, 1), (2, 3)), ((4, 5), (6, 7))] * 200
    ]
    found = vectors_of(sentences(*rows))
    of_word = dict(zip(found.ids.tolist(), found.vectors, strict=True))
    assert of_word[14] @ of_word[15] > 0.9
    assert of_word[18] @ of_word[19] > 0.9
    assert abs(of_word[14] @ of_word[18]) < 0.5


def test_no_window_reaches_into_another_sentence_or_beyond_its_size() -> None:
    place = np.full(30, -1)
    place[[14, 15, 16]] = [0, 1, 2]
    text = sentences([14, 15, 16], [15])
    for window, expected in [(1, {1: 1.0, 5: 1.0}), (2, {1: 1.0, 2: 0.5, 5: 1.0})]:
        keys, sums = word_vectors._together(text.tokens, place, window)
        assert dict(zip(keys.tolist(), sums.tolist(), strict=True)) == expected


def test_a_long_text_is_read_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_vectors, "_BLOCK", 10)
    monkeypatch.setattr(word_vectors, "_MOST_BLOCKS", 4)
    blocks = list(word_vectors._blocks(np.arange(100, dtype=np.uint16)))
    assert [int(block[0]) for block in blocks] == [0, 20, 50, 70]
    assert [len(block) for block in blocks] == [10] * 4
    assert len(list(word_vectors._blocks(np.arange(35, dtype=np.uint16)))) == 4


def test_blocks_give_the_counts_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    text = sentences(*[random.integers(14, 24, 6).tolist() for _ in range(50)])
    place = np.arange(24) - 14
    whole = word_vectors._together(text.tokens, place, 3)
    monkeypatch.setattr(word_vectors, "_BLOCK", 7 * 10)  # sentences with their ends
    parts = word_vectors._together(text.tokens, place, 3)
    assert parts[0].tolist() == whole[0].tolist()
    np.testing.assert_allclose(parts[1], whole[1], rtol=1e-6)


def test_vectors_are_those_of_the_exact_decomposition() -> None:
    random = np.random.default_rng(7)
    text = sentences(*[(14 + random.zipf(1.5, 8) % 10).tolist() for _ in range(300)])
    found = vectors_of(text, width=3, window=2)
    place = np.full(24, -1)
    place[found.ids] = np.arange(len(found.ids))
    counts = np.zeros((len(found.ids),) * 2)
    for row in range(len(text)):
        words = place[text[row]]
        for i, first in enumerate(words):
            for distance, second in enumerate(words[i + 1 : i + 3], 1):
                counts[first, second] += 1 / distance
                counts[second, first] += 1 / distance
    context = counts.sum(0) ** 0.75
    with np.errstate(divide="ignore"):
        expected = np.log(counts / counts.sum(1)[:, None] / (context / context.sum()))
    left, scale, _ = np.linalg.svd(np.maximum(expected, 0))
    exact = word_vectors.centred(left[:, :3] * scale[:3] ** 0.5)
    np.testing.assert_allclose(found.vectors @ found.vectors.T, exact @ exact.T, atol=1e-3)
    np.testing.assert_array_equal(vectors_of(text, 3, 2).vectors, found.vectors)
