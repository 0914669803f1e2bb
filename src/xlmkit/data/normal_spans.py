"""The normal form of a text, each of its characters with those of the original that it came from.

So words and answers can be shown as they were written, while a model reads what it learned from.
"""

import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from xlmkit.data.measures import CONTROL, USELESS_JOINER, normalize
from xlmkit.text.aligned_words import NO_SINGLE_SPACE
from xlmkit.text.alignment import Aligned, Span


def aligned_normal(text: str) -> Aligned:
    """Return what `normalize` makes of a text, aligned with it."""
    if normalize(text) == text:
        return Aligned.of(text)
    parts: list[str] = []
    spans: list[Span] = []
    for start, end, part in _composed(text):
        parts.append(part)
        same = part == text[start:end]
        spans += pairwise(range(start, end + 1)) if same else [(start, end)] * len(part)
    made = Aligned("".join(parts), spans)
    for useless in (CONTROL, USELESS_JOINER):
        made = made.substitute(useless, "")
    return made.substitute(NO_SINGLE_SPACE, " ").strip()


def _composed(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the parts of a text that no composition crosses: start, end, and the part in NFC."""
    start, made = 0, ""
    for end, character in enumerate(text):
        own = unicodedata.normalize("NFC", character)
        whole = unicodedata.normalize("NFC", text[start : end + 1])
        # What begins with a combining mark may still change places with those before it.
        begins = not unicodedata.combining(unicodedata.normalize("NFD", character)[0])
        if end > start and begins and whole == made + own:
            yield start, end, made
            start, made = end, own
        else:
            made = whole
    yield start, len(text), made
