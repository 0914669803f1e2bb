"""The compiled survey of a text says what Python says, of every character and of random texts."""

import random
import sys
import unicodedata

import pytest

from xlmkit.data.survey import CompiledSurvey, Survey
from xlmkit.text import compiled

pytestmark = pytest.mark.skipif(not compiled.available(), reason="the compiled part is not built")

ATOMS = [
    *"aZéß İŉ中文かกําខ한हि-'’.,0٣½²\u200c\u200d\u00ad\u0301\u2028\u00a0\x1c\x07\t\n😀ﬁ々〇⺀ʼ_",
    "word", "Слово", "ΟΔΟΣ", "  ", " ", " ", " ", "e\u0301", "ا\u200cب",
]  # fmt: skip


def assert_equal(code: str, texts: list[str]) -> None:
    fast, plain = CompiledSurvey(code), Survey(code)
    for text in texts:
        normal = plain.normal(text)
        assert fast.normal(text) == normal, repr(text)
        assert fast.facts(normal) == plain.facts(normal), repr(text)
        assert fast.letters(normal) == plain.letters(normal), repr(text)
        assert fast.pairs(normal, 3) == plain.pairs(normal, 3), repr(text)


@pytest.mark.parametrize("code", ["en", "ru", "zh", "th", "sr"])
def test_random_texts(code: str) -> None:
    rng = random.Random(code)
    texts = ["".join(rng.choices(ATOMS, k=rng.randint(0, 20))) for _ in range(1500)]
    assert any(Survey(code).pairs(Survey(code).normal(text), 3) for text in texts)
    assert_equal(code, texts)


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
