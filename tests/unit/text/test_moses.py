import random

import pytest
from sacremoses import MosesPunctNormalizer, MosesTokenizer

from xlmkit.text.moses import moses_rules, moses_words
from xlmkit.text.segment import segmenter

PIECES = [
    "word", "Word", "Mr", "Dr", "No", "z.B", "i.e", "etc", "don't", "l'eau", "rock'n'roll", "5",
    "3,000", "1.5", "x,y", "привет", "Привет", "हिन्दी", "العربية", "中文", "한국어", "größe",
    ".", "..", "...", ",", ";", ":", "!", "?", "'", "''", '"', "`", "``", "´", "‘", "’",
    "‚", "„", "“", "”",
    "«", "»", "–", "—", "…", "(", ")", "[", "]", "{", "}", "<", ">", "/", "%", "$", "€", "&", "@",
    "#", "nº", "ºC", "cm", "\u00a0", "\u3000", "\u2028", "DOTMULTI", "😀",
]  # fmt: skip


@pytest.mark.parametrize(
    "language", ["en", "fr", "it", "de", "cs", "es", "ru", "hi", "zh", "ko", "el", "xx"]
)
def test_words_are_those_of_sacremoses(language: str) -> None:
    rng = random.Random(language)
    rules = moses_rules(language)
    normalizer = MosesPunctNormalizer(lang=language)
    tokenizer = MosesTokenizer(lang=language)
    for _ in range(250):
        text = "".join(
            rng.choice(PIECES) + rng.choice(["", " ", "  "]) for _ in range(rng.randint(0, 12))
        )
        normalized = normalizer.normalize(text)
        assert rules.normalize(text) == normalized
        expected = tokenizer.tokenize(normalized, return_str=False, escape=False)
        assert rules.tokenize(normalized) == expected, text


def test_languages_differ() -> None:
    text = "It's l'eau, z.B. 5. Mai"
    assert moses_words(text, "en") == ["It", "'s", "l", "'eau", ",", "z.B.", "5", ".", "Mai"]
    assert moses_words(text, "fr") == ["It'", "s", "l'", "eau", ",", "z.B.", "5", ".", "Mai"]
    assert moses_words(text, "de") == ["It", "'", "s", "l", "'", "eau", ",", "z.B.", "5.", "Mai"]


def test_chinese_is_segmented_first_and_others_afterwards() -> None:
    segment = segmenter("characters")
    assert moses_words("你好，世界。", "zh", segment) == ["你", "好", ",", "世", "界", "."]
    assert moses_words("日本、語", "ja", segment) == ["日", "本", ",", "語"]


def test_romanian_loses_its_diacritics_and_other_languages_do_not() -> None:
    assert moses_words("Ştiinţă în țară", "ro") == ["Stiinta", "in", "tara"]
    assert moses_words("Ştiinţă", "tr") == ["Ştiinţă"]


@pytest.mark.parametrize("text", ["", "   ", "\u200b", "\n"])
def test_nothing_gives_no_words(text: str) -> None:
    assert moses_words(text, "en") == []


def test_detokenize_follows_the_language() -> None:
    assert moses_rules("en").detokenize(["It", "'s", "fine", ",", "no", "?"]) == "It's fine, no?"
    assert moses_rules("fr").detokenize(["l'", "eau", "&amp;", "!"]) == "l'eau &amp; !"
    assert moses_rules("zh").detokenize(["我们", "喜欢", "语言"]) == "我们喜欢语言"
