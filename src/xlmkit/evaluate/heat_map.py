"""Confusion matrices as drawings: the fuller a cell, the larger its share of the row."""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from xlmkit.evaluate.drawing import svg_element, svg_text

MAXIMUM_CLASSES = 20
"""More than these are not drawn one by one."""
_NUMBERED = 10  # classes up to which shares are written into the cells
_LABEL_LENGTH = 18
_DARK = 0.7  # share from which a cell is so full that its number takes the colour of the page


def grouped(
    counts: NDArray[np.int64], labels: Sequence[str], kept: Sequence[int]
) -> tuple[NDArray[np.int64], list[str]]:
    """Return a confusion matrix of the kept classes, with all others as one more.

    Args:
        counts: (classes, classes), rows are references.
        labels: names of the classes.
        kept: numbers of the classes that stay by themselves, in their order.
    """
    if len(kept) == len(labels):
        return counts, list(labels)
    place = np.full(len(labels), len(kept))
    place[list(kept)] = np.arange(len(kept))
    small = np.zeros((len(kept) + 1, len(kept) + 1), np.int64)
    np.add.at(small, (place[:, None], place[None, :]), counts)
    others = len(labels) - len(kept)
    return small, [*(labels[number] for number in kept), f"{others} other classes"]


def most_frequent(counts: NDArray[np.int64], number: int) -> list[int]:
    """Return the classes with the most examples, at most `number` of them, in their own order."""
    order = np.argsort(-counts.sum(axis=1), kind="stable")
    return sorted(order[:number].tolist())


def heat_map(counts: NDArray[np.int64], labels: Sequence[str], *, title: str) -> str:
    """Draw a confusion matrix; columns are numbered as the rows are.

    Args:
        counts: (classes, classes): rows are references, columns are predictions.
        labels: names of the classes.
        title: what the drawing shows, read out by screen readers.
    """
    n, totals = len(labels), counts.sum(axis=1)
    names = [
        f"{name[: _LABEL_LENGTH - 1]}\N{HORIZONTAL ELLIPSIS}" if len(name) > _LABEL_LENGTH else name
        for name in labels
    ]
    left, top = 24 + 6.3 * max(map(len, names)), 30
    size = min(40.0, (360 - left) / n)
    parts = [svg_text(left, 12, "predicted", "axis-title")]
    for column in range(n):
        x = left + (column + 0.5) * size
        parts.append(svg_text(x, top - 5, str(column + 1), "tick", "middle"))
    for row in range(n):
        y = top + (row + 0.5) * size + 4
        parts.append(svg_text(left - 6, y, f"{names[row]} {row + 1}", "label", "end"))
        for column in range(n):
            share = counts[row, column] / totals[row] if totals[row] else 0.0
            text = (
                f"{labels[row]} taken for {labels[column]}: "
                f"{counts[row, column]:,} of {totals[row]:,} ({share:.0%})"
            )
            x, y = left + column * size, top + row * size
            parts.append(_cell(x, y, size, share, escape(text), written=n <= _NUMBERED))
    width, height = round(left + n * size) + 2, round(top + n * size) + 2
    return svg_element(width, height, title, parts, "heat")


def _cell(x: float, y: float, size: float, share: float, text: str, *, written: bool) -> str:
    number = ""
    if written and share >= 0.005:
        kind = "cell-text strong" if share > _DARK else "cell-text"
        number = svg_text(x + size / 2, y + size / 2 + 4, f"{share * 100:.0f}", kind, "middle")
    return (
        f'<g><title>{text}</title><rect x="{x:.1f}" y="{y:.1f}" width="{size - 1:.1f}" '
        f'height="{size - 1:.1f}" class="cell"/><rect x="{x:.1f}" y="{y:.1f}" '
        f'width="{size - 1:.1f}" height="{size - 1:.1f}" class="filled" '
        f'style="opacity:{share:.2f}"/>{number}</g>'
    )
