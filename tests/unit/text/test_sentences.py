import time

import pytest

from xlmkit.text.sentences import split_sentences, whole_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two!  Three?", ["One.", "Two!", "Three?"]),
        ("3.14 is one… piece", ["3.14 is one…", "piece"]),
        ("你好。再见！好", ["你好。", "再见！", "好"]),
        ("यह एक है।यह दो है।", ["यह एक है।", "यह दो है।"]),
        ("كيف؟ بخير", ["كيف؟", "بخير"]),
        ("他说：“你好。”然后走了。", ["他说：“你好。”", "然后走了。"]),
        ("「そうです。」と言った。", ["「そうです。」", "と言った。"]),
        ("真的吗？！太好了！！！ 好。", ["真的吗？！", "太好了！！！", "好。"]),
        ("圆周率是３．１４。对．好", ["圆周率是３．１４。", "对．", "好"]),
        ("हाँ।। नहीं।", ["हाँ।।", "नहीं।"]),
        ("یہ ایک ہے۔ یہ دو ہے۔", ["یہ ایک ہے۔", "یہ دو ہے۔"]),
        ("ሰላም። ደህና፧", ["ሰላም።", "ደህና፧"]),
        ('He said "Go." Then he left.', ['He said "Go."', "Then he left."]),
        ("(It rained.) We left.", ["(It rained.)", "We left."]),
        ("« Va. » Il part.", ["« Va. »", "Il part."]),
        ("„Geh!“ Er ging.", ["„Geh!“", "Er ging."]),
        ("Er ging. » Komm « rief er.", ["Er ging.", "» Komm « rief er."]),
        ("Zeile eins.\n» Zeile zwei.", ["Zeile eins.", "» Zeile zwei."]),
        ("«ماذا؟» قال", ["«ماذا؟»", "قال"]),
        ("(هل هذا صحيح؟) نعم", ["(هل هذا صحيح؟)", "نعم"]),
        ('"ماذا؟" ثم', ['"ماذا؟"', "ثم"]),
        ('"यह क्या है।" फिर', ['"यह क्या है।"', "फिर"]),
        ('好。"你好"', ["好。", '"你好"']),
        (" one. ", [" one."]),
        ("a title\n\nand a text", ["a title", "and a text"]),
        ("", []),
    ],
)
def test_sentences_end_at_their_marks_and_with_the_line(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("en", ["Dr. Who came at 5 p.m. on No. 5 Street.", "He left!", "Why?"]),
        ("en", ["The Yahoo! site... is old.", "New"]),
        ("en", ["1. Open it.", "2. Close it."]),
        ("de", ["Am 3. Mai kam z.B. Prof. Groß.", "Er ging."]),
        ("en", ["all is small.", "so it ends?", "yes"]),
        ("zh", ["你好。", "再见！"]),
        ("xx", ["One.", "Two."]),
        ("en", ["... and so on", "a line"]),
        ("en", ['"Go!" he said.', '(See Mr. "Who".)', '"No!"', "He left."]),
        ("fr", ["« Va ! » dit-il.", "Il part."]),
        ("en", []),
    ],
)
def test_abbreviations_end_no_whole_sentence(language: str, sentences: list[str]) -> None:
    between = "" if language == "zh" else "\n" if "a line" in sentences else " "
    assert whole_sentences(between.join(sentences), language) == sentences


@pytest.mark.parametrize(
    "text",
    [
        "." * 200_000,
        '."' * 100_000,
        ".»" * 100_000,
        "？" * 200_000,
        "." + "»" * 100_000,
        "." + " »" * 100_000,
    ],
)
def test_rows_of_marks_take_no_time(text: str) -> None:
    began = time.perf_counter()
    assert "".join(split_sentences(text)).replace(" ", "") == text.replace(" ", "")
    assert time.perf_counter() - began < 5
