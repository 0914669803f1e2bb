"""Readers of text by lines: plain text, with or without labels, and line-aligned translations."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress, count, zip_longest
from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.core.files import open_lines
from xlmkit.data.columns import Columns
from xlmkit.data.inputs import Lines, Reading, find_files, lenient_lines, lenient_pieces
from xlmkit.data.records import Record, one_label
from xlmkit.data.source_base import LineSource
from xlmkit.data.sources import ParallelSource, TextSource


def read_text(source: TextSource, reading: Reading) -> Iterator[Record]:
    """Yield the non-empty lines of plain text files.

    Raises:
        UserError: a file is missing, empty or not UTF-8.
    """
    code = source.language
    if code is None or code not in reading.languages:
        return
    title = source.title
    paths = find_files(source.path, reading.base)
    labels = _labels(source, paths, reading)
    for path in paths:
        shown = reading.shown(path)
        for number, line in _lines(path, source, reading):
            label = source.label if labels is None else next(labels, None)
            if labels is not None and label is None:
                raise UserError(f"{source.labels} has fewer lines than {path}; each needs a label.")
            if line.strip():
                label = label if label or reading.empty_labels else None
                yield Record({code: line}, title, f"{shown}:{number}", label)
            elif labels is not None and label:
                reading.bad.add("an empty text", f"{shown}:{number}", (code,))
    if labels is not None and any(labels):
        raise UserError(
            f"{source.labels} has more lines than {source.path}; each belongs to one of the text."
        )


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Lines of plain text, cut by one process and taken apart by the one that needs them.

    Attributes:
        language: of all of them.
        source: as `Record.source`.
        label: of all of them.
        pieces: the file as the recipe would write it, and lines of it.
    """

    language: str
    source: str
    label: str | None
    pieces: tuple[tuple[str, Lines], ...]

    def columns(self) -> Columns:
        """Return the records of `read_text`."""
        texts: list[str] = []
        places: list[str] = []
        for shown, lines in self.pieces:
            split = lines.split()
            stripped = [*map(str.strip, split)]  # an empty one is left out
            texts += compress(split, stripped)
            places += [f"{shown}:{n}" for n in compress(count(lines.first), stripped)]
        n = len(texts)
        return Columns(
            [self.language] * n, texts, [1] * n, [self.source] * n, places, [self.label] * n
        )


def read_text_blocks(source: TextSource, reading: Reading, size: int) -> Iterator[TextBlock]:
    """Yield what `read_text` does in blocks of about `size` bytes, for a source without `labels`.

    Raises:
        UserError: a file is missing, empty or not UTF-8.
    """
    code = source.language
    if code is None or code not in reading.languages:
        return
    label = source.label if source.label or reading.empty_labels else None
    pieces: list[tuple[str, Lines]] = []
    room = size
    for path in find_files(source.path, reading.base):
        shown = reading.shown(path)
        for lines in lenient_pieces(path, reading, size, *_wanted(source)):
            if not lines.text.strip():
                continue
            pieces.append((shown, lines))
            room -= len(lines.text)
            if room <= 0:
                yield TextBlock(code, source.title, label, tuple(pieces))
                pieces, room = [], size
    if pieces:
        yield TextBlock(code, source.title, label, tuple(pieces))


def _labels(source: TextSource, paths: list[Path], reading: Reading) -> Iterator[str] | None:
    """Return the labels of a text file's lines, None where they are not in a file of their own."""
    if source.labels is None:
        return None
    files = find_files(source.labels, reading.base)
    if len(files) != 1 or len(paths) != 1:
        raise UserError(f"{source.labels} means {len(files)} files for {len(paths)} of text.")
    return (one_label(line) for _, line in _lines(files[0], source, reading))


def read_parallel(source: ParallelSource, reading: Reading) -> Iterator[Record]:
    """Yield the lines of aligned files; an empty line leaves its language out of the record.

    Raises:
        UserError: a file is missing, empty or not UTF-8, or they have different numbers of lines.
    """
    codes = [code for code in reading.languages if code in source.paths]
    paths = [_single_file(source.paths[code], reading) for code in codes]
    title, shown = source.title, reading.shown(paths[0]) if paths else ""
    for numbered in zip_longest(*(_lines(path, source, reading) for path in paths)):
        if None in numbered:
            raise UserError(_different_lengths(paths))
        texts = {
            code: line
            for code, (_, line) in zip(codes, numbered, strict=True)
            if line and not line.isspace()
        }
        if texts:
            yield Record(texts, title, f"{shown}:{numbered[0][0]}", source.label)


def _lines(path: Path, source: LineSource, reading: Reading) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines that a source wants of a file."""
    return lenient_lines(path, reading, *_wanted(source))


def _wanted(source: LineSource) -> tuple[int, int | None]:
    """Return the first and the last line that a source wants, None for that of the file."""
    return source.lines or (1, None)


def _single_file(pattern: str, reading: Reading) -> Path:
    files = find_files(pattern, reading.base)
    if len(files) > 1:
        raise UserError(f"{pattern} means {len(files)} files; parallel text takes one a language.")
    return files[0]


def _different_lengths(paths: list[Path]) -> str:
    counts = [sum(1 for _ in open_lines(path, on_undecodable=lambda _: None)) for path in paths]
    said = " and ".join(f"{path} has {n:,}" for path, n in zip(paths, counts, strict=True))
    return f"Line-aligned files need the same number of lines, but {said}."
