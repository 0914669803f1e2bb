"""Words in the manner of Moses, per language, with exactly the results of sacremoses.

The rules and character classes are those of `sacremoses`; what is added is speed. A rule is
skipped when a piece of text that it cannot do without is absent, and the questions that sacremoses
answers by building sets of a hundred thousand characters are answered from sets built once.
"""

import re
from collections.abc import Callable
from enum import Enum
from functools import cache, cached_property
from typing import Any

from xlmkit.text.normalize import (
    remove_non_printing,
    remove_romanian_diacritics,
    replace_unicode_punctuation,
)
from xlmkit.text.segment import Segmenter

# Rules of the punctuation normaliser that are no plain text: what must be present for each to act.
_GUARDS = {
    r" +": "  ",
    r"\r": "\r",
    r"\(": "(",
    r"\)": ")",
    r"\) ([.!:?;,])": ") ",
    r"\( ": "( ",
    r" \)": " )",
    r"(\d) %": " %",
    "([a-zA-Z])‘([a-zA-Z])": "‘",
    "([a-zA-Z])’([a-zA-Z])": "’",
    "\u00a0\\?": "\u00a0?",
    "\u00a0\\!": "\u00a0!",
    r'"([,.]+)': '"',
    r',"': ',"',
    r'(\.+)"(\s*[^<])': '."',
    "(\\d)\u00a0(\\d)": "\u00a0",
}

_NUMBER_START = re.compile(r"[0-9]+")

MARKER_OF_DOTS = re.compile(r"(?:DOT)+MULTI")
"""What stands for several dots while words are split."""

Rule = tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]]
"""A text without which the rule has nothing to do, its pattern, its replacement."""


def _guard(pattern: str) -> str:
    """Return a text that is part of everything the pattern matches ("" if none is known)."""
    if pattern in _GUARDS:
        return _GUARDS[pattern]
    return pattern if re.fullmatch(r"[^\\.^$*+?{}\[\]|()]+", pattern) else ""


def _marker_of_dots(dots: re.Match[str]) -> str:
    return f" {'DOT' * len(dots[0])}MULTI "


def dots_of_marker(marker: re.Match[str]) -> str:
    """Return the dots that a match of `MARKER_OF_DOTS` stands for."""
    return "." * marker[0].count("DOT")


class Apostrophes(Enum):
    """What an apostrophe between letters goes with, by language."""

    NOTHING = 0
    WHAT_FOLLOWS = 1
    WHAT_PRECEDES = 2


class Exchange(Enum):
    """What changes its place with a quotation mark beside it, by language."""

    NOTHING = 0
    WHAT_FOLLOWS = 1
    """Commas and full stops behind a quotation mark."""
    WHAT_PRECEDES = 2
    """A comma before a quotation mark, or full stops before one that ends no text."""


_APOSTROPHES = {
    "en": Apostrophes.WHAT_FOLLOWS,
    "fr": Apostrophes.WHAT_PRECEDES,
    "it": Apostrophes.WHAT_PRECEDES,
}
_EXCHANGES = {
    "en": Exchange.WHAT_FOLLOWS,
    "de": Exchange.WHAT_PRECEDES,
    "es": Exchange.WHAT_PRECEDES,
    "fr": Exchange.WHAT_PRECEDES,
}


