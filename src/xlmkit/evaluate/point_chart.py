"""Points with names over two axes: how languages or models stand by two measures."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from xlmkit.evaluate.drawing import Axis, Scale, Style, svg_element, svg_line, svg_text, tick_text


@dataclass(frozen=True, slots=True)
class NamedPoint:
    """One point.

    Attributes:
        x: horizontal value.
        y: vertical value.
        key: what it belongs to (a language), for highlighting.
        label: what stands beside it.
        text: shown on hover.
        style: how it looks.
    """

    x: float
    y: float
    key: str
    label: str
    text: str
    style: Style


def point_chart(points: Sequence[NamedPoint], x: Axis, y: Axis, *, title: str) -> str:
    """Draw named points over a pair of axes; those that the axes cannot show are left out.

    Args:
        points: the points.
        x: horizontal axis.
        y: vertical axis.
        title: what the chart shows, read out by screen readers.
    """
    width, height, left, right, top, bottom = 360, 250, 40, 22, 26, 36
    across = Scale(x, [p.x for p in points], left + 12, width - right - 12)
    up = Scale(y, [p.y for p in points], height - bottom, top + 6)
    parts = [svg_text(0, 12, y.title, "axis-title")]
    for value in up.ticks(5):
        parts.append(svg_line(left, up(value), width - right, up(value), "grid"))
        parts.append(svg_text(left - 6, up(value) + 4, tick_text(value), "tick", "end"))
    parts += [
        svg_text(across(value), height - bottom + 16, tick_text(value), "tick", "middle")
        for value in across.ticks(4)
    ]
    parts.append(svg_text(width - right, height - 4, x.title, "axis-title", "end"))
    for point in points:
        if across.holds(point.x) and up.holds(point.y):
            parts.append(_drawn(point, across(point.x), up(point.y), width - right))
    return svg_element(width, height, title, parts, "points")


def _drawn(point: NamedPoint, x: float, y: float, end: float) -> str:
    before = x > end - 7 * len(point.label) - 8  # no room behind it
    place, anchor = (x - 8, "end") if before else (x + 8, "start")
    hollow = ' class="hollow"' if point.style.hollow else ""
    return (
        f'<g class="point" data-key="{escape(point.key)}" style="--ink:{point.style.color}">'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5"{hollow}/>'
        f"{svg_text(place, y + 4, point.label, 'point-label', anchor)}"
        f"<title>{escape(point.text)}</title></g>"
    )
