"""Cleaning: what a text must be to be learned from, and what is removed from it.

Every text that is dropped is counted with its reason, source and language. A record loses the texts
that fail and is dropped itself when none is left.
"""

import re
from collections.abc import Callable, Collection
from typing import Annotated, Any

from pydantic import Field

from xlmkit.core.config import Config
from xlmkit.core.errors import UserError
from xlmkit.data.markup import remove_markup, tidy
from xlmkit.data.measures import UNSPACED, weighted_length
from xlmkit.data.records import Record
from xlmkit.data.source_base import Markup
from xlmkit.data.survey import Facts, survey
from xlmkit.text.languages import from_locale

Share = Annotated[float, Field(ge=0, le=1)]
SMOOTHING = 10  # added to lengths before they are compared, since short texts vary more
SURE = 0.8  # probability from which language identification is believed
IDENTIFIED_FROM = 24  # characters; shorter texts cannot be identified
_SPOILING = frozenset(("empty", "too few words", "mostly placeholders"))


class CleanConfig(Config):
    """What is removed from texts, and which texts are dropped."""

    markup: tuple[Markup, ...] | None = None
    """Mark-up to remove: tags, entities, placeholders, accelerators, links, code. By default all of
    it from message catalogs, nothing from plain and parallel text, tags and entities elsewhere."""
    remove_words: tuple[str, ...] = ()
    """Words to take out of the texts of every language, such as product names; in any case."""
    min_words: int = Field(default=1, ge=0)
    """The least number of words of a pivot text; with less its whole record goes. Translations may
    be shorter, as German compounds are. In scripts without spaces two characters are a word."""
    max_words: int = Field(default=250, ge=1)
    """The most words of a text."""
    min_characters: int = Field(default=2, ge=1)
    """The least number of characters of a text."""
    max_characters: int = Field(default=2000, ge=1)
    """The most characters of a text."""
    max_length_ratio: float | None = Field(default=3.0, gt=1)
    """A translation that is longer or shorter than its pivot text by this factor is dropped; a
    Chinese or Japanese character counts as three letters, and a few characters are free."""
    min_letters: Share = 0.5
    """The least share of letters among the characters that are not spaces."""
    min_script: Share = 0.3
    """The least share of letters in a script that the language is written in; low enough for
    foreign names in a short Chinese text."""
    drop_copies: bool = True
    """Drop a translation that is the same as the pivot text: it was not translated."""
    identify_languages: bool = False
    """Drop texts that surely are in another language (needs the extra langs)."""


Dropped = Callable[[str, str], None]  # (reason, language)


class Cleaner:
    """Cleans the records of one source."""

    def __init__(self, config: CleanConfig, usual_markup: Collection[Markup]) -> None:
        """Prepare for a source whose kind usually has this mark-up.

        Raises:
            UserError: languages are to be identified and the package for it is missing.
        """
        self._config = config
        self._markup = frozenset(usual_markup if config.markup is None else config.markup)
        self._words = [word.lower() for word in config.remove_words]
        self._word_pattern = _whole_words(config.remove_words)
        self._is_other_language = _identifier() if config.identify_languages else None

    def clean(self, record: Record, dropped: Dropped) -> Record | None:
        """Return a record with its texts cleaned, or nothing if none of them is good.

        Args:
            record: the record as read.
            dropped: called with the reason and the language of each text that is dropped.
        """
        texts: dict[str, str] = {}
        pivot: str | None = None
        spoiled: str | None = None  # why the pivot makes the whole record useless
        for language, raw in record.texts.items():
            text, words, reason = self._clean_text(raw, language)
            if reason is None and pivot is not None:
                reason = self._compare(pivot, text)
            elif reason is None and words < self._config.min_words:
                reason = "too few words"
            if pivot is None and reason in _SPOILING:
                spoiled = reason
            if spoiled or reason:
                dropped(spoiled or reason or "", language)
                continue
            pivot = pivot or text
            texts[language] = text
        if not texts:
            return None
        return Record(texts, record.source, record.where, record.label)

    def _clean_text(self, text: str, language: str) -> tuple[str, int, str | None]:
        """Return the cleaned text, its number of words, and why it must be dropped or None."""
        text, facts = survey(language).look(text)
        if self._markup or self._word_pattern is not None:
            text, placeholders = self._stripped(text)
            facts = survey(language).facts(text)
            if placeholders > 1 and 3 * placeholders > facts.words:
                return text, facts.words, "mostly placeholders"
        return text, facts.words, self._refuse(text, facts, language)

    def _stripped(self, text: str) -> tuple[str, int]:
        """Return a text without mark-up and unwanted words, and its number of placeholders."""
        text, placeholders = remove_markup(text, self._markup) if self._markup else (text, 0)
        if self._word_pattern is not None:
            text = self._without_words(text)
        return " ".join(text.split()), placeholders

    def _without_words(self, text: str) -> str:
        lowered = text.lower()
        if self._word_pattern is None or not any(word in lowered for word in self._words):
            return text
        shorter, count = self._word_pattern.subn("", text)
        return tidy(shorter) if count else text

    def _refuse(self, text: str, facts: Facts, language: str) -> str | None:
        """Return why a text is not good on its own, or None."""
        config = self._config
        if not text:
            return "empty"
        if len(text) < config.min_characters:
            return "too short"
        if len(text) > config.max_characters:
            return "too long"
        words, letters, own_script = facts
        if words > config.max_words:
            return "too long"
        if letters < config.min_letters:
            return "too few letters"
        if own_script < config.min_script:
            return "another script"
        if self._is_other_language is not None and self._is_other_language(text, language):
            return "another language"
        return None

    def _compare(self, pivot: str, text: str) -> str | None:
        """Return why a text is no good translation of the pivot text, or None."""
        if self._config.drop_copies and text.casefold() == pivot.casefold():
            return "copy"
        limit = self._config.max_length_ratio
        if limit is not None:
            one, other = weighted_length(pivot) + SMOOTHING, weighted_length(text) + SMOOTHING
            if max(one, other) > limit * min(one, other):
                return "length ratio"
        return None


def _whole_words(words: Collection[str]) -> re.Pattern[str] | None:
    """Return a pattern of whole words, also where Chinese or Japanese text touches them.

    With a word go the article elided before it and the ending or hyphen after it: "d'Acme",
    "Acme's", "Acme'nin", "Acme-Datei", "acme.org".
    """
    if not words:
        return None
    letter = f"[^\\W{UNSPACED}]"
    listed = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(
        f"(?:(?<!{letter})[^\\W\\d_]{{1,2}}['’])?(?<!{letter})(?:{listed})(?!{letter})"
        f"(?:\\.(?:com|eu|io|net|org)(?!{letter}))?"
        f"(?:['’][^\\W\\d_]{{0,6}}(?!{letter})|-(?={letter}))?",
        re.IGNORECASE,
    )


def _identifier() -> Callable[[str, str], bool]:
    """Return a function that tells whether a text is surely not in the language it should be in.

    Languages that the identifier does not know are never found wanting.
    """
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        raise UserError(
            "Identifying languages needs an extra: pip install 'xlmkit[langs]'."
        ) from None
    identifier: Any = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    known = {from_locale(label) for label in identifier.labels}

    def is_other_language(text: str, language: str) -> bool:
        if language not in known or weighted_length(text) < IDENTIFIED_FROM:
            return False
        label, probability = identifier.classify(text)
        return probability >= SURE and from_locale(label) not in (language, None)

    return is_other_language
