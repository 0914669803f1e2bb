"""Word segmenters for languages that are written without spaces between words.

A segmenter turns a text into words. Each wraps a library that is imported when it is first used;
a library that is missing is named together with the extra that brings it.
"""

import importlib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

from xlmkit.core.errors import MissingPackageError, UserError

Segmenter = Callable[[str], list[str]]

DEFAULT_SEGMENTERS = {"zh": "rjieba", "th": "pythainlp", "ja": "fugashi"}
"""Language code -> segmenter where a recipe names none."""

KYTEA_MODEL = Path("~/local/share/kytea/model.bin")
"""Where KyTea's model is expected when no path is given (the place that Hugging Face uses)."""

_SUDACHI_LENGTH = 12_000  # Sudachi refuses more than 49,149 bytes

# Ideographs and kana stand alone; runs of anything else that is not white space stay together.
_CHARACTER_WORD = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\u31f0-\u31ff\U00020000-\U0003ffff]"
    r"|[^\s\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\u31f0-\u31ff\U00020000-\U0003ffff]+"
)


def _require(module: str, package: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingPackageError(
            f"The segmenter {package} is not installed: pip install 'xlmkit[{extra}]'."
        ) from None


def _rjieba(_: str | None) -> Segmenter:
    cut = _require("rjieba", "rjieba", "zh").cut

    def segment(text: str) -> list[str]:
        try:
            words: list[str] = cut(text)
        except UnicodeEncodeError:  # lone surrogates, which later steps remove in any case
            words = cut(text.encode("utf-8", "ignore").decode("utf-8"))
        return words

    return segment


def _pythainlp(_: str | None) -> Segmenter:
    word_tokenize = _require("pythainlp.tokenize", "pythainlp", "th").word_tokenize

    def segment(text: str) -> list[str]:
        words: list[str] = word_tokenize(text)
        return words

    return segment


def _kytea(model: str | None) -> Segmenter:
    path = (Path(model) if model else KYTEA_MODEL).expanduser()
    try:
        module = importlib.import_module("Mykytea")
    except ImportError:
        raise MissingPackageError(
            "The segmenter kytea needs KyTea, which no extra brings (see www.phontron.com/kytea), "
            "and then pip install kytea; or choose the segmenter fugashi: pip install 'xlmkit[ja]'."
        ) from None
    if not path.is_file():
        raise UserError(
            f"KyTea needs a model and there is none at {path}; "
            "name it as kytea:/path/to/model.bin, or choose the segmenter fugashi."
        )
    kytea = module.Mykytea(f"-model {path}")

    def segment(text: str) -> list[str]:
        return list(kytea.getWS(text))

    return segment


def _fugashi(_: str | None) -> Segmenter:
    module = _require("fugashi", "fugashi", "ja")
    try:
        tagger = module.Tagger("-Owakati")
    except RuntimeError:
        raise UserError(
            "The segmenter fugashi has no dictionary: pip install 'xlmkit[ja]'."
        ) from None

    def segment(text: str) -> list[str]:
        words: list[str] = tagger.parse(text).split()
        return words

    return segment


def _sudachi(_: str | None) -> Segmenter:
    module = _require("sudachipy", "sudachi", "ja-sudachi")
    _require("sudachidict_core", "sudachi", "ja-sudachi")
    tokenizer = module.Dictionary(dict="core").tokenizer()

    def segment(text: str) -> list[str]:
        starts = range(0, len(text), _SUDACHI_LENGTH)
        parts = (text[start : start + _SUDACHI_LENGTH] for start in starts)
        words = (word.surface() for part in parts for word in tokenizer.tokenize(part))
        return [word for word in words if not word.isspace()]

    return segment


def _characters(_: str | None) -> Segmenter:
    return _CHARACTER_WORD.findall


_SEGMENTERS: dict[str, Callable[[str | None], Segmenter]] = {
    "rjieba": _rjieba,
    "pythainlp": _pythainlp,
    "kytea": _kytea,
    "fugashi": _fugashi,
    "sudachi": _sudachi,
    "characters": _characters,
}

NONE = "none"
"""The name that asks for Moses rules, where a language would have a segmenter by default."""


def check_segmenter_name(name: str) -> str:
    """Return the name if a segmenter has it (`kytea` may carry a model: `kytea:PATH`).

    Raises:
        UserError: no segmenter has this name.
    """
    kind, _, argument = name.partition(":")
    if (kind in _SEGMENTERS and (not argument or kind == "kytea")) or name == NONE:
        return name
    names = ", ".join([*_SEGMENTERS, "kytea:MODEL", NONE])
    raise UserError(f"There is no segmenter {name!r}; the names are {names}.")


def check_segmenters(languages: Iterable[str], names: Mapping[str, str]) -> None:
    """See that the segmenters of these languages can be used.

    Args:
        languages: codes.
        names: language to the name of its segmenter.

    Raises:
        UserError: a library is not installed, or a model is missing.
    """
    for code in languages:
        if code in names:
            segmenter(names[code])


@cache
def segmenter(name: str) -> Segmenter | None:
    """Return the segmenter of this name, made once per process; None for `none`.

    Raises:
        UserError: the name is unknown, its library is not installed, or its model is missing.
    """
    kind, _, argument = check_segmenter_name(name).partition(":")
    return None if kind == NONE else _SEGMENTERS[kind](argument or None)
