import unicodedata

import pytest

from xlmkit.text.normalize import (
    lowercase_and_remove_accent,
    remove_non_printing,
    remove_romanian_diacritics,
    replace_unicode_punctuation,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, ASCII.", "plain, ASCII."),
        ("你好，世界。  再见！", "你好,世界. 再见!"),
        ("．　。終わり", ". . 終わり"),
        ("「引用」【注】〈甲〉《乙》", '"引用"[注]<甲>"乙"'),
        ("１２３４５６７８９０％～", "1234567890%~"),
        ("“quoted” it’s … ━ a；b：c∶d（e）？、", '"quoted" it\'s ... - a;b:c:d(e)?,'),
        ("«guillemets» – stay", "«guillemets» – stay"),
    ],
)
def test_replace_unicode_punctuation(text: str, expected: str) -> None:
    assert replace_unicode_punctuation(text) == expected


def test_category_c_is_removed_and_white_space_outside_it_stays() -> None:
    assert remove_non_printing("a\tb\n\u200bc\ufeffd\u00ade\ue000f\ud800g") == "abcdefg"
    assert remove_non_printing("a\u00a0b\u3000c\u2028d") == "a\u00a0b\u3000c\u2028d"


def test_every_character_is_judged_by_its_category() -> None:
    every = [chr(code) for code in range(0x11000)]
    kept = "".join(c for c in every if not unicodedata.category(c).startswith("C"))
    assert remove_non_printing("".join(every)) == kept


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Crème BRÛLÉE", "creme brulee"),
        ("İSTANBUL Işık", "istanbul isık"),
        ("ΟΔΟΣ ΣΑΣ", "οδος σας"),
        ("Ёлка й", "елка и"),
        ("ĐẶNG Straße Ł", "đang straße ł"),
        ("हिन्दी", "हिनदी"),
        ("مُحَمَّد", "محمد"),
        ("각", "각"),
        ("", ""),
    ],
)
def test_lowercase_and_remove_accent(text: str, expected: str) -> None:
    assert lowercase_and_remove_accent(text) == unicodedata.normalize("NFD", expected)


def test_romanian_letters_become_plain() -> None:
    assert remove_romanian_diacritics("ŞşȘșŢţȚțĂăÂâÎî é") == "SsSsTtTtAaAaIi é"
