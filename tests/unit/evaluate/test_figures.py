import math
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from xlmkit.evaluate.drawing import PALETTE, Axis, palette_css, style, tick_text, ticks
from xlmkit.evaluate.figures import (
    Bar,
    Point,
    Series,
    bar_chart,
    line_chart,
    scatter_plot,
    spread_labels,
)

pytestmark = pytest.mark.unit

HOSTILE = '</title><script>alert("é & 你好")</script>'
PAGES = {"light": "#fffefb", "dark": "#16171a"}


def _tree(svg):
    return ET.fromstring(svg)  # noqa: S314 - drawn by the function under test


def _numbers(element, *names):
    return [float(element.get(name)) for name in names]


def _lines(svg):
    """Return the points of every line, as drawn."""
    found = [e.get("points") for e in _tree(svg).iter("polyline")]
    return [[tuple(map(float, pair.split(","))) for pair in text.split()] for text in found]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0.13, 0.94, [0.2, 0.4, 0.6, 0.8]),
        (2.31, 9.2, [3, 4, 5, 6, 7, 8, 9]),
        (-3, 3, [-3, -2, -1, 0, 1, 2, 3]),
        (0, 12_400, [0, 2000, 4000, 6000, 8000, 10_000, 12_000]),
    ],
)
def test_ticks_are_round_and_inside(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1, 1000, [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]),
        (3, 60, [5, 10, 20, 50]),
        (1, 1e6, [1, 10, 100, 1e3, 1e4, 1e5, 1e6]),
        (2.1, 2.9, [2.2, 2.4, 2.6, 2.8]),
    ],
)
def test_logarithmic_ticks(low, high, expected):
    assert ticks(low, high, log=True) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.30000000000000004, "0.3"), (-2.0, "−2"), (12_000, "12,000"), (0.0, "0"), (3e-6, "3e-06")],
)
def test_tick_labels(value, text):
    assert tick_text(value) == text


def _luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("mode", "page"), list(enumerate(PAGES.values())))
def test_every_color_stands_out_from_the_page(mode, page):
    for pair in PALETTE:
        shades = sorted((_luminance(pair[mode]), _luminance(page)))
        assert (shades[1] + 0.05) / (shades[0] + 0.05) >= 3.0, pair[mode]


def test_palette_has_both_modes():
    css = palette_css()
    light, dark = css.split("@media(prefers-color-scheme:dark)")
    assert f"--series-0:{PALETTE[0][0]};" in light
    assert f"--series-0:{PALETTE[0][1]};" in dark


def test_styles_of_many_keys_differ():
    looks = {(s.color, s.dash, s.hollow) for s in map(style, range(2 * len(PALETTE)))}
    assert len(looks) == 2 * len(PALETTE)


def test_lines_fall_where_their_values_fall():
    falling = Series("fr", "French", [(0, 9.0), (1, 5.0), (2, 1.0)], style(0), label="fr")
    svg = line_chart([falling], Axis("minutes"), Axis("loss"), title="Loss")
    [[first, second, third]] = _lines(svg)
    assert first[0] < second[0] < third[0]
    assert first[1] < second[1] < third[1], "greater values lie higher"
    assert second[1] == pytest.approx((first[1] + third[1]) / 2, abs=0.1)


def test_equal_ratios_are_equal_distances_on_a_logarithmic_axis():
    series = Series("fr", "French", [(0, 1000.0), (1, 100.0), (2, 10.0)], style(0))
    svg = line_chart([series], Axis("steps"), Axis("perplexity", log=True), title="Perplexity")
    [[first, second, third]] = _lines(svg)
    assert third[1] - second[1] == pytest.approx(second[1] - first[1], abs=0.1)


def test_values_that_an_axis_cannot_show_are_left_out():
    points = [(0, 1.0), (1, math.nan), (2, math.inf), (3, 0.0), (4, 3.0)]
    series = [Series("fr", "French", points, style(0))]
    svg = line_chart(series, Axis("steps"), Axis("loss", log=True), title="Loss")
    assert len(_lines(svg)[0]) == 2


@pytest.mark.parametrize("points", [[], [(5.0, 2.0)], [(0.0, 3.0), (1.0, 3.0)]])
def test_lines_without_extent_can_be_drawn(points):
    svg = line_chart([Series("x", "x", points, style(0))], Axis("x"), Axis("y"), title="t")
    assert len(_lines(svg)) == bool(points)
    assert "nan" not in svg


