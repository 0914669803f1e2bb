"""Line charts, scatter plots and bars as small SVG drawings.

Drawn here and not with a plotting library: a report needs three kinds of figure, and a dependency
of 100 MB is not worth them. Drawn as SVG, they carry what a picture cannot: text in every script
set by the browser, a title on hover for each mark, colours that follow the light or dark page.
Each function returns one `<svg>` element as text, with everything from outside escaped; its size
follows the width of the page. Marks carry `data-key`, so that a page can highlight one language.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from xlmkit.evaluate.drawing import (
    MUTED,
    Axis,
    Scale,
    Style,
    svg_element,
    svg_line,
    svg_text,
    tick_text,
)


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart.

    Attributes:
        key: what it belongs to (a language, a model), for highlighting and for its label.
        name: its name in hover titles.
        points: (x, y), x rising.
        style: how it looks.
        label: text at its right end; empty for none.
    """

    key: str
    name: str
    points: Sequence[tuple[float, float]]
    style: Style
    label: str = ""


def line_chart(series: Sequence[Series], x: Axis, y: Axis, *, title: str) -> str:
    """Draw lines over a common pair of axes.

    Values that the axes cannot show (not finite; not positive on a logarithmic axis) are left out.

    Args:
        series: the lines; later ones lie above earlier ones.
        x: horizontal axis.
        y: vertical axis.
        title: what the chart shows, read out by screen readers.
    """
    width, height, left, right, top, bottom = 360, 250, 36, 26, 26, 36
    points = [point for one in series for point in one.points]
    across = Scale(x, (point[0] for point in points), left, width - right)
    up = Scale(y, (point[1] for point in points), height - bottom, top)
    parts = [svg_text(0, 12, y.title, "axis-title")]
    for value in up.ticks(5):
        place = up(value)
        parts.append(svg_line(left, place, width - right, place, "grid"))
        parts.append(svg_text(left - 6, place + 4, tick_text(value), "tick", "end"))
    parts += [
        svg_text(across(value), height - bottom + 16, tick_text(value), "tick", "middle")
        for value in across.ticks(6)
    ]
    parts.append(svg_text(width - right, height - 4, x.title, "axis-title", "end"))
    ends = {}
    for number, one in enumerate(series):
        shown = [p for p in one.points if across.holds(p[0]) and up.holds(p[1])]
        places = [(across(p[0]), up(p[1])) for p in shown]
        if places:
            parts.append(_drawn_line(one, shown, places, (x.title, y.title)))
            if one.label:
                ends[number] = places[-1][1]
    spread = spread_labels(list(ends.values()), gap=11, low=top, high=height - bottom)
    for number, place in zip(ends, spread, strict=False):  # empty when there are too many
        one = series[number]
        parts.append(
            f'<g data-key="{escape(one.key)}" style="fill:{one.style.color}">'
            + svg_text(width - right + 5, place + 3.5, one.label, "end-label")
            + "</g>"
        )
    return svg_element(width, height, title, parts, "lines")


def _drawn_line(
    one: Series,
    points: Sequence[tuple[float, float]],
    places: Sequence[tuple[float, float]],
    axes: tuple[str, str],
) -> str:
    """Draw one line and, over it, its points as invisible discs that carry the hover titles."""
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
    marks = "".join(
        f'<circle cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="5"><title>'
        f"{escape(f'{one.name}: {axes[1]} {point[1]:.4g}, {axes[0]} {point[0]:.4g}')}"
        "</title></circle>"
        for point, place in zip(points, places, strict=True)
    )
    lone = " lone" if len(places) == 1 else ""  # a line of one point cannot be seen
    look = f"--ink:{one.style.color};stroke-width:{one.style.width}"
    dash = f' stroke-dasharray="{one.style.dash}"' if one.style.dash else ""
    return (
        f'<g class="series{lone}" data-key="{escape(one.key)}" style="{look}">'
        f'<polyline points="{path}"{dash}/>{marks}</g>'
    )


