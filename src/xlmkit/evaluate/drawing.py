"""What the figures are drawn with: colours, axes, ticks, SVG elements."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

# Okabe and Ito, "Color Universal Design", 2008, darkened for white paper and lightened for a dark
# page so that each has a contrast of at least 3 to 1 against its ground (WCAG 2.2, 1.4.11).
PALETTE = (
    ("#0072b2", "#5aa9e6"),
    ("#d55e00", "#ff8a4c"),
    ("#008a63", "#2fc79a"),
    ("#b8568f", "#e79fc8"),
    ("#a87600", "#f2b63c"),
    ("#33333d", "#ececf2"),
    ("#7c55cc", "#bda6f5"),
    ("#2b93cf", "#9ad7ff"),
)
_DASHES = ("", "6 3", "2 3")


@dataclass(frozen=True, slots=True)
class Style:
    """How the marks of one key look; beyond the palette, dashes and hollow points tell them apart.

    Attributes:
        color: a CSS colour.
        dash: an SVG dash pattern, empty for a full line.
        hollow: whether points are rings.
        width: line width.
    """

    color: str
    dash: str = ""
    hollow: bool = False
    width: float = 1.8


MUTED = Style(color="var(--muted)", dash="", width=1.0)
"""What stands in the background: the training loss, the floor."""


def style(index: int) -> Style:
    """Return the style of the key with this number."""
    turn, color = divmod(index, len(PALETTE))
    dash = _DASHES[turn % len(_DASHES)]
    return Style(color=f"var(--series-{color})", dash=dash, hollow=turn % 2 == 1)


def palette_css() -> str:
    """Return the CSS variables of the palette, for light pages and for dark ones."""
    light = "".join(f"--series-{i}:{pair[0]};" for i, pair in enumerate(PALETTE))
    dark = "".join(f"--series-{i}:{pair[1]};" for i, pair in enumerate(PALETTE))
    return f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values.

    Attributes:
        title: what is measured, with its unit.
        low: lower end, None to take it from the data.
        high: upper end, None to take it from the data.
        log: whether equal distances are equal ratios.
    """

    title: str
    low: float | None = None
    high: float | None = None
    log: bool = False


def ticks(low: float, high: float, *, count: int = 5, log: bool = False) -> list[float]:
    """Return round values from `low` to `high` (steps of 1, 2 or 5 times a power of ten).

    Args:
        low: lower end.
        high: upper end, greater than `low`.
        count: about how many are wanted.
        log: values for a logarithmic axis: 1, 2 and 5 times powers of ten, powers of ten alone
            where that is too many, and equal steps where it is too few.
    """
    if log:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for factors in ((1, 2, 5), (1,)):
            values = [factor * 10.0**power for power in powers for factor in factors]
            inside = [value for value in values if low <= value * (1 + 1e-9) <= high * (1 + 2e-9)]
            if 3 <= len(inside) <= 2 * count:
                return inside
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((1, 2, 5, 10), key=lambda factor: abs(math.log(factor * power / rough))) * power
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def tick_text(value: float) -> str:
    """Return a tick's label: no more digits than it needs, thousands parted."""
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3g}"
    text = f"{value:,.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "\N{MINUS SIGN}")


class Scale:
    """From values to places on the drawing, over a range that holds the data."""

    def __init__(self, axis: Axis, values: Iterable[float], start: float, end: float) -> None:
        """Fit the axis to the data.

        Args:
            axis: gives the ends of the range where it names them.
            values: the data, which give the ends that it does not name.
            start: place of the lower end on the drawing.
            end: place of the upper end.
        """
        self.log = axis.log
        found = [v for v in values if math.isfinite(v) and (v > 0 or not axis.log)]
        low = axis.low if axis.low is not None else min(found, default=1.0)
        high = axis.high if axis.high is not None else max(found, default=2.0)
        if not low < high:
            low, high = (low / 2, low * 2) if axis.log else (low - 0.5, low + 0.5)
        self.low, self.high, self.start, self.end = low, high, start, end

    def ticks(self, count: int) -> list[float]:
        """Return about `count` round values within the range."""
        return ticks(self.low, self.high, count=count, log=self.log)

    def holds(self, value: float) -> bool:
        """Return whether the value has a place on this axis."""
        return math.isfinite(value) and (value > 0 or not self.log)

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.start + (value - low) / (high - low) * (self.end - self.start)


def svg_element(width: int, height: int, title: str, parts: Iterable[str], kind: str) -> str:
    """Return a drawing of `width` by `height` units; `kind` is its class, `title` is read out."""
    return (
        f'<svg class="figure {kind}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def svg_text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    """Return a text at (x, y), escaped; `kind` is its class."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def svg_line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a straight line; `kind` is its class."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'
