import subprocess
import sys

import pytest

from xlmkit.core.errors import UserError
from xlmkit.text.bpe import apply_merges
from xlmkit.text.bpe_learning import (
    SpelledWords,
    learn_alphabet,
    learn_bpe,
    learn_merges_and_symbols,
)

WORDS = {"lower": 5, "low": 7, "newest": 6, "widest": 3, "новый": 4, "новая": 4, "新": 9}


def test_the_most_frequent_pair_comes_first() -> None:
    merges = learn_bpe({"ab": 10, "abc": 5, "xy": 3}, 100)
    assert merges.pairs == (("a", "b</w>"), ("a", "b"), ("ab", "c</w>"), ("x", "y</w>"))


def test_the_vocabulary_bounds_the_merges() -> None:
    alphabet = ["a", "b", "b</w>", "c</w>", "x", "y</w>"]
    assert len(learn_bpe({"ab": 10, "abc": 5, "xy": 3}, len(alphabet) + 2)) == 2


def test_counts_weigh_words_and_fractions_add_up() -> None:
    merges = learn_bpe({"ab": 4.4, "cb": 4.4, "ad": 8.9, "ed": 0.2}, 100)
    assert merges.pairs[0] == ("a", "d</w>")


def test_symbols_are_those_that_the_words_end_as() -> None:
    merges, symbols = learn_merges_and_symbols(WORDS, 30)
    counted: dict[str, float] = {}
    for word, count in WORDS.items():
        for piece in apply_merges(word, merges.ranks()):
            counted[piece] = counted.get(piece, 0) + count
    assert symbols == counted
    assert len(symbols) <= 30


def test_the_same_words_in_any_order_and_process_give_the_same_merges() -> None:
    words = {f"{a}{b}{c}": 3 for a in "abcdef" for b in "ghij" for c in "klm"}
    here = learn_bpe(words, 80).pairs
    assert learn_bpe(reversed(list(words.items())), 80).pairs == here
    program = (
        f"from xlmkit.text.bpe_learning import learn_bpe\nprint(learn_bpe({words!r}, 80).pairs)"
    )
    there = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == repr(here)


def test_rare_characters_stay_out_of_the_alphabet() -> None:
    words = {"aa": 500.0, "bb": 499.0, "éa": 0.5, "ab": 0.5}
    assert learn_alphabet(SpelledWords.of(words), 1.0) == ["a", "a</w>", "b", "b</w>", "é"]
    assert learn_alphabet(SpelledWords.of(words), 0.999) == ["a", "a</w>", "b", "b</w>"]
    merges, symbols = learn_merges_and_symbols(words, 10, 0.999)
    assert all("é" not in left + right for left, right in merges.pairs)
    assert "é" not in symbols


def test_words_with_white_space_or_special_tokens_teach_nothing() -> None:
    words = {"<s>": 50, "a\u3000b": 50, "a</s>": 50, " ": 50, "cd": 2}
    merges, symbols = learn_merges_and_symbols(words, 50)
    assert merges.pairs == (("c", "d</w>"),)
    assert symbols == {"cd</w>": 2.0}


@pytest.mark.parametrize(
    ("words", "size", "coverage", "message"),
    [
        ({}, 10, 1.0, "no words"),
        ({"ab": 0}, 10, 1.0, "no words"),
        ({"abcdef": 3}, 6, 1.0, "no room"),
        ({"ab": 3}, 10, 0.0, "character_coverage"),
        ({"ab": 3}, 10, 1.1, "character_coverage"),
    ],
)
def test_senseless_input_is_refused(
    words: dict[str, int], size: int, coverage: float, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        learn_bpe(words, size, coverage)
