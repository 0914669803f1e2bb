"""ROUGE on examples worked out by hand, in several scripts."""

import pytest

from xlmkit.core.errors import UserError
from xlmkit.evaluate.rouge import rouge_scores
from xlmkit.evaluate.words import counted_words, plain, word_splitter

pytestmark = pytest.mark.unit


def _f1(common, own, other):
    return 100 * 2 * common / (own + other)


# (language, hypothesis, reference, expected rouge1, rouge2, rougeL)
EXAMPLES = [
    # Common words: der, Hund, rennt; pairs: der Hund; in order: der Hund rennt.
    ("de", "Der Hund rennt.", "der hund ist da, rennt", _f1(3, 3, 5), _f1(1, 2, 4), _f1(3, 3, 5)),
    # кошка and стуле; no pair; кошка ... стуле.
    ("ru", "Кошка на стуле", "Чёрная кошка лежит у стуле!", _f1(2, 3, 5), 0, _f1(2, 3, 5)),
    # القط and الكرسي; another order leaves one of them in a subsequence.
    ("ar", "القط فوق الكرسي", "الكرسي تحت القط", _f1(2, 3, 3), 0, _f1(1, 3, 3)),
    # Vowel signs belong to words: किताब is one word and not three.
    ("hi", "किताब मेज़ पर है।", "किताब यहाँ है", _f1(2, 4, 3), 0, _f1(2, 4, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("language", "own", "other", "one", "two", "longest"), EXAMPLES)
def test_by_hand(language, own, other, one, two, longest):
    made = rouge_scores([own], [[other]], language, resamples=0)
    assert made["rouge1"].value == pytest.approx(one)
    assert made["rouge2"].value == pytest.approx(two)
    assert made["rougeL"].value == pytest.approx(longest)


def test_chinese_is_cut_into_words():
    pytest.importorskip("rjieba")
    kind, split = word_splitter("zh")
    assert kind == "rjieba"
    assert split("我们喜欢北京。") == ["我们", "喜欢", "北京"]
    made = rouge_scores(["我们喜欢北京。"], [["北京，我们喜欢！"]], "zh", resamples=0)
    assert made["rouge1"].value == pytest.approx(100)
    assert made["rouge2"].value == pytest.approx(_f1(1, 2, 2))
    assert made["rougeL"].value == pytest.approx(_f1(2, 3, 3))
    assert "words:rjieba" in made["rouge1"].signature


def test_thai_is_cut_into_words():
    pytest.importorskip("pythainlp")
    assert word_splitter("th")[1]("แมวกินปลา") == ["แมว", "กิน", "ปลา"]
    made = rouge_scores(["แมวกินปลา"], [["หมากินปลา"]], "th", resamples=0)
    assert made["rouge1"].value == pytest.approx(_f1(2, 3, 3))
    assert made["rouge2"].value == pytest.approx(_f1(1, 2, 2))


def test_sentences_count_for_themselves_in_lsum_alone():
    own, other = "The dog sleeps. A cat runs.", "A cat runs. The dog sleeps."
    made = rouge_scores([own], [[other]], "en", resamples=0)
    assert made["rougeL"].value == pytest.approx(_f1(3, 6, 6))
    assert made["rougeLsum"].value == pytest.approx(100)


def test_the_best_reference_counts_and_the_mean_has_an_interval():
    made = rouge_scores(["a b", "c d"], [["x y", "c d"], ["a b", "x y"]], "en", ("rouge1",))
    assert made["rouge1"].value == made["rouge1"].low == pytest.approx(100)
    apart = rouge_scores(["a b", "c d"] * 30, [["a b", "x y"] * 30], "en", ("rouge1",))["rouge1"]
    assert apart.value == pytest.approx(50)
    assert 30 < apart.low < 50 < apart.high < 70


def test_empty_texts_score_nothing():
    assert rouge_scores([""], [["a b"]], "en", resamples=0)["rougeLsum"].value == 0


def test_lengths_must_match():
    with pytest.raises(UserError, match="1 translations but 2 lines"):
        rouge_scores(["a"], [["a", "b"]], "en")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ｆｕｌｌ-width １２, e\u0301t\u00e9!", "full width 12  été "),
        ("می\u200cخواهم؟", "میخواهم "),
        ("नमस्ते।", "नमस्ते "),
    ],
)
def test_plain_text(text, expected):
    assert plain(text) == expected


def test_without_a_segmenter_characters_stand_for_words():
    assert counted_words("猫が、寝る。", "ja") == ["猫", "が", "寝", "る"]
    assert counted_words("ดีมาก", "th") == ["ดี", "ม", "า", "ก"]
    assert word_splitter("lo")[0] == "characters"