def test_hover_titles_name_the_series_and_the_value():
    series = Series("zh", "Chinese 中文", [(1.5, 3.25)], style(0))
    svg = line_chart([series], Axis("minutes"), Axis("loss"), title="Loss")
    [title] = [e.text for e in _tree(svg).iter("title")]
    assert title == "Chinese 中文: loss 3.25, minutes 1.5"


def test_labels_keep_their_order_and_distance():
    places = [50.0, 52.0, 51.0, 10.0]
    spread = spread_labels(places, gap=11, low=0, high=60)
    assert sorted(range(4), key=spread.__getitem__) == [3, 0, 2, 1]
    ordered = sorted(spread)
    assert all(b - a >= 11 - 1e-9 for a, b in pairwise(ordered))
    assert ordered[0] >= 0
    assert ordered[-1] <= 60


def test_labels_that_cannot_fit_are_left_out():
    assert spread_labels([1.0, 2.0, 3.0], gap=11, low=0, high=20) == []


def test_scatter_joins_the_points_of_a_group_and_keeps_proportions():
    points = [
        Point(0, 0, "en", 1, "Save"),
        Point(4, 0, "ru", 1, "Сохранить"),
        Point(2, 1, "zh", 2, "取消"),
        Point(math.nan, 0, "en", 3, "lost"),
    ]
    styles = {"en": style(0), "ru": style(1), "zh": style(9)}
    svg = scatter_plot(points, styles, {"ru": "Russian"}, title="Map")
    root = _tree(svg)
    circles = {c.get("data-key"): c for c in root.iter("circle")}
    assert len(list(root.iter("circle"))) == 3
    assert len(list(root.iter("path"))) == 1, "only one group has two points"
    assert circles["ru"].find("title").text == "Russian: Сохранить"
    assert circles["zh"].get("class") == "hollow"
    en, ru, zh = (_numbers(circles[key], "cx", "cy") for key in ("en", "ru", "zh"))
    assert ru[0] - en[0] == pytest.approx(4 * (en[1] - zh[1]), abs=0.3), "one scale for both axes"


@pytest.mark.parametrize("points", [[], [Point(1, 1, "en", 0, "one")]])
def test_scatter_without_extent_can_be_drawn(points):
    svg = scatter_plot(points, {}, {}, title="Map")
    assert len(list(_tree(svg).iter("circle"))) == len(points)
    assert "nan" not in svg


def test_bars_are_as_long_as_their_values_and_whiskers_span_the_interval():
    bars = [Bar("MLM", 0.4, 0.3, 0.5, style(0)), Bar("TLM", 0.8, None, None, style(1))]
    root = _tree(bar_chart([("French", bars)], title="Accuracy"))
    short, long = (_numbers(r, "x", "width") for r in root.iter("rect"))
    assert long[1] == pytest.approx(2 * short[1], abs=0.2)
    [whisker] = [e for e in root.iter("line") if e.get("class") == "whisker"]
    low, high = _numbers(whisker, "x1", "x2")
    assert low == pytest.approx(short[0] + short[1] * 0.75, abs=0.2)
    assert high == pytest.approx(short[0] + short[1] * 1.25, abs=0.2)
    titles = [e.text for e in root.iter("title")]
    assert titles == ["French, MLM: 40.0% (30.0% to 50.0%)", "French, TLM: 80.0%"]


def test_text_from_outside_is_escaped_everywhere():
    drawings = [
        line_chart(
            [Series(HOSTILE, HOSTILE, [(0, 1.0), (1, 2.0)], style(0), label=HOSTILE)],
            Axis(HOSTILE),
            Axis(HOSTILE),
            title=HOSTILE,
        ),
        scatter_plot(
            [Point(0, 0, HOSTILE, 0, HOSTILE), Point(1, 1, "x", 0, HOSTILE)], {}, {}, title=HOSTILE
        ),
        bar_chart([(HOSTILE, [Bar(HOSTILE, 0.5, 0.4, 0.6, style(0))])], title=HOSTILE),
    ]
    for svg in drawings:
        assert "<script" not in svg
        assert _tree(svg).get("aria-label") == HOSTILE
