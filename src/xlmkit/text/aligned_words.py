"""The words of `moses_words`, each with the characters of the text that it came from.

Step by step what `moses_words` does, with the same rules, on a text that keeps its alignment.
"""

import re
from functools import cache
from itertools import islice

from xlmkit.text.alignment import Aligned, Span
from xlmkit.text.moses import MARKER_OF_DOTS, MosesRules, Rule, dots_of_marker, moses_rules
from xlmkit.text.normalize import (
    PUNCTUATION_TABLE,
    ROMANIAN_TABLE,
    WIDE_FULL_STOP,
    lowercase_and_remove_accent,
    prints,
)
from xlmkit.text.segment import Segmenter

NO_SINGLE_SPACE = re.compile(r"\s{2,}|[^\S ]")
_NO_SPACE = re.compile("[^ ]+")


def aligned_words(
    text: str | Aligned, language: str, segment: Segmenter | None = None
) -> list[Aligned]:
    """Split a text as `xlmkit.text.moses.moses_words` does; words of a segmenter are not empty.

    Of a text that was made from another one, words are aligned with that.
    """
    rules = moses_rules(language)
    source = Aligned.of(text)
    if segment is not None and language == "zh":
        return _clean(_joined(source.locate(segment(source.text))), rules).words()
    cleaned = _clean(source, rules)
    if segment is not None:
        return cleaned.locate(segment(cleaned.text))
    if language == "ro":
        cleaned = cleaned.translate(ROMANIAN_TABLE)
    return _tokenize(cleaned, rules)


def fold_aligned(word: Aligned) -> list[Aligned]:
    """Lower a word and drop its accents; an accent's place goes to the letter before it."""
    folded = Aligned(lowercase_and_remove_accent(word.text), _folded_spans(word))
    if " " not in folded.text:
        return [folded] if folded.text else []
    return [folded.part(*match.span()) for match in _NO_SPACE.finditer(folded.text)]


def _folded_spans(word: Aligned) -> list[Span]:
    lengths = list(map(_folded_length, word.text))
    if lengths.count(1) == len(lengths):
        return word.spans
    spans: list[Span] = []
    start: int | None = None  # of marks before the first letter
    for length, span in zip(lengths, word.spans, strict=True):
        if length:
            spans += [(span[0] if start is None else start, span[1])] * length
            start = None
        elif spans:
            spans[-1] = (spans[-1][0], span[1])
        elif start is None:
            start = span[0]
    return spans


@cache
def _folded_length(character: str) -> int:
    # Only the two forms of a small sigma depend on their neighbours, and both are as long.
    return len(lowercase_and_remove_accent(character))


def _joined(words: list[Aligned]) -> Aligned:
    """Join words by spaces, which come from nowhere."""
    spans = [span for word in words for span in (*word.spans, (word.span[1],) * 2)]
    return Aligned(" ".join(word.text for word in words), spans[:-1])


def _clean(text: Aligned, rules: MosesRules) -> Aligned:
    if not text.text.isascii():
        text = text.substitute(WIDE_FULL_STOP, ". ").translate(PUNCTUATION_TABLE)
    text = _apply(text, rules.normalization).strip()
    return text if text.text.isprintable() else text.keep(prints)


def _tokenize(text: Aligned, rules: MosesRules) -> list[Aligned]:
    text = text.substitute(NO_SINGLE_SPACE, " ").strip()
    words = _apply(text, rules.spacing).words()
    if "." in text.text:
        words = _split_full_stops(words, rules)
    return [word.substitute(MARKER_OF_DOTS, dots_of_marker) for word in words]


def _apply(text: Aligned, substitutions: list[Rule]) -> Aligned:
    for guard, pattern, replacement in substitutions:
        if guard in text.text:
            text = text.substitute(pattern, replacement)
    return text


def _split_full_stops(words: list[Aligned], rules: MosesRules) -> list[Aligned]:
    """Part full stops from words: the characters stay the same, so it is enough to count them."""
    spans = iter([span for word in words for span in word.spans])
    parts = rules.split_full_stops([word.text for word in words])
    return [Aligned(part, list(islice(spans, len(part)))) for part in parts]
