"""The normal form of a text knows where it stood in the text."""

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xlmkit.data.measures import normalize
from xlmkit.data.normal_spans import aligned_normal
from xlmkit.data.survey import survey

_SPECIAL = (
    "ab  \t\n\u00a0\u2003\u3000e\u0301\u0323\u0327\u1161\u11a8\u1100\uac00\u09c7\u09be\u0f73\u0334"
    "\u0f71\u0f72\u200b\u200c\u200d\u0915\u093c\u00ad\ue000\ufe0f\ufb1d\u212b\u0344\U0001d15e\u2126"
)


@given(st.one_of(st.text(st.sampled_from(_SPECIAL), max_size=12), st.text(max_size=12)))
@example("")
@example("X\u0f71\u0f73\u0334")
def test_it_is_the_normal_form_and_knows_its_parts(text: str) -> None:
    made = aligned_normal(text)
    assert made.text == normalize(text)
    assert made.spans == sorted(made.spans)
    for character, (start, end) in zip(made.text, made.spans, strict=True):
        assert 0 <= start <= end <= len(text)
        came_from = unicodedata.normalize("NFC", text[start:end])
        assert character in came_from or character == " "


@pytest.mark.parametrize(
    ("text", "word", "stands"),
    [
        ("  a\t\tbc ", "bc", "bc"),
        (unicodedata.normalize("NFD", "một Việt!"), "Việt", unicodedata.normalize("NFD", "Việt")),
        ("x zero\u200bwidth", "zerowidth", "zero\u200bwidth"),
        (unicodedata.normalize("NFD", "가 한국"), "한국", unicodedata.normalize("NFD", "한국")),
    ],
)
def test_words_stand_where_they_were_written(text: str, word: str, stands: str) -> None:
    found = {part.text.strip("!"): part for part in aligned_normal(text).words()}
    start, end = found[word].span
    assert text[start:end].strip("!") == stands


def test_half_of_a_surrogate_pair_is_no_character() -> None:
    cut = json.loads('"cut inside an emoji \\ud83d"')
    assert normalize(cut) == "cut inside an emoji"
    texts, facts = survey("en").look([cut])
    assert (texts, list(facts.words)) == (["cut inside an emoji"], [4])
