"""What can be seen of translations without references: do they translate at all?

A system that learns without translations fails in known ways: it copies its source, writes the
same for everything, writes another language, nothing, or without end. These are the shares of
outputs that do so, and the quality that needs no reference: the way there and back.
"""

import difflib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.evaluate.language_identifier import LanguageIdentifier
from xlmkit.evaluate.score import Score
from xlmkit.evaluate.translation import translation_scores
from xlmkit.evaluate.words import counted_words, plain

COPY_SIMILARITY = 0.9
"""A copy has at least this similarity to its source: one letter in ten may differ."""

_LONGEST_UNIT = 6  # words that may repeat together
_TIMES = 3  # how often in a row a unit must stand ...
_SPAN = 4  # ... and how many words that must be at least: "very, very, very" is no mistake

# Rough numbers of letters that a character of these blocks stands for: what takes 100 letters of
# English takes 30 to 40 in Chinese and about 50 in Korean.
_DENSE = (("\u3040", "\u30ff", 2), ("\u3400", "\u9fff", 3), ("\uac00", "\ud7a3", 2))


@dataclass(frozen=True, slots=True)
class Health:
    """How the outputs of one direction look: two numbers of sentences, then shares and ratios.

    Attributes:
        n: sources that have text.
        sources: different ones among them.
        copied: outputs that are their source or nearly so (`COPY_SIMILARITY`), without case and
            punctuation.
        overlap: words of the outputs that stand in their source, too.
        in_language: outputs that may be in the target language, of those with letters; None where
            no identifier was given, or no output has letters.
        length_ratio: length of the outputs over that of the references, or where there are none,
            of the sources; in letters, a Chinese character counted as three, and the like.
        empty: outputs without text.
        repeated: outputs in which one to six words stand three times or more in a row.
        commonest: outputs that are the commonest one, over different sources.
        distinct: different outputs, over different sources.
    """

    n: int
    sources: int
    copied: float
    overlap: float
    in_language: float | None
    length_ratio: float
    empty: float
    repeated: float
    commonest: float
    distinct: float

    def to_json(self) -> dict[str, float | int | None]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Health":
        """Read back what `to_json` gave; there may be more, and a None may be missing."""
        found: dict[str, Any] = {one.name: value.get(one.name) for one in fields(cls)}
        return cls(**found)


def translation_health(
    sources: Sequence[str],
    outputs: Sequence[str],
    source_language: str,
    target_language: str,
    *,
    references: Sequence[str] | None = None,
    identifier: LanguageIdentifier | None = None,
) -> Health:
    """Look at the outputs of one direction. Empty sources are left out.

    Args:
        sources: what was translated.
        outputs: the translations.
        source_language: code of the sources' language.
        target_language: code of the language that was to be written.
        references: human translations, for the length only.
        identifier: knows both languages, and better all languages of the model.

    Raises:
        UserError: the numbers of lines differ, or no source has text.
        ValueError: the identifier does not know the target language.
    """
    looks = _looks(sources, outputs, target_language, identifier)
    if references is not None:
        _check_number("references", references, sources)
    expected = sources if references is None else references
    return _health(sources, outputs, expected, looks, source_language, target_language)


def _health(
    sources: Sequence[str],
    outputs: Sequence[str],
    expected: Sequence[str],
    all_looks: Sequence["_Look"],
    source_language: str,
    target_language: str,
) -> Health:
    """Sum up what was seen of every output whose source has text."""
    everything = zip(sources, outputs, expected, all_looks, strict=True)
    rows = [row for row in everything if row[0].strip()]
    if not rows:
        raise UserError("There is no source text to compare translations with; give some lines.")
    looks = [look for *_, look in rows]
    told = [look.in_language for look in looks if look.in_language is not None]
    read = [counted_words(source, source_language) for source, *_ in rows]
    written = [counted_words(output, target_language) for _, output, *_ in rows]
    n, number = len(rows), sum(map(len, written))
    shared = sum((Counter(a) & Counter(b)).total() for a, b in zip(read, written, strict=True))
    by_source = {source: output.strip() for source, output, *_ in rows}
    kinds = Counter(output for output in by_source.values() if output)
    length = sum(_letters(text) for _, _, text, _ in rows)
    return Health(
        n=n,
        sources=len(by_source),
        copied=sum(look.copied for look in looks) / n,
        overlap=shared / number if number else 0.0,
        in_language=sum(told) / len(told) if told else None,
        length_ratio=sum(_letters(output) for _, output, *_ in rows) / max(length, 1),
        empty=sum(look.empty for look in looks) / n,
        repeated=sum(map(repeats, written)) / n,
        commonest=max(kinds.values(), default=0) / len(by_source),
        distinct=len(kinds) / len(by_source),
    )


