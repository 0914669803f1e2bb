"""The compiled part counts the words and learns the merges that Python and `tokenizers` do."""

import random
import resource

import numpy as np
import pytest

from xlmkit.text import compiled
from xlmkit.text.bpe_learning import learn_merges_and_symbols
from xlmkit.text.compiled import compiled_numberer
from xlmkit.text.counted_words import CountedWords, word_sums
from xlmkit.text.cuts import cutter
from xlmkit.text.folding import folded_counts
from xlmkit.text.moses import moses_rules
from xlmkit.text.numbered_words import NumberedWords
from xlmkit.text.words_of_texts import WordsOfTexts

pytestmark = pytest.mark.skipif(not compiled.available(), reason="the compiled part is not built")

ATOMS = ["a", "b", "ab", "ba", "é", "中", "x", "</w>", "-", "an", "na", "😀"]
TEXTS = [
    "Mr. Smith isn't here; he paid 3,000.50 for No. 5 (the blue one), e.g. by 9 p.m. on 5. May.",
    "L'été d'Oléron: c'est l'île! Qu'est-ce que «ça»? Größe, Straße, z.B. am 5. Mai.",
    "В 1999 г. Й. Иванов уехал в г. Москву...  А потом?",
    "",
]


def random_words(rng: random.Random) -> dict[str, float]:
    words = {}
    for _ in range(rng.choice([3, 40, 300])):
        word = "".join(rng.choices(ATOMS, k=rng.randint(1, 8)))
        words[word] = rng.choice([1, 2, 3, 0.3, 2.5, rng.random() * 1000])
    return words


@pytest.mark.parametrize("seed", range(60))
def test_random_words_give_the_same_merges_and_symbols(seed: int) -> None:
    rng = random.Random(seed)
    words = random_words(rng) | {"aab": 3}  # so that there is always something to merge
    size, coverage = rng.choice([(60, 1.0), (200, 0.99), (2000, 0.9)])
    with compiled.using(False):
        expected = learn_merges_and_symbols(words, size, coverage)
    assert len(expected[0]) > 0
    assert learn_merges_and_symbols(words, size, coverage) == expected


def test_counts_that_are_too_many_are_scaled_down_alike() -> None:
    words = {word: 1e6 + len(word) for word in ("ax", "by", "cz", "ay", "bxx", "czz", "az")}
    with compiled.using(False):
        expected = learn_merges_and_symbols({**words, "rare": 0.4}, 40)
    assert learn_merges_and_symbols({**words, "rare": 0.4}, 40) == expected


@pytest.mark.parametrize("language", ["en", "fr", "ru"])
def test_words_are_counted_alike(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xlmkit.text.compiled.MAXIMUM_PIECES", 5)  # so that pieces are forgotten
    with compiled.using(False):
        expected = WordsOfTexts({})((language, TEXTS * 2))[1].to_dict()
    assert sum(expected.values()) > 50
    counter = WordsOfTexts({})
    for _ in range(3):
        assert counter((language, TEXTS * 2))[1].to_dict() == expected


def test_words_are_folded_alike() -> None:
    words = [word for text in TEXTS for word in text.split()]
    words += [
        "İstanbul",
        "ΟΔΟΣ",
        "हिन्दी",
        "e\u0301",
        "\u0301",
        "ㅤ",
        "ﬁne",
        "a\u0345\u0301",
        "Ǆ",
        "x y",
    ]
    words += [chr(code) + "A" for code in range(0x80, 0x3000, 7)]
    counts = CountedWords.of({word: 1 + number for number, word in enumerate(words)})
    with compiled.using(False):
        expected = folded_counts(counts).to_dict()
    assert len(expected) < len(counts)
    assert folded_counts(counts).to_dict() == expected


@pytest.mark.parametrize("seed", range(20))
def test_words_are_added_up_and_sorted_alike(seed: int) -> None:
    rng = random.Random(seed)
    parts = [
        CountedWords.of(random_words(rng) | {"\ud800": 1, "ab\U0010ffff": 2}) for _ in range(3)
    ]
    found = []
    for wanted in (True, False):
        with compiled.using(wanted):
            sums = word_sums()
            for part in parts:
                sums.add(part)
            words = sums.words()
            assert len(sums) == len(words)
            found.append((words.to_dict(), words.words(), words.sorted().to_dict()))
            assert words.sorted().words() == sorted(words.words())
    assert found[0] == found[1]


def test_long_words_are_counted_alike_and_do_not_fill_memory() -> None:
    def texts(start: int) -> list[str]:
        """Return texts without spaces, none of which comes again."""
        numbers = range(start, start + 20)
        return ["".join(chr(0x1780 + n // 30**k % 30) for k in range(3)) * 2000 for n in numbers]

    with compiled.using(False):
        expected = WordsOfTexts({})(("km", texts(0)))[1].to_dict()
    counter = WordsOfTexts({})
    assert counter(("km", texts(0)))[1].to_dict() == expected
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for start in range(0, 3000, 20):
        counter(("km", texts(start)))
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 << 10
    )  # KiB, of 72 MB of words


def test_what_a_failed_call_has_counted_is_forgotten() -> None:
    numberer = compiled_numberer(cutter("en"), moses_rules("en"), lambda text: text.split())
    with pytest.raises(TypeError):
        numberer.number(["a b", 5])  # type: ignore[list-item]
    found = NumberedWords.of_buffers(*numberer.number(["c"]))
    assert found.words.to_dict() == {"c": 1.0}


@pytest.mark.parametrize(
    ("codes", "lengths"),
    [
        (np.array([97, 98], np.uint32), np.array([2])),  # of another kind
        (np.array([97.0, 98.0]), np.array([2], np.int32)),
        (b"abc", np.array([2], np.int32)),  # no whole numbers
        (np.array([97, 98], np.uint32), np.array([1], np.int32)),  # which do not add up
        (np.array([97, 98], np.uint32), np.array([3, -1], np.int32)),
        (np.array([0xFFFFFFFF], np.uint32), np.array([1], np.int32)),  # no character
    ],
)
def test_words_that_cannot_be_are_refused(codes: object, lengths: object) -> None:
    folds = compiled.native.Folds(lambda code: (0, chr(code)))
    with pytest.raises(RuntimeError):
        folds.fold(codes, lengths)


def test_what_is_no_buffer_is_refused() -> None:
    folds = compiled.native.Folds(lambda code: (0, chr(code)))
    for _ in range(100):  # what is not there must not be released
        with pytest.raises(TypeError):
            folds.fold([97], np.array([1], np.int32))


def test_words_that_come_twice_keep_their_order() -> None:
    twice = CountedWords(np.array([98, 97, 97], np.uint32), np.ones(3, np.int32), np.arange(3.0))
    with compiled.using(False):
        expected = twice.sorted().counts.tolist()
    assert twice.sorted().counts.tolist() == expected == [1.0, 2.0, 0.0]


def test_symbols_that_cannot_be_are_refused() -> None:
    def numbers(*given: int) -> bytes:
        return np.array(given, np.int32).tobytes()

    count = np.array([3], np.int64).tobytes()
    for symbols, lengths in ((numbers(9), numbers(1)), (numbers(0, 1, 0), numbers(5, -2))):
        with pytest.raises(RuntimeError):
            compiled.native.learn_merges(["a", "b"], symbols, lengths, count, 10, 1)
    for merges, characters in ((numbers(0, 1, 7), b""), (b"", numbers(97, 0, 5))):
        with pytest.raises(RuntimeError):
            compiled.native.BytePairs(numbers(1, 2), merges, characters, 0)
