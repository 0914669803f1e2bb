"""What the commands of all benchmarks share: numbers from 1 on, a folder of text, mistakes."""

import argparse
import os
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.core.files import open_lines
from xlmkit.text.languages import LANGUAGES

TEXT, PAIRS = "XLMKIT_REAL_TEXT", "XLMKIT_REAL_PAIRS"
"""Environment variables: a folder of real text, and TSV files of real pairs, with `:` between."""


def positive(text: str) -> int:
    """Return a whole number from 1 on, for argparse."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return number


def add_text(parser: argparse.ArgumentParser) -> None:
    """Add `--text`."""
    parser.add_argument("--text", type=Path, default=os.environ.get(TEXT), help=f"or {TEXT}")


def add_pairs(parser: argparse.ArgumentParser) -> None:
    """Add `--pairs`."""
    named = [Path(path) for path in os.environ.get(PAIRS, "").split(os.pathsep) if path]
    parser.add_argument("--pairs", nargs="+", type=Path, default=named, help=f"TSV, or {PAIRS}")


def text_folder(arguments: argparse.Namespace) -> Path:
    """Return the folder of real text, a folder of .txt files for each language.

    Raises:
        SystemExit: without an error if none is named.
        UserError: it is not there, or has no text of a known language.
    """
    if not arguments.text:
        print(f"Skipped: name a folder of real text with --text or in {TEXT}.")
        sys.exit(0)
    folder = Path(arguments.text)
    if not any(place.parent.name in LANGUAGES for place in folder.glob("*/*.txt")):
        raise UserError(
            f"{folder} has no text: it needs a folder for each language, named by its code, with "
            ".txt files of one text a line."
        )
    return folder


def spread(folder: Path, count: int) -> list[str]:
    """Return at most `count` lines of a folder's .txt files, about as many from each one's top."""
    files = sorted(folder.glob("*.txt"))
    share = -(-count // max(1, len(files)))
    return [line for file in files for _, line in islice(open_lines(file), share)][:count]


def run(main: Callable[[], int | None]) -> None:
    """Run a benchmark and end the program; of a user's mistake one sentence is told."""
    try:
        sys.exit(main() or 0)
    except UserError as error:
        sys.exit(f"Error: {error}")
