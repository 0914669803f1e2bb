"""What all readers share: finding the files of a source, and going on after a bad line."""

import glob
import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.core.files import open_bytes, open_chunks

PLACES_KEPT = 5
_PIECE = 1 << 16  # bytes of lines that are decoded at a time
MOST_UNDECODABLE = 0.05  # above this share a file is taken to be in another encoding


@dataclass(slots=True)
class BadLines:
    """What could not be read, by reason, with the first few places of each.

    Attributes:
        counts: reason -> number of lines.
        places: reason -> the first "file:line" of it.
        mends: reason -> what to do about it, where that is known.
        languages: language, empty where a line does not tell it -> reason -> number of lines,
            odd ones that are kept among them.
        language: of the lines that are being read, empty where each line tells its own.
        elsewhere: language that the recipe does not have -> number of lines.
        values: reason -> the first values that were wrong, where lines differ in them.
    """

    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)
    mends: dict[str, str] = field(default_factory=dict)
    languages: dict[str, Counter[str]] = field(default_factory=dict)
    language: str = ""
    elsewhere: Counter[str] = field(default_factory=Counter)
    values: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(
        self, reason: str, place: str, languages: Iterable[str] = (), value: str | None = None
    ) -> None:
        """Count one line that cannot be used.

        Args:
            reason: why.
            place: its "file:line".
            languages: of its texts; by default that of all lines that are being read.
            value: what is wrong in it.
        """
        self.counts[reason] += 1
        values = self.values.setdefault(reason, {})
        if value is not None and len(values) < PLACES_KEPT:
            values[value] = None
        for code in tuple(languages) or (self.language,):
            self.languages.setdefault(code, Counter())[reason] += 1
        places = self.places.setdefault(reason, [])
        if len(places) < PLACES_KEPT:
            places.append(place)

    def keep(self, reason: str, languages: Iterable[str]) -> None:
        """Count one line that is odd, as the reason says, but not left out."""
        for code in languages:
            self.languages.setdefault(code, Counter())[reason] += 1

    def named(self, reason: str) -> str:
        """Return a reason with the first values that were wrong."""
        listed = ", ".join(f"{value!r}" for value in self.values.get(reason, ()))
        return f"{reason} {listed}" if listed else reason

    @property
    def reasons(self) -> str:
        """All reasons, and what to do about them."""
        mends = [self.mends[reason] for reason in self.counts if reason in self.mends]
        return "; ".join([", ".join(map(self.named, self.counts)), *mends])

    def sentences(self, title: str, what: str = "lines") -> Iterator[str]:
        """Yield a sentence for each reason, and one for languages that the recipe does not have.

        Args:
            title: of the source.
            what: was left out, in the plural.
        """
        for reason, places in self.places.items():
            count = self.counts[reason]
            more = ", ..." if count > len(places) else ""
            left = what.removesuffix("s") if count == 1 else what
            mend = f"; {self.mends[reason]}" if reason in self.mends else ""
            told = f"{title}: {count:,} {left} left out ({self.named(reason)}): "
            yield f"{told}{', '.join(places)}{more}{mend}"
        if self.elsewhere:
            listed = ", ".join(f"{code} {n:,}" for code, n in self.elsewhere.most_common())
            yield (
                f"{title}: {what} left out in languages that `languages` of the recipe does not "
                f"name: {listed}."
            )


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader needs to know beside its source.

    Attributes:
        base: the folder that relative paths start from: that of the recipe.
        languages: the languages to read, in the order of the recipe.
        bad: where lines that cannot be used are counted.
        separator: what parts the classes of a text, empty where each has one.
        numbers: whether the classes of a dataset are wanted by number, and not by name.
        classes: gets the number of each class that a dataset has a name for.
    """

    base: Path
    languages: tuple[str, ...]
    bad: BadLines = field(default_factory=BadLines)
    separator: str = ""
    numbers: bool = False
    classes: dict[str, str] = field(default_factory=dict)

    @property
    def empty_labels(self) -> bool:
        """Whether an empty label is one, that of no class, and not missing."""
        return bool(self.separator)

    def shown(self, path: Path) -> str:
        """Return a path as the recipe would write it."""
        return (
            path.relative_to(self.base).as_posix() if path.is_relative_to(self.base) else str(path)
        )

    def in_order(self, texts: dict[str, str]) -> dict[str, str]:
        """Return the wanted, non-empty texts in the order of the recipe's languages."""
        return {code: texts[code] for code in self.languages if texts.get(code)}


