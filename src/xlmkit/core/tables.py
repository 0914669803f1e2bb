"""Tables on standard output: drawn in a terminal, plain and aligned in a file or a pipe."""

import shutil
import sys
import textwrap
from collections.abc import Sequence

from xlmkit.core.log import is_terminal
from xlmkit.core.progress import format_value


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; columns of numbers stand to the right.

    Args:
        title: the line above it.
        columns: the headings.
        rows: the cells; numbers are printed with separated thousands and four significant digits,
            None as a dash, anything else as its `str`.
    """
    cells = [[format_value(cell) for cell in row] for row in rows]
    right = [all(_numeric(row[i]) for row in rows) for i in range(len(columns))]
    if is_terminal(sys.stdout):
        _draw(title, columns, cells, right)
    else:
        sys.stdout.write(_plain(title, columns, cells, right))
        sys.stdout.flush()


def print_text(text: str) -> None:
    """Print sentences between tables, wrapped in a terminal."""
    width = shutil.get_terminal_size().columns if is_terminal(sys.stdout) else 0
    sys.stdout.write(f"{textwrap.fill(text, width) if width else text}\n\n")
    sys.stdout.flush()


def _numeric(cell: object) -> bool:
    """Tell whether a cell is a number, or a text that begins like one, such as "71.3 ± 2"."""
    if isinstance(cell, str):
        return cell.lstrip("+-−")[:1].isdecimal() or cell in ("", "-")
    return cell is None or isinstance(cell, int | float)


def _draw(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD)
    for column, justify_right in zip(columns, right, strict=True):
        drawn.add_column(Text(column), justify="right" if justify_right else "left")
    for row in rows:
        drawn.add_row(*map(Text, row))
    Console().print(drawn)


def _plain(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]
) -> str:
    from rich.cells import cell_len  # an East Asian character is two columns wide

    lines = [columns, *rows]
    widths = [max(cell_len(line[i]) for line in lines) for i in range(len(columns))]
    text = [title]
    for line in lines:
        parts = []
        for cell, width, justify_right in zip(line, widths, right, strict=True):
            space = " " * (width - cell_len(cell))
            parts.append(space + cell if justify_right else cell + space)
        text.append("  ".join(parts).rstrip())
    return "\n".join(text) + "\n\n"
