"""Capitals at the beginning of sentences, in scripts that have any."""

import pytest

from xlmkit.text.capitals import capitalised


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("the dog sees it. it runs!", "en", "The dog sees it. It runs!"),
        ("the the. the", "en", "The the. The"),
        ("« où ? » dit-il.", "fr", "« Où ? » dit-il."),
        ("¿dónde está?  aquí.", "es", "¿Dónde está?  Aquí."),
        ("ilk kez geldi.", "tr", "İlk kez geldi."),
        ("собака бежит.", "ru", "Собака бежит."),
        ("3 dogs run. 4th", "en", "3 dogs run. 4th"),
        ("ǆep", "hr", "ǅep"),
        ("狗在跑。它很快。", "zh", "狗在跑。它很快。"),
        ("نهر", "ar", "نهر"),
        ("", "en", ""),
    ],
)
def test_sentences_begin_with_a_capital(text: str, language: str, expected: str) -> None:
    assert capitalised(text, language) == expected
