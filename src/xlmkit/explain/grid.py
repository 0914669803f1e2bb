"""A table of shares as a drawing: a square for each pair of words, the darker the more."""

from collections.abc import Collection, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from xlmkit.evaluate.drawing import svg_element

_SIDE = 18  # of a square
_SMALL = 5
_LETTER = 7.0  # width of one, about
_WIDE_LETTER = 13.0
_LONGEST = 18  # letters of a label


def word_grid(
    rows: Sequence[str],
    columns: Sequence[str],
    values_RC: NDArray[np.floating],
    title: str,
    marks: Collection[tuple[int, int]] = (),
) -> str:
    """Return an SVG with the words beside and above.

    Args:
        rows: words of the rows.
        columns: words of the columns.
        values_RC: from 0 to 1, (rows, columns).
        title: is read out.
        marks: places that get a ring.
    """
    left = max(map(_width, rows), default=0) + 10
    top = max(map(_width, columns), default=0) + 10
    parts = [
        f'<text x="{left - 6}" y="{top + (i + 0.7) * _SIDE:.1f}" class="label" '
        f'text-anchor="end">{escape(_short(word))}</text>'
        for i, word in enumerate(rows)
    ]
    for i, word in enumerate(columns):
        place = f"{left + (i + 0.7) * _SIDE:.1f}"
        parts.append(
            f'<text x="{place}" y="{top - 6}" class="label" '
            f'transform="rotate(-90 {place} {top - 6})">{escape(_short(word))}</text>'
        )
    parts += _squares(values_RC, left, top, _SIDE, rows, columns)
    parts += [
        f'<circle cx="{left + (j + 0.5) * _SIDE}" cy="{top + (i + 0.5) * _SIDE}" '
        f'r="{_SIDE * 0.3:.1f}" class="ring"/>'
        for i, j in marks
    ]
    width, height = left + len(columns) * _SIDE + 1, top + len(rows) * _SIDE + 1
    svg = svg_element(width, height, title, parts, "grid")
    return svg.replace("<svg ", f'<svg style="max-width:{width}px" ', 1)


def small_grid(values_RC: NDArray[np.floating], title: str) -> str:
    """Return an SVG of the squares alone."""
    n_rows, n_columns = values_RC.shape
    parts = _squares(values_RC, 0, 0, _SMALL)
    width, height = n_columns * _SMALL, n_rows * _SMALL
    svg = svg_element(width, height, title, parts, "grid")
    return svg.replace("<svg ", f'<svg style="max-width:{max(60, width)}px" ', 1)


def _squares(
    values_RC: NDArray[np.floating],
    left: int,
    top: int,
    side: int,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> list[str]:
    n_rows, n_columns = values_RC.shape
    parts = [
        f'<rect x="{left}" y="{top}" width="{n_columns * side}" height="{n_rows * side}" '
        'class="frame"/>'
    ]
    for i, j in np.argwhere(values_RC >= 0.005).tolist():
        value = min(1.0, float(values_RC[i, j]))
        told = ""
        if rows:
            told = f"<title>{escape(rows[i])} → {escape(columns[j])}: {value:.2f}</title>"
        parts.append(
            f'<rect x="{left + j * side}" y="{top + i * side}" width="{side}" height="{side}" '
            f'class="filled" fill-opacity="{value:.2f}">{told}</rect>'
        )
    return parts


def _short(word: str) -> str:
    return word if len(word) <= _LONGEST else f"{word[: _LONGEST - 1]}…"


def _width(word: str) -> int:
    return int(sum(_WIDE_LETTER if ord(c) > 0x2E7F else _LETTER for c in _short(word)))
