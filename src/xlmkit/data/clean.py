"""Cleaning: what a text must be to be learned from, and what is removed from it.

Every text that is dropped is counted with its reason, source and language. A record loses the texts
that fail and is dropped itself when none is left. All texts of a block are judged together.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xlmkit.core.config import Config
from xlmkit.core.errors import UserError
from xlmkit.data.columns import Columns
from xlmkit.data.markup import remove_markup, tidy
from xlmkit.data.measures import UNSPACED, weighted_length
from xlmkit.data.source_base import Markup
from xlmkit.data.survey import Facts, survey
from xlmkit.text.languages import from_locale

Share = Annotated[float, Field(ge=0, le=1)]
SMOOTHING = 10  # added to lengths before they are compared, since short texts vary more
SURE = 0.8  # probability from which language identification is believed
IDENTIFIED_FROM = 24  # characters; shorter texts cannot be identified

REASONS = (
    "kept", "empty", "too short", "too long", "too few letters", "another script",
    "another language", "too few words", "mostly placeholders", "copy", "length ratio",
)  # fmt: skip
(
    KEPT, EMPTY, TOO_SHORT, TOO_LONG, TOO_FEW_LETTERS, ANOTHER_SCRIPT, ANOTHER_LANGUAGE,
    TOO_FEW_WORDS, MOSTLY_PLACEHOLDERS, COPY, LENGTH_RATIO,
) = range(len(REASONS))  # fmt: skip
_SPOILING = frozenset((EMPTY, TOO_FEW_WORDS, MOSTLY_PLACEHOLDERS))


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

    def clean(self, columns: Columns) -> tuple[Columns, Counter[tuple[str, str]]]:
        """Return records without the texts that are not good, and those that are left cleaned.

        Args:
            columns: the records as read.

        Returns:
            The records that have a good text, and (reason, language) -> texts that are dropped.
        """
        cleaned = list(columns.texts)
        words, reasons = np.zeros(len(cleaned), np.int64), np.full(len(cleaned), KEPT, np.uint8)
        for language, rows, raw in columns.by_language():
            texts, words[rows], reasons[rows] = self._clean_texts(raw, language)
            if len(texts) == len(cleaned):
                cleaned = texts
                break
            for row, text in zip(rows.tolist(), texts, strict=True):
                cleaned[row] = text
        self._judge_records(columns.sizes, cleaned, words, reasons)
        dropped = Counter(
            (REASONS[reasons[row]], columns.languages[row])
            for row in np.flatnonzero(reasons).tolist()
        )
        return replace(columns, texts=cleaned).chosen(reasons == KEPT), dropped

    def _clean_texts(
        self, texts: list[str], language: str
    ) -> tuple[list[str], NDArray[np.int64], NDArray[np.uint8]]:
        """Return texts of a language cleaned, their words, and why each must be dropped, if so."""
        asked = survey(language)
        texts, facts = asked.look(texts)
        if not self._markup and self._word_pattern is None:
            return texts, facts.words, self._refused(texts, facts, language)
        stripped = [self._stripped(text) for text in texts]
        placeholders = np.array([count for _, count in stripped], np.int64)
        changed = [row for row, (text, _) in enumerate(stripped) if text != texts[row]]
        texts = [text for text, _ in stripped]
        if changed:
            facts = facts.with_others(changed, asked.facts([texts[row] for row in changed]))
        reasons = self._refused(texts, facts, language)
        reasons[(placeholders > 1) & (3 * placeholders > facts.words)] = MOSTLY_PLACEHOLDERS
        return texts, facts.words, reasons

    def _judge_records(
        self,
        sizes: list[int],
        texts: list[str],
        words: NDArray[np.int64],
        reasons: NDArray[np.uint8],
    ) -> None:
        """Drop also what the other texts of a record, or being its only one, make useless."""
        few = words < self._config.min_words
        if max(sizes, default=1) == 1:
            reasons[few & (reasons == KEPT)] = TOO_FEW_WORDS
            return
        end = 0
        for size in sizes:
            start, end = end, end + size
            pivot: str | None = None
            spoiled = KEPT  # or why the pivot makes the whole record useless
            for row in range(start, end):
                reason = int(reasons[row])
                if reason == KEPT and pivot is not None:
                    reason = self._compared(pivot, texts[row])
                elif reason == KEPT and few[row]:
                    reason = TOO_FEW_WORDS
                if pivot is None and reason in _SPOILING:
                    spoiled = reason
                reasons[row] = spoiled or reason
                if reasons[row] == KEPT:
                    pivot = pivot or texts[row]

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

    def _refused(self, texts: list[str], facts: Facts, language: str) -> NDArray[np.uint8]:
        """(T,) why each text is not good on its own."""
        config = self._config
        lengths = np.fromiter(map(len, texts), np.int64)
        reasons = np.full(len(texts), KEPT, np.uint8)
        for reason, refused in (  # of several, the last is given
            (ANOTHER_SCRIPT, facts.own_script < config.min_script),
            (TOO_FEW_LETTERS, facts.letters < config.min_letters),
            (TOO_LONG, (lengths > config.max_characters) | (facts.words > config.max_words)),
            (TOO_SHORT, lengths < config.min_characters),
            (EMPTY, lengths == 0),
        ):
            reasons[refused] = reason
        if self._is_other_language is not None:
            for row in np.flatnonzero(reasons == KEPT).tolist():
                if self._is_other_language(texts[row], language):
                    reasons[row] = ANOTHER_LANGUAGE
        return reasons

    def _compared(self, pivot: str, text: str) -> int:
        """Return why a text is no good translation of the pivot text, if it is not."""
        if self._config.drop_copies and text.casefold() == pivot.casefold():
            return COPY
        limit = self._config.max_length_ratio
        if limit is not None:
            one, other = weighted_length(pivot) + SMOOTHING, weighted_length(text) + SMOOTHING
            if max(one, other) > limit * min(one, other):
                return LENGTH_RATIO
        return KEPT


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
