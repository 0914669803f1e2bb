"""Words for counting, in every script: lower-cased, without punctuation."""

import unicodedata
from collections.abc import Callable, Iterable
from functools import cache

from xlmkit.core.errors import UserError
from xlmkit.text.languages import WITHOUT_SPACES
from xlmkit.text.segment import DEFAULT_SEGMENTERS, segmenter


class _Plain(dict[int, str]):
    """What each character becomes: letters, marks and digits stay, format characters go."""

    def __missing__(self, code: int) -> str:
        kind = unicodedata.category(chr(code))
        kept = chr(code) if kind[0] in "LMN" else "" if kind == "Cf" else " "
        self[code] = kept
        return kept


_PLAIN = _Plain()


def plain(text: str) -> str:
    """Return a text in lower case and compatibility form (NFKC), with spaces for punctuation.

    Unlike a pattern of letters, this keeps the marks that belong to words in Indic scripts, Arabic
    or Thai. Joiners and other invisible characters are taken away.
    """
    return unicodedata.normalize("NFKC", text).lower().translate(_PLAIN)


def counted_words(text: str, language: str) -> list[str]:
    """Return what stands for words without any segmenter: the words between spaces and punctuation.

    In languages that write no spaces it is the characters, each with its marks.
    """
    words = plain(text).split()
    return words if language not in WITHOUT_SPACES else characters("".join(words))


def count_words(texts: Iterable[str], language: str) -> int:
    """Return the words of texts, by `word_splitter` or, where its package is missing, without."""
    try:
        _, words = word_splitter(language)
    except UserError:
        return sum(len(counted_words(text, language)) for text in texts)
    return sum(len(words(text)) for text in texts)


def characters(text: str) -> list[str]:
    """Return the characters of a text, each with the combining marks behind it."""
    parts: list[str] = []
    for character in text:
        if parts and unicodedata.category(character)[0] == "M":
            parts[-1] += character
        else:
            parts.append(character)
    return parts


@cache
def word_splitter(language: str) -> tuple[str, Callable[[str], list[str]]]:
    """Return how words are found in a language, for signatures, and a function that finds them.

    Chinese, Japanese and Thai are cut by the segmenter that XLM's tokenizer uses; other languages
    without spaces into characters.

    Raises:
        UserError: the segmenter is not installed.
    """
    name = DEFAULT_SEGMENTERS.get(language)
    cut = segmenter(name) if name else None
    if cut is None:
        kind = "characters" if language in WITHOUT_SPACES else "words"
        return kind, lambda text: counted_words(text, language)
    return str(name), lambda text: [w for word in cut(text) for w in plain(word).split()]