def find_files(pattern: str, base: Path) -> list[Path]:
    """Return the files that a path or a pattern of a recipe means, sorted.

    Raises:
        UserError: there is none.
    """
    path = Path(pattern).expanduser()
    path = path if path.is_absolute() else base / path
    if path.exists():
        return [path]
    found = sorted(Path(name) for name in glob.glob(str(path), recursive=True))  # noqa: PTH207
    files = [file for file in found if file.is_file()]
    if not files:
        raise UserError(
            f"There is no file {path}."
            if not glob.has_magic(pattern)
            else f"No file matches the pattern {path}."
        )
    return files


def json_value(text: str | bytes) -> Any:  # noqa: ANN401 - JSON
    """Return the value that a text of JSON is.

    Raises:
        ValueError: it is no JSON, or nested too deeply, or has a number of thousands of digits.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def lenient_lines(
    path: Path, reading: Reading, first: int = 1, last: int | None = None
) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line); lines that are not UTF-8 are counted and come empty.

    Args:
        path: the file.
        reading: counts them.
        first: the first line to yield.
        last: the last one; by default that of the file.

    Raises:
        UserError: the file is missing, empty or damaged, or too little of it is UTF-8.
    """
    for lines in lenient_pieces(path, reading, _PIECE, first, last):
        yield from enumerate(lines.split(), start=lines.first)


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a file that stand together.

    Attributes:
        first: number of the first, from 1.
        text: the lines; the last is without its end.
    """

    first: int
    text: str

    def split(self) -> list[str]:
        """Return the lines without their ends."""
        lines = self.text.split("\n")
        return [line.removesuffix("\r") for line in lines] if "\r" in self.text else lines


def lenient_pieces(
    path: Path, reading: Reading, size: int, first: int = 1, last: int | None = None
) -> Iterator[Lines]:
    """Yield the lines of `lenient_lines` in pieces of about `size` bytes, which costs far less."""
    undecodable = n = 0
    number = 1
    for piece in open_chunks(path, size):
        lines = piece.removesuffix(b"\n")
        start, number = number, number + lines.count(b"\n") + 1
        if last is not None and start > last:
            break
        if number <= first:
            continue
        if start < first or (last is not None and number > last + 1):
            wanted = slice(max(0, first - start), None if last is None else last - start + 1)
            lines, start = b"\n".join(lines.split(b"\n")[wanted]), max(start, first)
        try:
            text = lines.decode()
        except UnicodeDecodeError:
            text, bad = _decodable(lines)
            undecodable += len(bad)
            for place in bad:
                reading.bad.add("not UTF-8", f"{reading.shown(path)}:{start + place}")
        n += text.count("\n") + 1
        yield Lines(start, text)
    if undecodable > MOST_UNDECODABLE * n:
        raise UserError(
            f"{path} is not UTF-8: {undecodable} of its {n} lines cannot be decoded; "
            f"{encoding_mend(path)}."
        )


def _decodable(lines: bytes) -> tuple[str, list[int]]:
    """Return lines with those empty that are not UTF-8, and which these are, from 0."""
    decoded, bad = [], []
    for place, line in enumerate(lines.split(b"\n")):
        try:
            decoded.append(line.decode())
        except UnicodeDecodeError:
            decoded.append("")
            bad.append(place)
    return "\n".join(decoded), bad


def encoding_mend(path: Path) -> str:
    """Return how to convert a file that is not UTF-8; a mark at its start tells UTF-16.

    Raises:
        UserError: the file cannot be read.
    """
    with open_bytes(path) as stream:
        name = "utf-16" if stream.read(2) in (BOM_UTF16_BE, BOM_UTF16_LE) else "latin1"
    said = "it is in UTF-16: convert it" if name == "utf-16" else "convert the file, for instance"
    return f"{said} with iconv -f {name} -t UTF-8 {path.name}"
