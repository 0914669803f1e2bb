import numpy as np
import pytest

from xlmkit.data.words import WordTokens, cut, encode_words, windows
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import EOS, PAD, SPECIAL_TOKENS, UNK, Vocabulary

SYMBOLS = [*"abcd", *(f"{letter}</w>" for letter in "abcd.")]
TOKENIZER = Tokenizer(
    Vocabulary([*SPECIAL_TOKENS, *SYMBOLS]), Merges(()), {"en": 0, "fr": 1}, segmenters={}
)
ID = TOKENIZER.vocabulary.ids


def tokens(*lengths: int) -> WordTokens:
    return WordTokens.join([np.arange(n, dtype=np.int32) for n in lengths], UNK)


def test_every_word_keeps_its_boundaries_and_is_folded() -> None:
    words = encode_words({"fr": [["Ab", "c."], ["Á"]], "en": [["d"]]}, TOKENIZER, 32)
    batch = words.sequences.batch([0, 1, 2])
    a, b, c, dot = ID["a"], ID["b</w>"], ID["c"], ID[".</w>"]
    assert batch.tokens.tolist() == [
        [EOS, a, b, c, dot, EOS],
        [EOS, ID["a</w>"], EOS, PAD, PAD, PAD],
        [EOS, ID["d</w>"], EOS, PAD, PAD, PAD],
    ]
    assert batch.languages.tolist()[0][:6] == [1] * 6
    assert batch.languages.tolist()[2][:3] == [0] * 3
    assert [part.tolist() for part in words.places] == [[1, 3], [1], [1]]
    assert words.flat_places([2, 0]).tolist() == [1, 6 + 1, 6 + 3]
    assert words.numbers([2, 0]).tolist() == [3, 0, 1]


def test_padding_on_the_left_moves_the_places() -> None:
    made = encode_words({"en": [["ab", "c"], ["d"]]}, TOKENIZER, 32)
    left = type(made)(made.sequences, made.words, made.places, left=True)
    assert left.flat_places([0, 1]).tolist() == [1, 3, 5 + 2 + 1]


def test_a_word_of_nothing_gets_the_unknown_token() -> None:
    words = encode_words({"en": [["a", "", "\u200b", "b"]]}, TOKENIZER, 32)
    assert words.sequences.batch([0]).tokens[0].tolist() == [
        EOS, ID["a</w>"], UNK, UNK, ID["b</w>"], EOS,
    ]  # fmt: skip
    assert words.numbers([0]).tolist() == [0, 1, 2, 3]


def test_a_sentence_that_fits_is_one_window() -> None:
    (only,) = windows(tokens(2, 3), room=5)
    assert (only.start, only.end, only.words.tolist()) == (0, 5, [0, 1])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("room", [1, 2, 5, 8])
def test_every_word_of_a_long_sentence_is_judged_once_where_it_sees_most(
    seed: int, room: int
) -> None:
    random = np.random.default_rng(seed)
    sentence = tokens(*random.integers(1, 12, 30).tolist())
    total = len(sentence.ids)
    made = list(windows(sentence, room))
    assert sorted(np.concatenate([w.words for w in made]).tolist()) == list(range(30))
    step = room - room // 2
    starts = sorted({*range(0, total - room, step), total - room})

    def seen(place: int, start: int) -> float:
        """Return the tokens that are seen on the poorer side; at an end of a sentence all are."""
        if not start <= place < start + room:
            return -1
        before = np.inf if start == 0 else place - start
        behind = np.inf if start + room == total else start + room - 1 - place
        return min(before, behind)

    for window in made:
        assert (window.end - window.start, window.start in starts) == (room, True)
        for place in sentence.firsts[window.words].tolist():
            best = max(seen(place, start) for start in starts)
            assert seen(place, window.start) == best >= (room - 1) // 4


def test_cutting_keeps_the_numbers_of_the_words_over_all_sentences() -> None:
    sentences = [tokens(3, 3, 3), tokens(1)]
    ids, owners, words, places = cut(sentences, room=4, before=2)
    assert sorted(np.concatenate(words).tolist()) == [0, 1, 2, 3]
    for part, owner, numbers, found in zip(ids, owners, words, places, strict=True):
        assert len(part) <= 4
        assert all(part[place - 2] == 0 for place in found)  # a word begins with token 0
        assert all(number < 3 for number in numbers) == (owner == 0)