class MosesRules:
    """Punctuation normalisation, tokenisation and detokenisation of one language.

    Attributes:
        language: its code.
        normalization: the rules of punctuation, in the order of their application.
        spacing: the rules that put spaces between words.
        apostrophes: what an apostrophe between letters goes with.
        exchange: what changes its place with a quotation mark.
        prefixes: words that keep their full stop.
        numeric_prefixes: words that keep it before a number.
    """

    def __init__(self, language: str) -> None:
        """Take the rules of a language; for a code that Moses lacks they are mostly English."""
        from sacremoses import MosesDetokenizer, MosesPunctNormalizer, MosesTokenizer

        self.language = language
        self.apostrophes = _APOSTROPHES.get(language, Apostrophes.NOTHING)
        self.exchange = _EXCHANGES.get(language, Exchange.NOTHING)
        self._tokenizer: Any = MosesTokenizer(lang=language)
        self._detokenizer: Any = MosesDetokenizer(lang=language)
        self.normalization: list[Rule] = [
            (_guard(pattern), re.compile(pattern), replacement)
            for pattern, replacement in MosesPunctNormalizer(lang=language).substitutions
        ]
        self.spacing: list[Rule] = [
            ("", *self._tokenizer.PAD_NOT_ISALNUM),
            ("..", self._tokenizer.MULTIDOT_RUN, _marker_of_dots),
            (",", *self._tokenizer.COMMA_SEPARATE_1),
            (",", *self._tokenizer.COMMA_SEPARATE_2),
            (",", *self._tokenizer.COMMA_SEPARATE_3),
            *(("'", *rule) for rule in self._rules_for_apostrophes()),
        ]
        guards = {guard for guard, _, _ in self.normalization}
        self._any_guard = re.compile("|".join(map(re.escape, guards)))
        self._plain: set[str] = set()  # filled as characters are met
        self._not_plain: set[str] = set()
        self.numeric_prefixes = frozenset(self._tokenizer.NUMERIC_ONLY_PREFIXES)
        self.prefixes = frozenset(self._tokenizer.NONBREAKING_PREFIXES) - self.numeric_prefixes

    def _rules_for_apostrophes(self) -> list[Any]:
        if self.apostrophes is Apostrophes.WHAT_FOLLOWS:
            return list(self._tokenizer.ENGLISH_SPECIFIC_APOSTROPHE)
        if self.apostrophes is Apostrophes.WHAT_PRECEDES:
            return list(self._tokenizer.FR_IT_SPECIFIC_APOSTROPHE)
        return [self._tokenizer.NON_SPECIFIC_APOSTROPHE]

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The characters between which a comma stays."""
        return frozenset(self._tokenizer.IsN)

    @cached_property
    def letters(self) -> frozenset[str]:
        """The characters that Moses counts as letters."""
        return frozenset(self._tokenizer.IsAlpha)

    @cached_property
    def _lower_letters(self) -> frozenset[str]:
        return frozenset(self._tokenizer.IsLower)

    @cached_property
    def _letters_and_digits(self) -> frozenset[str]:
        return frozenset(self._tokenizer.IsAlnum)

    def is_small(self, character: str) -> bool:
        """Tell whether a character is a small letter, before which a full stop stays."""
        return character in self._lower_letters

    def is_plain(self, text: str) -> bool:
        """Tell whether a text is one word that no rule changes: letters and digits only."""
        for character in set(text) - self._plain - self._not_plain:
            plain = character in self._letters_and_digits
            plain = plain and moses_words(character, self.language) == [character]
            (self._plain if plain else self._not_plain).add(character)
        return text != "" and "MULTI" not in text and self._plain.issuperset(text)

    def normalize(self, text: str) -> str:
        """Normalise punctuation (Moses' `normalize-punctuation`, Penn quotes, numbers)."""
        if not self._any_guard.search(text):
            return text.strip()
        for guard, pattern, replacement in self.normalization:
            if guard in text:
                text = pattern.sub(replacement, text)
        return text.strip()

    def clean(self, text: str) -> str:
        """Apply the three steps that XLM applies before words are split, in every language."""
        return remove_non_printing(self.normalize(replace_unicode_punctuation(text)))

    def tokenize(self, text: str) -> list[str]:
        """Split a text into words and punctuation, without escaping for XML.

        The text must be free of control characters other than white space (`clean` sees to it).
        """
        text = " ".join(text.split())
        for guard, pattern, replacement in self.spacing:
            if guard in text:
                text = pattern.sub(replacement, text)
        words = text.split()
        if "." in text:
            words = self.split_full_stops(words)
        if "MULTI" in text:  # also where the text itself holds Moses' marker for dots
            words = [MARKER_OF_DOTS.sub(dots_of_marker, word) for word in words]
        return words

    def split_full_stops(self, words: list[str]) -> list[str]:
        """Part words from the full stop at their end, unless it belongs to an abbreviation."""
        result = []
        for word, following in zip(words, [*words[1:], None], strict=True):
            if len(word) > 1 and word[-1] == "." and not self._keeps_stop(word[:-1], following):
                result += [word[:-1], "."]
            else:
                result.append(word)
        if result and result[-1].endswith(".'"):
            start = result.pop()[:-2]
            result += [start, ".", "'"] if start else [".", "'"]
        return result

    def _keeps_stop(self, prefix: str, following: str | None) -> bool:
        if "." in prefix and not self.letters.isdisjoint(prefix):
            return True
        if prefix in self.prefixes:
            return True
        if following is None:
            return False
        if following[0] in self._lower_letters:
            return True
        return prefix in self.numeric_prefixes and bool(_NUMBER_START.match(following))

    def detokenize(self, words: list[str]) -> str:
        """Join words to a text, with spaces where the language has them."""
        text: str = self._detokenizer.detokenize(words, unescape=False)
        return text


@cache
def moses_rules(language: str) -> MosesRules:
    """Return the rules of a language, made once per process."""
    return MosesRules(language)


def moses_words(text: str, language: str, segment: Segmenter | None = None) -> list[str]:
    """Split a text into the words that XLM's byte-pair encoding is applied to.

    Equal to what Hugging Face's `XLMTokenizer` does before lower-casing: Chinese is segmented and
    then cleaned, other languages are cleaned and then segmented, or split by Moses' rules where
    no segmenter is given.

    Args:
        text: any text.
        language: its code.
        segment: a segmenter (see `xlmkit.text.segment`) in place of Moses' word splitting.

    Returns:
        Words; a segmenter may leave white space among them, as pythainlp does.
    """
    rules = moses_rules(language)
    if segment is not None and language == "zh":
        return rules.clean(" ".join(segment(text))).split()
    text = rules.clean(text)
    if segment is not None:
        return segment(text)
    if language == "ro":
        text = remove_romanian_diacritics(text)
    return rules.tokenize(text)
