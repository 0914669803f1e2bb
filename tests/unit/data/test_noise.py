"""The noise against its definition: Lample et al. 2018, section 2.3, on whole words."""

import numpy as np
import pytest

from xlmkit.data.noise import NoiseConfig, add_noise
from xlmkit.text.vocabulary import MASK

FIRST = 14
ENDS = np.array([False] * FIRST + [False, True] * 50)  # even ids go on, odd ones end a word
SENTENCE = np.array([15, 14, 16, 17, 19, 21, 18, 23, 25, 27, 29, 31])
WORDS = [(15,), (14, 16, 17), (19,), (21,), (18, 23), (25,), (27,), (29,), (31,)]


def noised(random: np.random.Generator, ids: np.ndarray = SENTENCE, **rates: float) -> np.ndarray:
    config = NoiseConfig(**{"shuffle": 0.0, "dropout": 0.0, "blank": 0.0, **rates})
    return add_noise(ids, ENDS, config, random)


def words_of(ids: np.ndarray) -> list[tuple[int, ...]]:
    cuts = np.flatnonzero(ENDS[ids])[:-1] + 1
    return [tuple(part.tolist()) for part in np.split(ids, cuts)]


def test_without_rates_nothing_changes() -> None:
    assert noised(np.random.default_rng(0)).tolist() == SENTENCE.tolist()
    assert noised(np.random.default_rng(0), shuffle=1.0).tolist() == SENTENCE.tolist()


@pytest.mark.parametrize("shuffle", [1.5, 3.0, 5.0])
def test_whole_words_move_by_less_than_the_distance(shuffle: float) -> None:
    random, moves = np.random.default_rng(0), []
    for _ in range(300):
        found = words_of(noised(random, shuffle=shuffle))
        assert sorted(found) == sorted(WORDS)
        moves += [abs(found.index(word) - place) for place, word in enumerate(WORDS)]
    assert max(moves) == int(np.ceil(shuffle)) - 1


def test_the_order_is_that_of_places_plus_uniform_numbers() -> None:
    for seed in range(20):
        found = words_of(noised(np.random.default_rng(seed), shuffle=4.0))
        q = np.arange(len(WORDS)) + np.random.default_rng(seed).uniform(0, 4.0, len(WORDS))
        assert found == [WORDS[i] for i in np.argsort(q)]


def test_whole_words_are_left_out_at_their_rate() -> None:
    random, kept = np.random.default_rng(0), 0
    for _ in range(500):
        found = words_of(noised(random, dropout=0.3))
        assert [word for word in WORDS if word in found] == found
        kept += len(found)
    assert kept / (500 * len(WORDS)) == pytest.approx(0.7, abs=0.02)


def test_one_word_is_always_left() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        assert noised(random, np.array([14, 15]), dropout=0.99).tolist() == [14, 15]
    assert len(noised(random, np.array([], np.int64), dropout=0.5, shuffle=3.0)) == 0


def test_all_of_a_blanked_word_is_masked() -> None:
    random, blanked = np.random.default_rng(0), 0
    for _ in range(500):
        found = noised(random, blank=0.2)
        assert len(found) == len(SENTENCE)
        start = 0
        for word in WORDS:
            part = found[start : start + len(word)].tolist()
            assert part in (list(word), [MASK] * len(word))
            blanked += part[0] == MASK
            start += len(word)
    assert blanked / (500 * len(WORDS)) == pytest.approx(0.2, abs=0.02)


def test_a_sentence_may_end_within_a_word() -> None:
    found = noised(np.random.default_rng(1), np.array([15, 14, 16]), shuffle=3.0)
    assert sorted(found.tolist()) == [14, 15, 16]
