"""Reader of translation memories (TMX 1.4b), unit by unit, in bounded memory.

A file that declares XML entities is refused: expanding them can fill any memory, and external ones
could read other files. Translation memories have no use for them.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from xlmkit.core.errors import UserError
from xlmkit.core.files import open_bytes
from xlmkit.data.inputs import Reading, find_files
from xlmkit.data.records import Record
from xlmkit.data.sources import TmxSource
from xlmkit.text.languages import from_locale

_CHUNK = 1 << 16  # bytes
_MARKUP = frozenset(("bpt", "ept", "it", "ph", "ut"))  # elements that hold mark-up, not text
_LONGEST = 1 << 20  # characters of a segment; more is not a sentence but an attack or damage

Unit = tuple[int, list[tuple[str, str]]]  # line of the unit, [(locale, text)]


def read_tmx(source: TmxSource, reading: Reading) -> Iterator[Record]:
    """Yield the translation units that have a text in a wanted language.

    A unit with several variants in one language gives its first.

    Raises:
        UserError: a file is missing or empty, is not XML, or declares entities.
    """
    for path in find_files(source.path, reading.base):
        for number, variants in _units(path):
            texts: dict[str, str] = {}
            place = f"{reading.shown(path)}:{number}"
            for locale, text in variants:
                code = from_locale(locale)
                if code is None:
                    reading.bad.add("unknown language", place)
                elif text.strip():
                    texts.setdefault(code, text)
            if ordered := reading.in_order(texts):
                yield Record(ordered, source.title, place, source.label)


def _units(path: Path) -> Iterator[Unit]:
    handler = _Handler()
    with open_bytes(path) as stream:
        try:
            while chunk := stream.read(_CHUNK):
                handler.parser.Parse(chunk, False)
                yield from handler.take()
            handler.parser.Parse(b"", True)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            raise UserError(
                f"{path} is not a translation memory: {reason}, line {error.lineno}."
            ) from None
        except _EntityError as error:
            raise UserError(
                f"{path} declares the XML entity {error}, which could be used to exhaust the "
                "memory; remove the declaration."
            ) from None
    yield from handler.take()


class _EntityError(Exception):
    pass


class _Handler:
    """Collects the segments of translation units from the events of an XML parser."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.EntityDeclHandler = self._entity
        self._ready: list[Unit] = []
        self._line = 0
        self._variants: list[tuple[str, str]] = []
        self._locale = ""
        self._text: list[str] | None = None  # pieces of the open segment
        self._length = 0
        self._markup_depth = 0

    def take(self) -> list[Unit]:
        """Return the units that were completed since the last call."""
        ready, self._ready = self._ready, []
        return ready

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        match tag:
            case "tu":
                self._line = self.parser.CurrentLineNumber
                self._variants = []
            case "tuv":
                self._locale = attributes.get("xml:lang") or attributes.get("lang", "")
            case "seg":
                self._text, self._length = [], 0
            case _ if tag in _MARKUP:
                self._markup_depth += 1

    def _end(self, tag: str) -> None:
        match tag:
            case "tu":
                self._ready.append((self._line, self._variants))
            case "seg" if self._text is not None:
                self._variants.append((self._locale, "".join(self._text)))
                self._text = None
            case _ if tag in _MARKUP:
                self._markup_depth -= 1

    def _characters(self, text: str) -> None:
        if self._text is not None and not self._markup_depth and self._length < _LONGEST:
            self._text.append(text)
            self._length += len(text)

    def _entity(self, name: str, *_: object) -> None:
        raise _EntityError(name)
