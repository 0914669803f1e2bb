import pytest

from xlmkit.text.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two!  Three?", ["One.", "Two!", "Three?"]),
        ("3.14 is one… piece", ["3.14 is one…", "piece"]),
        ("你好。再见！好", ["你好。", "再见！", "好"]),
        ("यह एक है।यह दो है।", ["यह एक है।", "यह दो है।"]),
        ("كيف؟ بخير", ["كيف؟", "بخير"]),
        ("a title\n\nand a text", ["a title", "and a text"]),
        ("", []),
    ],
)
def test_sentences_end_at_their_marks_and_with_the_line(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences
