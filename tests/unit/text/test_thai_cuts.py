import random

import pytest

from xlmkit.text.moses import moses_words
from xlmkit.text.segment import segmenter

corpus = pytest.importorskip("pythainlp.corpus.common")

from xlmkit.text.thai_cuts import thai_cutter  # noqa: E402

TEXT = "ห้องสมุดปิดวันอาทิตย์ กรุณามาพรุ่งนี้ ราคา 3,000 บาท ใช่ไหม? น้ำแข็งใส่แก้ว"


def test_pieces_have_the_words_of_the_text() -> None:
    rng = random.Random(1)
    with_spaces = sorted(word for word in corpus.thai_words() if " " in word)
    assert with_spaces
    cuts, segment = thai_cutter("th"), segmenter("pythainlp")
    several = 0
    for _ in range(300):
        start = rng.randrange(len(TEXT))
        parts = [
            TEXT[start : start + rng.randint(1, 9)].strip(), rng.choice(with_spaces),
            rng.choice("กขเแโา่ๆ"), rng.choice(["5", "1,5", "ab", "(", "%"]), " ",
        ]  # fmt: skip
        text = "".join(rng.choices(parts, k=rng.randint(1, 9)))
        pieces = cuts.cut(text)
        if pieces is None:
            continue
        several += len(pieces) > 1
        words = [word for piece in pieces for word in cuts.words(piece)]
        assert words == moses_words(text, "th", segment), (text, pieces)
    assert several > 50


def test_words_with_spaces_stay_whole() -> None:
    word = next(word for word in sorted(corpus.thai_words()) if word.count(" ") == 1)
    assert thai_cutter("th").cut(f"ก {word} ข") == ["ก ", f"{word} ", "ข"]
