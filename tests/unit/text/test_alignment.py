"""Where words and sub-words came from, through everything that is done to a text."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlmkit.text.aligned_words import aligned_words, fold_aligned
from xlmkit.text.alignment import Aligned, align_pieces
from xlmkit.text.encoder import fold_word
from xlmkit.text.moses import moses_words
from xlmkit.text.segment import segmenter
from xlmkit.text.tokenizer import Tokenizer, TokenizerConfig

CHARACTERS = segmenter("characters")


def _words(text: str, language: str) -> list[tuple[str, str]]:
    """Return each word and the part of the text that it came from."""
    segment = CHARACTERS if language in ("zh", "ja", "th") else None
    return [(w.text, text[slice(*w.span)]) for w in aligned_words(text, language, segment)]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "It's  a “test”", "It|It 's|'s a|a \"|“ test|test \"|”"),
        ("en", "wait… now", "wait|wait ...|… now|now"),
        ("en", "wait.... now", "wait|wait ....|.... now|now"),
        ("en", "a—b", "a|a -|— b|b"),
        ("en", "so ''quoted''", "so|so \"|'' quoted|quoted \"|''"),
        ("en", "x (y) z", "x|x (|( y|y )|) z|z"),
        ("en", "see DOTMULTI x", "see|see .|DOTMULTI x|x"),
        ("en", "a\u200bb\u00ad c", "ab|a\u200bb c|c"),
        ("en", "５０ ％，ok", "50|５０ %|％ ,|， ok|ok"),
        ("en", "1\u00a0000 m", "1.000|1\u00a0000 m|m"),
        ("fr", "l'été, 5 % !", "l'|l' été|été ,|, 5|5 %|% !|!"),
        ("de", "1\u00a0000 z.B. so.", "1,000|1\u00a0000 z.B.|z.B. so|so .|."),
        ("ro", "Ştiinţă", "Stiinta|Ştiinţă"),
        ("zh", "你好，世界。", "你|你 好|好 ,|， 世|世 界|界 .|。"),
        ("ja", "日本、語", "日|日 本|本 ,|、 語|語"),
        ("xx", "\x00 \u200b", ""),
    ],
)
def test_words_come_from_where_they_stood(language: str, text: str, expected: str) -> None:
    assert _words(text, language) == [tuple(w.split("|")) for w in expected.split(" ") if w]


def test_a_quotation_mark_and_the_comma_it_is_exchanged_with_keep_the_order() -> None:
    words = aligned_words('"Yes", he', "en")
    assert [(w.text, w.span) for w in words[2:4]] == [(",", (4, 5)), ('"', (5, 6))]
    words = aligned_words("„Ja,“ er", "de")
    assert [(w.text, w.span) for w in words[2:4]] == [('"', (3, 4)), (",", (4, 5))]
    words = aligned_words("“…and", "en")
    assert [(w.text, w.span) for w in words] == [("...", (0, 1)), ('"', (1, 2)), ("and", (2, 5))]


@pytest.mark.parametrize(
    ("word", "folded", "spans"),
    [
        ("ÉcoLe", "ecole", [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]),
        ("e\u0301t", "et", [(0, 2), (2, 3)]),
        ("\u0301et", "et", [(0, 2), (2, 3)]),
        ("İk", "ik", [(0, 1), (1, 2)]),
        ("ΟΔΟΣ", "οδος", [(0, 1), (1, 2), (2, 3), (3, 4)]),
        ("한a", "한a", [(0, 1), (0, 1), (0, 1), (1, 2)]),
    ],
)
def test_lowering_and_dropping_accents(
    word: str, folded: str, spans: list[tuple[int, int]]
) -> None:
    (aligned,) = fold_aligned(Aligned.of(word))
    assert aligned.text == unicodedata.normalize("NFD", folded)
    assert aligned.spans == spans
    assert fold_aligned(Aligned.of("\u0301")) == []


def test_a_segmenter_may_drop_and_replace_characters() -> None:
    text = Aligned.of("ab  c\ud800d ｅf g")
    words = text.locate(["ab", "cd", "ef", "g", ""])
    assert [w.text for w in words] == ["ab", "cd", "ef", "g"]
    assert [w.span for w in words] == [(0, 2), (4, 7), (8, 10), (11, 12)]
    assert Aligned.of("a").locate(["a", "bc"])[1].span == (1, 1)
    assert Aligned.of("").locate(["x"])[0].span == (0, 0)


def test_sub_words_part_the_word() -> None:
    word = Aligned("cats", [(3, 4), (4, 6), (6, 7), (7, 8)])
    assert align_pieces(word, ["ca", "t", "s</w>"]) == [(3, 6), (6, 7), (7, 8)]
    assert align_pieces(Aligned.of(" "), ["", "</w>"]) == [(0, 1), (0, 1)]


# Any text: characters and pieces that some rule acts on.

_PIECES = st.sampled_from(
    ["Mr.", "z.B.", "e.g.", "5", "3,000", "1\u00a0000", "don't", "l'eau", "İ", "ŉ", "Σ", "e\u0301",
     "Ş", "한", "中文", "ไทย", "हिन्दी", "...", "…", ".", ",", '"', "“", "''", "'", "`", "«\u00a0",
     "(", ")", "—", "–", "％", "。", "．", "：", " :", "\u200b", "\x00", "\t", " ", "  ", "\u3000",
     "DOTMULTI", "</w>", "<s>", "nº\u00a0", "\ud800", "😀"]
)  # fmt: skip
_TEXTS = st.lists(_PIECES | st.characters(), max_size=25).map("".join)
_LANGUAGES = st.sampled_from(["en", "fr", "it", "de", "es", "cs", "ro", "ru", "ko", "hi", "xx"])


@settings(deadline=None, max_examples=400)
@given(_TEXTS, _LANGUAGES | st.sampled_from(["zh", "ja"]))
def test_every_text_is_aligned(text: str, language: str) -> None:
    segment = CHARACTERS if language in ("zh", "ja") else None
    words = aligned_words(text, language, segment)
    assert [w.text for w in words] == moses_words(text, language, segment)
    folded = [part.text for w in words for part in fold_aligned(w)]
    assert folded == [part for w in words for part in fold_word(w.text)]
    assert all(len(w.text) == len(w.spans) for w in words)
    previous = (0, 0)
    for word in words:
        start, end = word.span
        assert previous[1] <= start < end <= len(text) or (
            # One character became several words, as in Japanese, where dots are words of their own.
            language == "ja" and previous == (start, end) and text[start:end] == "…"
        )
        assert word.spans == sorted(word.spans)
        letters = [c for c in word.text if c.isalpha()]
        if language != "ro" and "DOTMULTI" not in text:
            assert letters == [c for c in text[start:end] if c in letters], (word, text[start:end])
        previous = (start, end)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    texts = ["The cat sleeps on the mat, don't wake it!", "Größere Katzen schlafen länger."]
    config = TokenizerConfig(vocabulary_size=90, segmenters={"zh": "characters"})
    return Tokenizer.learn([("en", texts * 3)], config, ["en"])


@settings(deadline=None, max_examples=200)
@given(text=_TEXTS)
def test_tokens_have_the_ids_of_encode_and_part_their_words(
    text: str, tokenizer: Tokenizer
) -> None:
    tokens = tokenizer.align(text, "de")
    assert tokens.ids == tokenizer.encode(text, "de")
    assert len(tokens.ids) == len(tokens.spans) == len(tokens.words)
    assert tokens.words == sorted(tokens.words)
    assert set(tokens.words) == set(range(len(set(tokens.words))))
    assert tokens.spans == sorted(tokens.spans)
    assert all(0 <= start < end <= len(text) for start, end in tokens.spans)


def test_tokens_of_plain_text_are_the_text(tokenizer: Tokenizer) -> None:
    text = "The big cat sleeps, the dog can not . Größere Katzen"
    pieces = tokenizer.pieces(text, "de")
    tokens = tokenizer.align(text, "de")
    assert len(pieces) > len(text.split()) + 1
    for piece, (start, end) in zip(pieces, tokens.spans, strict=True):
        plain = text[start:end].lower().replace("ö", "o")
        assert plain == piece.removesuffix("</w>")
    assert [text[s:e] for (s, e), w in zip(tokens.spans, tokens.words, strict=True) if w == 2] == [
        "cat"
    ]


def test_text_that_is_split_already_is_taken_as_it_is(tokenizer: Tokenizer) -> None:
    text = "The CAT's  “x”"
    assert tokenizer.words(text, None) == ["The", "CAT's", "“x”"]
    tokens = tokenizer.align(text, None)
    assert tokens.ids == tokenizer.encode(text, None) != tokenizer.encode(text, "en")
    assert tokenizer.encode_batch([text], None)[0].tolist() == tokens.ids
    assert tokens.words[-1] == 2
    assert tokens.spans[-1] == (13, 14)
