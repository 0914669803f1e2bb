"""The compiled survey of a text says what Python says, of every character and of random texts."""

import random
import sys
import unicodedata

import numpy as np
import pytest

from xlmkit.data.survey import CompiledSurvey, Survey, _is_composed_anywhere
from xlmkit.text import compiled

pytestmark = pytest.mark.skipif(not compiled.available(), reason="the compiled part is not built")

ATOMS = [
    *"aZéß İŉ中文かกําខ한हि-'’.,0٣½²\u200c\u200d\u00ad\u0301\u2028\u00a0\x1c\x07\t\n😀ﬁ々〇⺀ʼ_",
    "word", "Слово", "ΟΔΟΣ", "  ", " ", " ", " ", "e\u0301", "ا\u200cب",
]  # fmt: skip


def assert_equal(code: str, texts: list[str]) -> None:
    fast, plain = CompiledSurvey(code), Survey(code)
    for text in texts:
        normal, facts = plain.look([text])
        found, same = fast.look([text])
        assert (found, *map(list, same)) == (normal, *map(list, facts)), repr(text)
        assert [*map(list, fast.facts(normal))] == [*map(list, facts)], repr(text)
        for with_bands in (True, False):
            prints = fast.prints(normal, with_bands=with_bands)
            expected = plain.prints(normal, with_bands=with_bands)
            for mine, theirs in zip(prints, expected, strict=True):
                assert np.array_equal(mine, theirs), repr(text)


@pytest.mark.parametrize("code", ["en", "ru", "zh", "th", "sr"])
def test_random_texts(code: str) -> None:
    rng = random.Random(code)
    texts = ["".join(rng.choices(ATOMS, k=rng.randint(0, 90))) for _ in range(1500)]
    normal, _ = Survey(code).look(texts)
    assert 100 < len(Survey(code).prints(normal, with_bands=True).long) < 1400
    assert_equal(code, texts)


def test_long_words_and_texts() -> None:  # of several blocks of the hash
    assert_equal("en", ["word " * count + "ж" * 300 for count in (19, 20, 40, 400)])


@pytest.mark.parametrize(
    "step", [pytest.param(1, marks=pytest.mark.slow, id="all"), pytest.param(101, id="some")]
)
def test_every_character(step: int) -> None:
    characters = [
        chr(code)
        for code in range(0, sys.maxunicode + 1, step)
        if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")
    ]
    assert_equal("el", [f"x{c}1 {c}{c} y" for c in characters])


def test_texts_together_are_as_each_alone() -> None:
    texts = ["One two", "  e\u0301 ", "", "Слово " * 30, "a\u00adb"]
    fast, plain = CompiledSurvey("en"), Survey("en")
    assert fast.look(texts)[0] == plain.look(texts)[0]
    for mine, theirs in zip(fast.look(texts)[1], plain.look(texts)[1], strict=True):
        assert np.array_equal(mine, theirs)


def test_what_is_composed_anywhere_composes_with_nothing() -> None:
    later = set()  # characters that a canonical decomposition has behind its first
    for code in range(sys.maxunicode + 1):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            later.add(chr(int(parts[1], 16)))
    assert len(later) > 50
    assert not any(map(_is_composed_anywhere, later))
    assert all(map(_is_composed_anywhere, "aé 中한я’"))
    assert not any(map(_is_composed_anywhere, "\u0301\u1161\u0958"))
