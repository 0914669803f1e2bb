import random

import pytest

from xlmkit.text.cuts import cutter
from xlmkit.text.moses import moses_words

ATOMS = [
    *"'\",.aB5５()%:;«»“”’‘´`-—…。，、é<!º½²٣ªşŞÂ中가\u200c\u202f\u00ad\u00a0",
    "...", "nº", "Mr", "No", "z.B", "<x>", "DOTMULTI", "word", "Σ",
]  # fmt: skip


def random_text(rng: random.Random) -> str:
    pieces = ("".join(rng.choices(ATOMS, k=rng.randint(1, 4))) for _ in range(rng.randint(1, 6)))
    return " ".join(pieces)


@pytest.mark.parametrize(
    "language", ["en", "fr", "it", "de", "es", "cs", "ru", "ro", "zh", "ko", "el", "xx"]
)
def test_pieces_have_the_words_of_the_text(language: str) -> None:
    rng = random.Random(f"cuts {language}")
    cuts = cutter(language)
    several = 0
    for _ in range(500):
        text = random_text(rng)
        pieces = cuts.cut(text)
        assert pieces is not None
        several += len(pieces) > 1
        words = [word for piece in pieces for word in cuts.words(piece)]
        assert words == moses_words(text, language), (text, pieces)
    assert several > 200


def test_a_full_stop_asks_what_follows() -> None:
    cuts = cutter("en")
    assert cuts.cut("No. 5 etc. and so. On") == ["No.\n1", "5", "etc.\na", "and", "so.\nA", "On"]
    assert cuts.words("No.\n1") == ["No."]
    assert cuts.words("so.\nA") == ["so", "."]
    assert cuts.words("so.\na") == ["so."]


def test_no_cut_is_made_where_a_rule_looks_across() -> None:
    assert cutter("en").cut("the dogs' bowl is 'full'") == ["the", "dogs' bowl", "is 'full'"]
    assert cutter("en").cut("a ,5 b") == ["a ,5", "b"]
    assert cutter("de").cut("„Halt.“ Er") == ["„Halt.“ Er"]
    assert cutter("en").cut("“Halt.” He") == ["“Halt.”", "He"]
    assert cutter("fr").cut("oui\u00a0! non \u00a0?") == ["oui\u00a0!", "non \u00a0?"]


@pytest.mark.parametrize("text", ["", " a", "a ", "a  b", "a\tb", "a\nb", "a\x00 b"])
def test_other_texts_stay_whole(text: str) -> None:
    assert cutter("en").cut(text) is None
