"""The compiled part of the tokenizer gives the ids of Python's, on any text and in any language."""

import random
import resource
import sys
import time
import unicodedata

import numpy as np
import pytest

from xlmkit.text import compiled
from xlmkit.text.bpe import Merges, apply_merges
from xlmkit.text.compiled import CompiledPairs
from xlmkit.text.counted_words import CountedWords
from xlmkit.text.languages import LANGUAGES
from xlmkit.text.tokenizer import Tokenizer, TokenizerConfig

pytestmark = pytest.mark.skipif(not compiled.available(), reason="the compiled part is not built")

LINES = [
    "Mr. Smith isn't here; he paid 3,000.50 for No. 5 (the blue one), e.g. by 9 p.m. on 5. May.",
    "L'été d'Oléron: c'est l'île! Qu'est-ce que «ça»? Größe, Straße, z.B. am 5. Mai.",
    "ΟΔΟΣ ΣΟΦΙΑΣ, Ο Οδυσσέας γύρισε στην Ιθάκη· В 1999 г. Й. Иванов уехал в г. Москву.",
    "مُحَمَّدٌ كَتَبَ ١٢٣ رسالةً.",
    "क्या आप हिन्दी में पढ़ते हैं? 가격은 3,000원입니다! İstanbul'da ILIK 中文漢字かなカナ",
]
ATOMS = [
    *"'\",.-aB5５()%:;«»“”’‘´`—…。，、éİΣσß<!º½²٣ªⅷşŞÂ中가カ\u200c\u202f\u00ad\u00a0\t\n😀",
    "...", "nº", "Mr", "No", "z.B", "DOTMULTI", " ", " ", " ", "\u0301", "\u302e\u0323", "\ud800",
    "don't", "l'eau",
]  # fmt: skip

MOVING = [*'"».,,—…a5 <%)', "...", '."', ',"', ".» a", '."<', "“ ", "〈"]
"""Characters that change places, or stand for others, with the spaces that come of it."""


@pytest.fixture(scope="module", params=[True, False], ids=["lower-cased", "cased"])
def both(request: pytest.FixtureRequest) -> tuple[Tokenizer, Tokenizer]:
    """Return a tokenizer that is compiled and one that is not."""
    config = TokenizerConfig(vocabulary_size=400, lowercase_and_remove_accent=request.param)
    learned = Tokenizer.learn([("en", [*LINES, *['" , . - < % ) ...'] * 3])], config, ["en"])
    pair = []
    for native in (True, False):
        tokenizer = Tokenizer(
            learned.vocabulary,
            learned.merges,
            {},
            lowercase_and_remove_accent=request.param,
            segmenters={},
        )
        with compiled.using(native):
            for language in LANGUAGES:
                tokenizer.encode("", language)
        pair.append(tokenizer)
    return pair[0], pair[1]


def random_text(rng: random.Random) -> str:
    parts = []
    for _ in range(rng.randint(0, 14)):
        if rng.random() < 0.4:
            line = rng.choice(LINES)
            start = rng.randrange(len(line))
            parts.append(line[start : start + rng.randint(1, 12)])
        else:
            parts.append(rng.choice(ATOMS))
    return "".join(parts)


_USUAL = ("de", "el", "en", "es", "fi", "fr", "it", "ja", "ko", "ro", "ru", "zh")
_OTHERS = [pytest.param(c, marks=pytest.mark.slow) for c in sorted(LANGUAGES) if c not in _USUAL]


