from pathlib import Path

import numpy as np
import pytest

from xlmkit.core.errors import UserError
from xlmkit.evaluate.config import DictionaryConfig, LexiconConfig
from xlmkit.evaluate.dictionaries import read_dictionary
from xlmkit.evaluate.lexicons import _rank, measure_lexicons
from xlmkit.evaluate.protocols import Cut, Pooled
from xlmkit.evaluate.text_states import TextStates


class Letters:
    """An encoder whose words are points on a circle, a language turned by a little."""

    languages = ("en", "de")
    n_layers = 1

    def word_vectors(self, words, language):
        turn = 0.01 if language == "de" else 0.0
        angles = np.array([ord(word[0].lower()) - 97 for word in words]) / 4 + turn
        known = np.array(["?" not in word for word in words], bool)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32), known

    def cut(self, texts, language):
        return Cut(len(texts), 0)

    def pooled_states(self, texts, language, stride=None):
        vectors, _ = self.word_vectors(texts, language)
        noise = np.random.default_rng(len(texts)).normal(size=vectors.shape).astype(np.float32)
        return Pooled(np.stack([noise, vectors], axis=1), 0, 9)


def config(path: Path, **more) -> LexiconConfig:
    one = DictionaryConfig(path=str(path), source="en", target="de", **more)
    return LexiconConfig(dictionaries=(one,), centre=False, neighbours=3)


def measured(path: Path, layer: int = 1, **more) -> dict:
    section = config(path, **more)
    read = [read_dictionary(one, path.parent) for one in section.dictionaries]
    reader = TextStates(Letters(), None, "evaluate.lexicons.words")
    return measure_lexicons(Letters(), reader, read, section, layer)


@pytest.fixture
def dictionary(tmp_path: Path) -> Path:
    path = tmp_path / "en-de.txt"
    rows = [f"{letter}x\t{letter.upper()}y" for letter in "abcdefghijklmnopqrst"]
    path.write_text("\n".join([*rows, "ax Sz", "b? Bq", "c C?", "one two three", ""]), "utf-8")
    return path


def test_words_are_found_and_unknown_ones_counted(dictionary: Path, capfd) -> None:
    found = measured(dictionary)["directions"]["en-de"]
    assert (found["n"], found["candidates"]) == (20, 22)
    assert found["unknown"] == {"source": 1, "target": 1}
    for kind in ("static", "contextual"):
        for measure in ("cosine", "csls"):
            # By and Sy are tied with Bq and Sz, which translate other words: half of each counts.
            assert found[kind][measure]["1"]["value"] == pytest.approx(19 / 20)
            assert found[kind][measure]["5"]["value"] == 1.0
    said = capfd.readouterr()
    assert "1 line left out" in said.out + said.err
    assert "1 words and 1 candidates are not" in said.out + said.err


def test_the_layer_of_contextual_vectors_counts(dictionary: Path) -> None:
    found = measured(dictionary, layer=0)
    scores = found["average"]["contextual"]["cosine"]
    assert scores["1"] < 0.5
    assert scores["1"] <= scores["5"] <= scores["10"]
    assert found["average"]["static"]["cosine"]["5"] == 1.0


def test_two_dictionaries_of_one_direction_are_refused(dictionary: Path) -> None:
    (one,) = config(dictionary).dictionaries
    with pytest.raises(ValueError, match="en-de is listed twice; give it a set of its own"):
        LexiconConfig(dictionaries=(one, one))


def test_what_cannot_be_read_is_told_once_with_the_place(dictionary: Path, capfd) -> None:
    class Strange(Letters):
        def cut(self, texts, language):
            return Cut(len(texts), len(texts))

        def pooled_states(self, texts, language, stride=None):
            return super().pooled_states(texts, language)._replace(n_cut=1)

    section = config(dictionary)
    read = [read_dictionary(section.dictionaries[0], dictionary.parent)] * 2
    reader = TextStates(Strange(), None, "evaluate.lexicons.words")
    measure_lexicons(Strange(), reader, read, section, 1)
    said = " ".join(capfd.readouterr().err.split())
    assert said.count("evaluate.lexicons.words: 100% of the tokens of the texts in en") == 1
    assert said.count("evaluate.lexicons.words.stride reads them in windows") == 2  # each language


def test_a_list_of_words_makes_it_harder(dictionary: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("Ay\nAnew\nAolder\n", encoding="utf-8")
    found = measured(dictionary, words="words.txt")["directions"]["en-de"]
    assert found["candidates"] == 24
    assert found["static"]["cosine"]["1"]["value"] < 19 / 20


def test_a_rank_is_that_of_the_best_translation_and_ties_are_shared() -> None:
    scores = np.array([0.9, 0.5, 0.5, 0.1, 0.5], np.float32)
    assert _rank(scores, np.array([1, 3])) == (1, 3)
    assert _rank(scores, np.array([1, 2])) == (1, 2)
    assert _rank(scores, np.array([0])) == (0, 1)


def test_a_dictionary_without_pairs_and_one_without_known_words(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_text("one\ntwo\n", encoding="utf-8")
    with pytest.raises(UserError, match="has no pair of words"):
        measured(path)
    path.write_text("a? b\n", encoding="utf-8")
    with pytest.raises(UserError, match="no word of the dictionary en-de"):
        measured(path)
