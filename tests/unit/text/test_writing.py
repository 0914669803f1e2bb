"""Words to a text as its language writes it: what comes back is what was cut into words."""

import pytest

from xlmkit.text.moses import moses_words
from xlmkit.text.segment import segmenter
from xlmkit.text.writing import written


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("tr", "Türkiye'de 5'te İstanbul'un önünde"),
        ("sw", "ng'ombe wa mtu"),
        ("uk", "п'ять об'єктів"),
        ("ca", "l'home d'aquí i la col·lecció"),
        ("nl", "zo'n foto's"),
        ("nl", "zij zei 'ja' tegen hem"),
        ("he", "ג'ורג' היה צה\"ל, על־ידי"),
        ("el", "αλλ' όταν· ναι"),
        ("de", "Er sagte, 'gut' sei gut."),
        ("hi", "वह आया। फिर गया।"),
        ("ar", "قال، ثم ذهب؛ هل جاء؟"),
        ("ur", "وہ آیا، پھر گیا۔"),
        ("am", "ሰላም፣ ነው።"),
        ("hy", "այո։"),
        ("en", "a/b, 20°C at 12:30, a_b, somebody@example.org, https://example.org/a, 5 km²"),
        ("de", "E\u2011Mail mit 45° nach Norden"),
        ("fi", "EU:n asukkaat"),
        ("sv", "EU:s regler: en sak"),
        ("sw", "'Habari' alisema"),
        ("en", "It's the dogs' 'own' bone."),
        ("fr", "l'eau d'aujourd'hui"),
    ],
)  # fmt: skip
def test_a_text_comes_back(language: str, text: str) -> None:
    assert written(moses_words(text, language), language) == text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "他说：“你好。”这是第1,000次，对吗？"),
        ("zh", "乔治·沃克（美国人）去了（GDP）。"),
        ("zh", "他写了...很多！"),
        ("ja", "彼は「はい、そうです。」と言った。"),
        ("ja", "これは（例）です：犬とB。"),
        ("zh", "Hello, world."),
    ],
)
def test_wide_marks_come_back(language: str, text: str) -> None:
    words = [word for word in moses_words(text, language, segmenter("characters")) if word.strip()]
    expected = text.replace("（GDP）", "(GDP)")  # which has nothing Chinese in it
    found = written(words, language)
    assert found.replace(" ", "") == expected.replace(" ", "")
    assert found == found.strip()
    assert "， " not in found


def test_nothing_is_lost_but_spaces() -> None:
    words = ["'", "a", "'", "/", '"', "°", "·", "'", "b", ":", "/", "/", "،", "'"]
    for language in ("tr", "nl", "he", "el", "en", "sv", "xx"):
        assert written(words, language).replace(" ", "") == "".join(words)
    assert written([], "tr") == ""
    assert written(["'"], "tr") == "'"
