"""Numbers, times and lists as a reader sees them."""

import pytest

from xlmkit.evaluate import formats


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formats.percent(0.7123), "71.2%"),
        (formats.hundredths(-0.0321), "−3.2"),
        (formats.percent(-0.0321), "−3.2%"),
        (formats.hundredths(-0.0001), "0.0"),
        (formats.points(-0.123), "−12.3"),
        (formats.points(0.2), "+20.0"),
        (formats.points(-0.0001), "0.0"),
        (formats.points(float("nan")), "–"),
        (formats.number(3.217), "3.22"),
        (formats.number(15_900.4), "15,900"),
        (formats.number(0.0), "0"),
        (formats.large(2_640_000), "2.64 million"),
        (formats.large(15_900), "15,900"),
        (formats.duration(4.21), "4.2 s"),
        (formats.duration(59.7), "1 min 00 s"),
        (formats.duration(372), "6 min 12 s"),
        (formats.duration(3_840), "1 h 04 min"),
        (formats.duration(7_199), "2 h 00 min"),
        (formats.words(6), "six"),
        (formats.words(15), "15"),
        (formats.listed(["a", "b", "c"]), "a, b and c"),
        (formats.listed(["a"]), "a"),
    ],
)
def test_formats(text, expected):
    assert text == expected