def _check_number(name: str, lines: Sequence[str], sources: Sequence[str]) -> None:
    if len(lines) != len(sources):
        raise UserError(
            f"There are {len(sources):,} sources but {len(lines):,} {name}; "
            "give the same sentences in the same order."
        )


@dataclass(frozen=True, slots=True)
class _Look:
    """What is seen of one output; `in_language` is None where it cannot be told."""

    empty: bool
    copied: bool
    in_language: bool | None

    @property
    def translates(self) -> bool:
        """Whether it may be a translation."""
        return not (self.empty or self.copied or self.in_language is False)


def _looks(
    sources: Sequence[str],
    outputs: Sequence[str],
    language: str,
    identifier: LanguageIdentifier | None,
) -> list[_Look]:
    """Look at every output by itself."""
    _check_number("translations", outputs, sources)
    return [
        _Look(
            empty=not output.strip(),
            copied=_copied(source, output),
            in_language=identifier.may_be(output, language) if identifier else None,
        )
        for source, output in zip(sources, outputs, strict=True)
    ]


def _copied(source: str, output: str) -> bool:
    """Tell whether an output is its source, but for a letter in ten."""
    one, other = ("".join(plain(text).split()) for text in (source, output))
    if not one or one == other:
        return bool(one)
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    # The first two are upper bounds of the third, and far quicker.
    return all(
        ratio() >= COPY_SIMILARITY
        for ratio in (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)
    )


def repeats(words: Sequence[str]) -> bool:
    """Tell whether one to six words stand three times or more in a row, over at least four words.

    Linear in the words for each length: a stretch repeats with a period where every word equals
    the one a period before it.
    """
    for period in range(1, _LONGEST_UNIT + 1):
        run = 0
        for word, before in zip(words[period:], words, strict=False):
            run = run + 1 if word == before else 0
            if run >= max(_TIMES * period, _SPAN) - period:
                return True
    return False


def _letters(text: str) -> int:
    length = 0
    for character in text:
        length += next((n for low, high, n in _DENSE if low <= character <= high), 1)
    return length


Translate = Callable[[list[str]], list[str]]
"""From texts in one language to as many in another."""


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """What came of translating texts there and back.

    Attributes:
        bleu: of the texts that came back, against those that went.
        health: of the way there.
    """

    bleu: Score
    health: Health


def round_trip(
    texts: Sequence[str],
    there: Translate,
    back: Translate,
    source_language: str,
    target_language: str,
    *,
    identifier: LanguageIdentifier | None = None,
    resamples: int = 0,
) -> RoundTrip:
    """Translate texts there and back, a criterion that needs no translations (Lample et al. 2018).

    By itself it is greatest for a system that copies. So what was copied, is empty or is in
    another language counts as not translated: it is not sent back, and scores as an empty text.

    Args:
        texts: sentences of the source language.
        there: translates them.
        back: translates into the source language.
        source_language: its code.
        target_language: code of the other.
        identifier: knows both; without it another language is not noticed.
        resamples: number of bootstrap resamples; 0 gives no interval.

    Raises:
        UserError: sacrebleu is not installed, or no text is given.
    """
    outputs = there(list(texts))
    looks = _looks(texts, outputs, target_language, identifier)
    health = _health(texts, outputs, texts, looks, source_language, target_language)
    sent = [number for number, look in enumerate(looks) if look.translates]
    returned = dict(zip(sent, back([outputs[i] for i in sent]) if sent else [], strict=True))
    hypotheses = [returned.get(number, "") for number in range(len(texts))]
    bleu = translation_scores(hypotheses, [texts], source_language, ("bleu",), resamples=resamples)[
        "bleu"
    ]
    way = f"round-trip:{source_language}-{target_language}-{source_language}|untranslated:empty"
    name, _, rest = bleu.signature.partition("|")
    return RoundTrip(replace(bleu, signature=f"{name}|{way}|{rest}"), health)