def spread_labels(places: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Return places near the given ones, in the same order, at least `gap` apart.

    Returns an empty list where that many do not fit between `low` and `high`.
    """
    if (len(places) - 1) * gap > high - low:
        return []
    order = sorted(range(len(places)), key=places.__getitem__)
    result = [0.0] * len(places)
    previous = low - gap
    for number in order:
        previous = result[number] = max(places[number], previous + gap)
    following = high + gap
    for number in reversed(order):
        following = result[number] = min(result[number], following - gap)
    return result


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a scatter plot.

    Attributes:
        x: horizontal place.
        y: vertical place.
        key: what gives it its colour (its language).
        group: points of one group are joined by lines (translations of one message).
        text: shown on hover.
    """

    x: float
    y: float
    key: str
    group: int
    text: str


def scatter_plot(
    points: Sequence[Point],
    styles: Mapping[str, Style],
    names: Mapping[str, str],
    *,
    title: str,
) -> str:
    """Draw points, each group joined to its centre by thin lines.

    The two axes have one scale, so that distances mean the same in every direction.

    Args:
        points: the points; those with a place that is not finite are left out.
        styles: the look of each key.
        names: the name of each key in hover titles.
        title: what the plot shows, read out by screen readers.
    """
    size, margin = 440, 10
    shown = [p for p in points if math.isfinite(p.x) and math.isfinite(p.y)]
    xs, ys = [p.x for p in shown], [p.y for p in shown]
    middle_x, middle_y = ((max(v) + min(v)) / 2 if v else 0.0 for v in (xs, ys))
    reach = max((max(v) - min(v) for v in (xs, ys) if v), default=0.0) / 2 or 1.0
    across = Scale(Axis("", middle_x - reach, middle_x + reach), (), margin, size - margin)
    up = Scale(Axis("", middle_y - reach, middle_y + reach), (), size - margin, margin)
    groups: dict[int, list[Point]] = {}
    for point in shown:
        groups.setdefault(point.group, []).append(point)
    parts = [f'<rect x="0.5" y="0.5" width="{size - 1}" height="{size - 1}" class="frame"/>']
    for members in groups.values():
        x = across(sum(p.x for p in members) / len(members))
        y = up(sum(p.y for p in members) / len(members))
        spokes = "".join(f"M{x:.1f} {y:.1f}L{across(p.x):.1f} {up(p.y):.1f}" for p in members)
        path = f'<path d="{spokes}"/>' if len(members) > 1 else ""
        marks = "".join(_mark(p, across(p.x), up(p.y), styles, names) for p in members)
        parts.append(f'<g class="group">{path}{marks}</g>')
    return svg_element(size, size, title, parts, "scatter")


def _mark(
    point: Point, x: float, y: float, styles: Mapping[str, Style], names: Mapping[str, str]
) -> str:
    look = styles.get(point.key, MUTED)
    hollow = ' class="hollow"' if look.hollow else ""
    text = escape(f"{names.get(point.key, point.key)}: {point.text}")
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6"{hollow} data-key="{escape(point.key)}" '
        f'style="--ink:{look.color}"><title>{text}</title></circle>'
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        name: what it stands for, in the hover title.
        value: a share from 0 to 1.
        low: lower end of its interval, None for none.
        high: upper end of its interval, None for none.
        style: how it looks.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    style: Style


def bar_chart(groups: Sequence[tuple[str, Sequence[Bar]]], *, title: str) -> str:
    """Draw horizontal bars of shares, a group of them for each label, with interval whiskers.

    Args:
        groups: (label, bars) from top to bottom.
        title: what the chart shows, read out by screen readers.
    """
    width, right, top, thick, between = 380, 32, 20, 9, 11
    longest = max((len(label) for label, _ in groups), default=0)
    left = min(max(50, 14 + 6.4 * longest), 140)
    across = Scale(Axis("", 0.0, 1.0), (), left, width - right)
    height = top + sum(len(bars) * thick + between for _, bars in groups)
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        place = across(share)
        parts.append(svg_line(place, top - 4, place, height - 4, "grid"))
        parts.append(svg_text(place, 11, f"{share:.0%}", "tick", "middle"))
    y = float(top) + between / 2
    for label, bars in groups:
        parts.append(svg_text(left - 8, y + len(bars) * thick / 2 + 4, label, "label", "end"))
        for bar in bars:
            parts.append(_drawn_bar(label, bar, across, y, thick - 1.5))
            y += thick
        y += between
    return svg_element(width, math.ceil(height), title, parts, "bars")


def _drawn_bar(label: str, bar: Bar, across: Scale, y: float, thick: float) -> str:
    value = min(max(bar.value, 0.0), 1.0) if math.isfinite(bar.value) else 0.0
    end, middle = across(value), y + thick / 2
    text = f"{label}, {bar.name}: {bar.value:.1%}"
    whisker = ""
    if bar.low is not None and bar.high is not None:
        low, high = across(bar.low), across(bar.high)
        whisker = svg_line(low, middle, high, middle, "whisker")
        text += f" ({bar.low:.1%} to {bar.high:.1%})"
        end = max(end, high)
    start = across(0.0)
    return (
        f'<g class="bar" style="--ink:{bar.style.color}"><title>{escape(text)}</title>'
        f'<rect x="{start:.1f}" y="{y:.1f}" width="{across(value) - start:.1f}" '
        f'height="{thick}"/>{whisker}'
        + svg_text(end + 4, middle + 3, f"{bar.value * 100:.0f}", "value")
        + "</g>"
    )
