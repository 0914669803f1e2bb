"""Points with names over two axes: how languages or models stand by two measures."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

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
    shown = [p for p in points if across.holds(p.x) and up.holds(p.y)]
    places = [(across(p.x), up(p.y)) for p in shown]
    labels = place_labels(places, [p.label for p in shown], end=width - 2)
    parts += [_drawn(*drawn) for drawn in zip(shown, places, labels, strict=True)]
    return svg_element(width, height, title, parts, "points")


def place_labels(
    places: Sequence[tuple[float, float]], labels: Sequence[str], *, end: float
) -> list[tuple[float, float, str]]:
    """Return where each label stands and how it is anchored, so that none covers another mark.

    Each takes the first free place of behind, before, above and below its point; behind where
    none is free.

    Args:
        places: of the points.
        labels: their texts.
        end: right edge of the drawing.
    """
    taken = [_Box(x - 5, y - 5, x + 5, y + 5) for x, y in places]
    found = []
    for (x, y), label in zip(places, labels, strict=True):
        width = 7.0 * len(label)
        choices = [
            ((x + 8, y + 4, "start"), _Box(x + 8, y - 6, x + 8 + width, y + 6)),
            ((x - 8, y + 4, "end"), _Box(x - 8 - width, y - 6, x - 8, y + 6)),
            ((x, y - 8, "middle"), _Box(x - width / 2, y - 19, x + width / 2, y - 7)),
            ((x, y + 17, "middle"), _Box(x - width / 2, y + 7, x + width / 2, y + 19)),
        ]
        free = [c for c in choices if c[1].right <= end and not any(map(c[1].meets, taken))]
        place, box = (free or choices)[0]
        taken.append(box)
        found.append(place)
    return found


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "_Box") -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def _drawn(point: NamedPoint, place: tuple[float, float], label: tuple[float, float, str]) -> str:
    hollow = ' class="hollow"' if point.style.hollow else ""
    return (
        f'<g class="point" data-key="{escape(point.key)}" style="--ink:{point.style.color}">'
        f'<circle cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="4.5"{hollow}/>'
        f"{svg_text(label[0], label[1], point.label, 'point-label', label[2])}"
        f"<title>{escape(point.text)}</title></g>"
    )
