from dataclasses import replace

import numpy as np
import pytest

from xlmkit.core.errors import UserError
from xlmkit.data.sampler import Draw
from xlmkit.data.shards import Sentences, Shards
from xlmkit.data.translations import (
    DirectedPairs,
    Direction,
    LanguageSentences,
    directions_of,
    target_batch,
    translation_batch,
)
from xlmkit.text.vocabulary import EOS, PAD


class TwoLanguages(Shards):
    """Three English and two French sentences; the words of French are 50 higher."""

    def __init__(self) -> None:
        self.rows = {"en": [[20, 21], [22], [23, 24, 25]], "fr": [[70, 71, 76], [72]], "de": []}

    languages = property(lambda self: list(self.rows))

    def sentences(self, split: str, language: str) -> Sentences:
        rows = self.rows[language]
        tokens = [token for row in rows for token in (*row, EOS)]
        starts = np.cumsum([0, *(len(row) + 1 for row in rows)])
        return Sentences(np.array(tokens), starts)

    def pairs(self, split: str) -> dict[tuple[str, str], np.ndarray]:
        return {("en", "fr"): np.array([[0, 0], [1, 1]]), ("en", "de"): np.zeros((0, 2), int)}


def draw(*items: tuple[int, int]) -> Draw:
    return Draw(*map(np.array, zip(*items, strict=True)))


def test_a_batch_in_the_originals_form() -> None:
    batch = translation_batch(
        [(np.array([20, 21]), 0), (np.array([22]), 0)],
        [(np.array([70]), 1), (np.array([71, 72]), 1)],
        16,
    )
    assert batch.source.tokens.tolist() == [[EOS, 20, 21, EOS], [EOS, 22, EOS, PAD]]
    assert batch.source.lengths.tolist() == [4, 3]
    assert batch.source.positions[0].tolist() == [0, 1, 2, 3]
    target = batch.target
    assert target.inputs.tokens.tolist() == [[EOS, 70, EOS], [EOS, 71, 72]]
    assert target.inputs.lengths.tolist() == [2, 3]
    assert target.predict.tolist() == [0, 1, 3, 4, 5]
    assert target.targets.tolist() == [70, EOS, 71, 72, EOS]
    assert target.groups.tolist() == [1] * 5
    assert batch.n_tokens == 7 + 5


def test_at_most_so_many_pairs_are_spread_over_all() -> None:
    directions = directions_of(TwoLanguages(), "train")
    many = {n: replace(d, numbers=np.repeat(d.numbers, 3, axis=0)) for n, d in directions.items()}
    pairs = DirectedPairs(many, 16, alpha=1.0, most=2)
    assert [group.lengths.tolist() for group in pairs.groups] == [[2 * 5, 2 * 3]] * 2
    same = DirectedPairs(directions, 16, alpha=1.0, most=9)
    assert [len(group.lengths) for group in same.groups] == [2, 2]


def test_the_language_of_a_target_goes_with_each_of_its_words() -> None:
    target = target_batch([(np.array([70]), 1), (np.array([20, 21]), 0)], 16)
    assert target.inputs.languages.tolist()[1] == [0, 0, 0]
    assert target.groups.tolist() == [1, 1, 0, 0, 0]


def test_both_directions_of_a_pair() -> None:
    directions = directions_of(TwoLanguages(), "train")
    assert list(directions) == ["en-fr", "fr-en"]  # there is no pair with German
    pairs = DirectedPairs(directions, 16, alpha=1.0)
    assert [group.name for group in pairs.groups] == ["en-fr", "fr-en"]
    assert pairs.groups[0].lengths.tolist() == [2 * 5, 2 * 3]
    batch = pairs.batch(draw((0, 0), (1, 1)))
    assert batch.source.tokens.tolist() == [[EOS, 20, 21, EOS], [EOS, 72, EOS, PAD]]
    assert batch.target.targets.tolist() == [70, 71, 76, EOS, 22, EOS]
    assert batch.source.languages[:, 0].tolist() == [0, 1]
    assert batch.target.groups.tolist() == [1, 1, 1, 1, 0, 0]


def test_chosen_directions() -> None:
    assert list(directions_of(TwoLanguages(), "train", ["fr-en"])) == ["fr-en"]
    with pytest.raises(UserError, match="no translations for en-de, only for en-fr, fr-en"):
        directions_of(TwoLanguages(), "train", ["en-fr", "en-de"])


def test_pairs_with_a_long_sentence_are_left_out() -> None:
    directions = directions_of(TwoLanguages(), "train")
    pairs = DirectedPairs(directions, 4, alpha=1.0)
    assert [len(group.lengths) for group in pairs.groups] == [1, 1]
    total = len(directions["en-fr"].numbers)
    assert pairs.left_out == {"en-fr": total - 1, "fr-en": total - 1}
    assert pairs.batch(draw((0, 0))).target.targets.tolist() == [72, EOS]
    with pytest.raises(UserError, match="of at most 2 tokens"):
        DirectedPairs(directions, 2, alpha=1.0)
    empty = Direction(*(directions["en-fr"].source, 0) * 2, np.zeros((0, 2), int))
    with pytest.raises(UserError, match="no translations"):
        DirectedPairs({"en-fr": empty}, 16, alpha=1.0)


def test_sentences_of_languages() -> None:
    sentences = LanguageSentences(TwoLanguages(), "train", {"a": "en", "b": "fr"}, 4, alpha=1.0)
    assert [(g.name, g.lengths.tolist()) for g in sentences.groups] == [("a", [8, 6]), ("b", [6])]
    found = sentences.segments(draw((0, 1), (1, 0)))
    assert [(ids.tolist(), language) for ids, language in found] == [([22], 0), ([72], 1)]
    with pytest.raises(UserError, match="no text in de"):
        LanguageSentences(TwoLanguages(), "train", {"de": "de"}, 4, alpha=1.0)
