"""Files of a source that differ by language: `{language}` in a path stands for its name.

A file may call its language by any name that is understood elsewhere: en, eng_Latn, english.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from xlmkit.core.errors import UserError
from xlmkit.data.inputs import Reading, find_files
from xlmkit.data.source_base import LANGUAGE_MARK
from xlmkit.text.languages import LANGUAGES, from_locale

_BY_NAME = {known.name.lower(): code for code, known in LANGUAGES.items()}
_ISO_639_3 = {  # of the codes of three letters, those that no other part of xlmkit knows
    **{"ara": "ar", "ben": "bn", "bul": "bg", "ces": "cs", "cmn": "zh", "dan": "da", "deu": "de"},
    **{"ell": "el", "eng": "en", "est": "et", "eus": "eu", "fin": "fi", "fra": "fr", "hau": "ha"},
    **{"heb": "he", "hin": "hi", "hun": "hu", "ind": "id", "ita": "it", "jpn": "ja", "kat": "ka"},
    **{"kor": "ko", "mar": "mr", "nld": "nl", "pol": "pl", "por": "pt", "ron": "ro", "rus": "ru"},
    **{"spa": "es", "swa": "sw", "swe": "sv", "tam": "ta", "tel": "te", "tgl": "tl", "tha": "th"},
    **{"tur": "tr", "ukr": "uk", "urd": "ur", "vie": "vi", "yor": "yo", "zho": "zh", "afr": "af"},
    **{"kaz": "kk", "mal": "ml", "jav": "jv", "mya": "my"},
}

_GLOB = re.compile(r"\*\*/|\*+|\?|\[!?[^\]]+\]|.", re.DOTALL)
_EXPRESSIONS = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}


class _Source(Protocol):
    @property
    def title(self) -> str: ...

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self: ...


Files = TypeVar("Files", bound=_Source)
"""Any section with a title and, if it is of files, a `path`."""


def every_language(path: str) -> str:
    """Return the pattern that means the files of all languages."""
    return path.replace(LANGUAGE_MARK, "*")


def named_language(name: str) -> str | None:
    """Return the code of the language that a file calls by this name, None where it is none."""
    first = re.split("[-_]", name)[0].lower()
    return from_locale(name) or _ISO_639_3.get(first) or _BY_NAME.get(name.lower())


def by_language(source: Files, reading: Reading) -> list[Files]:
    """Return a source for each file, in the order of languages; most sources are one themselves.

    Raises:
        UserError: no file is of any of the languages.
    """
    path = getattr(source, "path", "")
    if LANGUAGE_MARK not in path:
        return [source]
    parts: dict[str, list[Files]] = {}
    for file in find_files(every_language(path), reading.base):
        name = _name_in(path, file, reading.base)
        code = named_language(name) if name else None
        if name and code in reading.languages:
            changes = {"path": str(file), "language": code, "name": source.title}
            if labels := getattr(source, "labels", None):
                changes["labels"] = labels.replace(LANGUAGE_MARK, name)
            parts.setdefault(code, []).append(source.model_copy(update=changes))
    if not parts:
        raise UserError(
            f"No file that {path} means is of any of the languages {', '.join(reading.languages)}."
        )
    return [part for code in reading.languages for part in parts.get(code, ())]


def _name_in(pattern: str, file: Path, base: Path) -> str | None:
    """Return what a file has in the place of `{language}`; where it stands twice, both agree."""
    whole = str(base / Path(pattern).expanduser())
    pieces = [_GLOB.sub(_expression, piece) for piece in whole.split(LANGUAGE_MARK)]
    expression = "(?P<name>[^/]+?)".join(pieces[:2])
    expression += "".join(f"(?P=name){piece}" for piece in pieces[2:])
    match = re.fullmatch(expression, str(file))
    return match["name"] if match else None


def _expression(match: re.Match[str]) -> str:
    """Return the regular expression of a part of a pattern of files."""
    part = match[0]
    if part[0] == "[" and len(part) > 1:
        return f"[^{part[2:]}" if part[1] == "!" else part
    return _EXPRESSIONS.get(part) or re.escape(part)
