"""Message catalogs of gettext: the text form (.po) and the compiled form (.mo).

Written after the manual of GNU gettext, sections "The Format of PO Files" and "The Format of GNU
MO Files". Only what can be trusted as a translation is returned: no fuzzy, obsolete or empty entry.
"""

import gettext
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_KEYWORD = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d+)\])?\s*"(.*)"$')
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_CHARSET = re.compile(rb"charset=([A-Za-z0-9_.:-]+)")
_PLURAL_RULE = re.compile(r"nplurals\s*=\s*(\d+)\s*;\s*plural\s*=\s*([^;]+)")
_MO_MAGIC = 0x950412DE
_CONTEXT_END = "\x04"


@dataclass(frozen=True, slots=True)
class Entry:
    """One message: its key, its text and its translations (several where it has plural forms)."""

    context: str | None
    message: str
    plural: str | None
    translations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """The translated messages of one file, and its header's fields by lower-case name."""

    entries: tuple[Entry, ...]
    header: dict[str, str] = field(default_factory=dict)

    def pairs(self) -> Iterator[tuple[tuple[str | None, str], str]]:
        """Yield ((context, message), translation), plural forms only where they surely agree.

        A message with plural forms is paired with the form for one thing. Its plural is paired with
        the other form in languages that have two; with more forms none of them means "many" as the
        English plural does, and with a single form the singular has it already.
        """
        count, singular = self._plural_rule()
        for entry in self.entries:
            forms = entry.translations
            if entry.plural is None:
                yield (entry.context, entry.message), forms[0]
                continue
            if singular < len(forms) and forms[singular]:
                yield (entry.context, entry.message), forms[singular]
            if count == 2 and len(forms) == 2 and forms[1 - singular]:
                yield (entry.context, entry.plural), forms[1 - singular]

    def _plural_rule(self) -> tuple[int, int]:
        """Return the number of plural forms and which of them is for one thing."""
        match = _PLURAL_RULE.search(self.header.get("plural-forms", ""))
        if match is None:
            return 0, 0
        try:
            return int(match[1]), int(gettext.c2py(match[2].strip())(1))
        except (ValueError, RecursionError, ArithmeticError):
            return 0, 0


def parse_catalog(data: bytes, on_bad_line: Callable[[int, str], None]) -> Catalog:
    """Read a catalog in either form.

    Args:
        data: the bytes of a .po or .mo file.
        on_bad_line: called with the number of a line of a .po file that makes no sense, and why.

    Raises:
        ValueError: the file is damaged.
    """
    magic = data[:4]
    for order in "<>":
        if magic == struct.pack(f"{order}I", _MO_MAGIC):
            return _parse_mo(data, order)
    return _parse_po(_decode(data, data[:4096]), on_bad_line)


def _decode(data: bytes, header: bytes) -> str:
    match = _CHARSET.search(header)
    charset = match[1].decode("ascii") if match else "utf-8"
    try:
        return data.decode("utf-8-sig" if charset.lower() in ("utf-8", "charset") else charset)
    except UnicodeDecodeError as error:
        raise ValueError(f"not {charset}") from error
    except LookupError as error:
        raise ValueError(f"unknown encoding {charset}") from error


def _fields(header: str) -> dict[str, str]:
    """Return the fields of a catalog's header, which is the translation of the empty message."""
    lines = (line.partition(":") for line in header.split("\n"))
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}


def _parse_mo(data: bytes, order: str) -> Catalog:
    try:
        _, count, originals, translations = struct.unpack_from(f"{order}4I", data, 4)
        source = struct.unpack_from(f"{order}{2 * count}I", data, originals)
        target = struct.unpack_from(f"{order}{2 * count}I", data, translations)
    except struct.error as error:
        raise ValueError("damaged tables") from error

    def string(table: tuple[int, ...], index: int) -> bytes:
        length, start = table[2 * index : 2 * index + 2]
        if start + length > len(data):
            raise ValueError("damaged tables")
        return data[start : start + length]

    header = string(target, 0) if count and not string(source, 0) else b""
    entries = []
    for index in range(count):
        key = _decode(string(source, index), header)
        text = _decode(string(target, index), header)
        context, end, rest = key.rpartition(_CONTEXT_END)
        message, plural_follows, plural = rest.partition("\0")
        if message and text:
            entries.append(
                Entry(
                    context if end else None,
                    message,
                    plural if plural_follows else None,
                    tuple(text.split("\0")),
                )
            )
    return Catalog(tuple(entries), _fields(_decode(header, header)))


def _parse_po(text: str, on_bad_line: Callable[[int, str], None]) -> Catalog:
    parser = _PoParser(on_bad_line)
    for number, line in enumerate(text.split("\n"), start=1):
        parser.read(number, line.strip())
    parser.finish_entry()
    return Catalog(tuple(parser.entries), parser.header)


class _PoParser:
    """Collects the parts of an entry line by line; the next entry's first line closes it."""

    def __init__(self, on_bad_line: Callable[[int, str], None]) -> None:
        self.entries: list[Entry] = []
        self.header: dict[str, str] = {}
        self._on_bad_line = on_bad_line
        self._start()

    def _start(self) -> None:
        self._parts: dict[str, list[str]] = {}  # msgctxt, msgid, msgid_plural, msgstr0, msgstr1...
        self._current: list[str] | None = None
        self._fuzzy = False

    def read(self, number: int, line: str) -> None:
        """Take one line without surrounding space."""
        if not line:
            return
        if line[0] == "#":
            self._comment(line)
        elif line[0] == '"' and line[-1] == '"' and len(line) > 1 and self._current is not None:
            self._current.append(line[1:-1])
        elif match := _KEYWORD.match(line):
            keyword, index, string = match.groups()
            if keyword in ("msgctxt", "msgid") and (
                keyword in self._parts or "msgstr0" in self._parts
            ):
                self.finish_entry()
            name = f"msgstr{index or 0}" if keyword == "msgstr" else keyword
            self._current = self._parts.setdefault(name, [])
            self._current.append(string)
        else:
            self._on_bad_line(number, "not a line of a .po file")

    def _comment(self, line: str) -> None:
        if "msgstr0" in self._parts:
            self.finish_entry()
        if line.startswith("#,") and "fuzzy" in line:
            self._fuzzy = True
        if line.startswith("#~"):  # an obsolete entry, and what was said of it
            self._current, self._fuzzy = None, False

    def finish_entry(self) -> None:
        """Keep the entry read so far, unless it is fuzzy or not translated."""
        parts = {name: _unescape("".join(strings)) for name, strings in self._parts.items()}
        message = parts.get("msgid")
        forms = tuple(parts[name] for name in sorted(parts) if name.startswith("msgstr"))
        if message == "":
            self.header = self.header or _fields(forms[0] if forms else "")
        elif message is not None and not self._fuzzy and any(forms):
            plural = parts.get("msgid_plural")
            self.entries.append(Entry(parts.get("msgctxt"), message, plural, forms))
        self._start()


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_escape, text) if "\\" in text else text


def _escape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8))
    return _ESCAPED.get(code, code)