@pytest.mark.parametrize("language", [*_USUAL, *_OTHERS])
def test_text_gets_the_same_ids(both: tuple[Tokenizer, Tokenizer], language: str) -> None:
    fast, plain = both
    rng = random.Random(f"compiled {language}")
    texts = [*LINES, *(" ".join(line.split()[::-1]) for line in LINES)]
    texts += ["\u200c ,5.- 5No", "a. \u00ad", *(random_text(rng) for _ in range(60))]
    texts += ["".join(rng.choices(MOVING, k=rng.randint(2, 12))) for _ in range(60)]
    expected = plain.encode_batch(texts, language)
    assert any(len(row) for row in expected)
    for _ in range(2):  # new pieces, and remembered ones
        rows = fast.encode_batch(texts, language)
        for text, row, other in zip(texts, rows, expected, strict=True):
            assert row.tolist() == other.tolist(), repr(text)
    fast.forget()
    assert fast.encode(LINES[0], language) == expected[0].tolist()


@pytest.mark.parametrize("language", ["en", "fr", "de", "ko"])
def test_every_character_gets_the_same_ids(
    both: tuple[Tokenizer, Tokenizer], language: str
) -> None:
    """In the midst of a word, where it may be part of it, and before a full stop."""
    fast, plain = both
    chosen = [c for c in range(1, 0x3000) if unicodedata.category(chr(c)) != "Cn"]
    chosen += random.Random(language).sample(range(0x3000, sys.maxunicode), 500)
    texts = [f"a{chr(c)}b 5,{chr(c)},5 {chr(c)}. {chr(c)}" for c in chosen]
    for text, row, other in zip(
        texts,
        fast.encode_batch(texts, language),
        plain.encode_batch(texts, language),
        strict=True,
    ):
        assert row.tolist() == other.tolist(), repr(text)


def test_a_mistake_in_the_texts_is_told(both: tuple[Tokenizer, Tokenizer]) -> None:
    with pytest.raises(TypeError, match="string"):
        both[0].encode_batch([5], "en")  # type: ignore[list-item]


def test_long_words_get_the_ids_of_the_reference() -> None:
    rng = random.Random("long words")
    for _ in range(60):
        symbols = ["a", "b", "c", "a</w>", "b</w>", "c</w>"]
        pairs: dict[tuple[str, str], None] = {}
        for _ in range(rng.randint(1, 30)):
            inner = [symbol for symbol in symbols if not symbol.endswith("</w>")]
            pair = rng.choice(inner), rng.choice(symbols)
            pairs[pair] = None
            symbols.append(pair[0] + pair[1])
        order = list(pairs)
        rng.shuffle(order)
        merges = Merges(tuple(order))
        names = dict.fromkeys(symbols)
        ids = {symbol: number for number, symbol in enumerate(names) if number % 5}
        words = ["".join(rng.choices("abcz", (9, 9, 9, 1), k=n)) for n in (128, 129, 150, 900)]
        words += ["a" * 301, "ab" * 150, "abcab" * 70]
        counted = CountedWords.of(dict.fromkeys(words, 1))
        found, lengths = CompiledPairs(merges, ids, 999).encode(counted.codes, counted.lengths)
        ends = np.cumsum(lengths)
        for word, row in zip(words, np.split(found, ends[:-1]), strict=True):
            pieces = apply_merges(word, merges.ranks())
            assert row.tolist() == [ids.get(piece, 999) for piece in pieces]


def test_a_very_long_word_is_quickly_split() -> None:
    """Looking at all its letters again after each merge would take seconds."""
    letters = [chr(ord("a") + n) for n in range(60)]
    text = "".join(random.Random(2).choices(letters, k=60_000))
    merges = Merges(tuple((a, b) for a in letters for b in letters))
    ids = {name: number for number, name in enumerate(letters)}
    pairs = CompiledPairs(merges, ids, 999)
    counted = CountedWords.of({text: 1})
    began = time.process_time()
    pairs.encode(counted.codes, counted.lengths)
    assert time.process_time() - began < 0.5


def test_texts_without_spaces_do_not_fill_memory(both: tuple[Tokenizer, Tokenizer]) -> None:
    fast, _ = both
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(3000):
        fast.encode("".join(chr(0x1780 + number // 30**k % 30) for k in range(3)) * 2000, "km")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 << 10  # KiB
