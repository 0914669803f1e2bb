"""Texts as models of other families read them, with what each token is part of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.measures import normalize
from xlmkit.data.normal_spans import aligned_normal
from xlmkit.data.text_windows import LongTexts, cut_rows
from xlmkit.evaluate.answers import Answering
from xlmkit.explain.explanation import Word
from xlmkit.explain.reading import SPECIAL, first_window
from xlmkit.explain.subject import Asked
from xlmkit.huggingface.answering import shortened
from xlmkit.huggingface.frames import Frame
from xlmkit.huggingface.sequences import EncodedTexts, TextEncoder
from xlmkit.huggingface.words import word_tokens
from xlmkit.inference.words import spans_by_rules
from xlmkit.text.aligned_words import aligned_words
from xlmkit.text.alignment import Aligned, Span
from xlmkit.text.languages import WITHOUT_SPACES


@dataclass(frozen=True)
class FamilyRows:
    """Sequences before they meet a model; attributes as `Reading` has, with the ids `encoded`."""

    words: list[Word]
    owners: NDArray[np.int64]
    spans: NDArray[np.int64]
    encoded: EncodedTexts
    cut: bool
    joins: bool
    judged: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """A sequence: of each token its id, type, text (`SPECIAL` for none), and place in that."""

    ids: NDArray[np.int32]
    types: NDArray[np.int32]
    parts: NDArray[np.int64]
    spans: NDArray[np.int64]


def read_texts(
    encoder: TextEncoder, asked: Asked, longest: int, long_texts: LongTexts | None
) -> FamilyRows:
    """Encode texts as `xlmkit predict` does for a model that judges whole texts.

    Args:
        encoder: the tokenizer, a fast one, told the language.
        asked: what is read.
        longest: tokens of a sequence.
        long_texts: how the model reads what is longer; the first window is taken. None cuts off
            the ends.
    """
    sources = [encoder.plain_aligned(aligned_normal(text)) for text in asked.texts]
    texts = [source.text for source in sources]
    rows = [_called(encoder.tokenizer, texts, which) for which in asked.rows]
    cut = False
    for number, (row, which) in enumerate(zip(rows, asked.rows, strict=True)):
        if len(row.ids) <= longest:
            continue
        cut = True
        if long_texts is None:
            rows[number] = _called(
                encoder.tokenizer, texts, which, truncation=True, max_length=longest
            )
        else:
            rows[number] = _window(encoder.tokenizer, texts, which, longest, long_texts.stride)
    joins = cut and long_texts is not None and long_texts.joins
    return _owned(encoder.tokenizer, asked, sources, rows, cut=cut, joins=joins)


def read_question(encoder: TextEncoder, asked: Asked, settings: Answering) -> FamilyRows:
    """Encode a question and its context, whole, as `xlmkit predict` does.

    Args:
        encoder: the tokenizer, a fast one, told the language.
        asked: what is read.
        settings: how the model is asked.
    """
    question = shortened(encoder.tokenizer, asked.texts[0], settings.max_question)
    texts = [question, *asked.texts[1:]]
    row = _called(encoder.tokenizer, texts, (0, 1), split_special_tokens=True)
    cut = len(row.ids) > settings.max_length
    sources = [Aligned.of(text) for text in texts]
    return _owned(encoder.tokenizer, asked, sources, [row], cut=cut, joins=False)


def read_words(encoder: TextEncoder, asked: Asked, longest: int) -> FamilyRows:
    """Encode the words of a text as `xlmkit predict` does for a tagger.

    Args:
        encoder: the tokenizer, a fast one, told the language.
        asked: what is read.
        longest: tokens of a sequence; of a longer text the first window is taken.
    """
    found = spans_by_rules(asked.text, asked.language, spaces=asked.spaces)
    words = [Word(asked.text[start:end], 0, start, end) for start, end in found]
    (tokens,) = word_tokens(encoder, [[normalize(word.text) for word in words]])
    frame = Frame.of(encoder.tokenizer)
    ids, owners, judged = first_window(tokens, longest - frame.size)
    row = _framed(frame, (0,), [ids], [np.array(found, np.int64).reshape(-1, 2)[owners]])
    owners_L = np.full(len(row.ids), SPECIAL)
    owners_L[row.parts == 0] = owners
    cut = len(ids) < len(tokens.ids)
    encoded = _encoded(encoder.tokenizer, [row])
    return FamilyRows(words, owners_L[None], row.spans[None], encoded, cut, cut, judged)


def _called(
    tokenizer: Any,  # noqa: ANN401 - theirs
    texts: Sequence[str],
    which: Sequence[int],
    **options: Any,  # noqa: ANN401 - of their call
) -> _Row:
    """Return a sequence as the tokenizer itself lays it out."""
    made = tokenizer(
        *(texts[part] for part in which),
        return_offsets_mapping=True,
        return_token_type_ids=True,
        verbose=False,
        **options,
    )
    parts = [SPECIAL if side is None else which[side] for side in made.sequence_ids(0)]
    return _Row(
        np.array(made["input_ids"], np.int32),
        np.array(made["token_type_ids"], np.int32),
        np.array(parts, np.int64),
        np.array(made["offset_mapping"], np.int64).reshape(-1, 2),
    )


def _window(
    tokenizer: Any,  # noqa: ANN401 - theirs
    texts: Sequence[str],
    which: Sequence[int],
    longest: int,
    stride: int,
) -> _Row:
    """Return the first window of a text or a pair."""
    frame = Frame.of(tokenizer, len(which))
    made = tokenizer(
        [texts[part] for part in which],
        add_special_tokens=False,
        return_offsets_mapping=True,
        verbose=False,
    )
    whole = tuple((np.array(ids, np.int32), 0) for ids in made["input_ids"])
    sides = [ids for ids, _ in cut_rows([whole], longest, stride, special=frame.size).rows[0]]
    spans = [
        np.array(offsets[: len(ids)], np.int64).reshape(-1, 2)
        for ids, offsets in zip(sides, made["offset_mapping"], strict=True)
    ]
    return _framed(frame, which, sides, spans)


def _framed(
    frame: Frame,
    which: Sequence[int],
    sides: Sequence[NDArray[np.integer]],
    spans: Sequence[NDArray[np.int64]],
) -> _Row:
    """Return a sequence of the tokens of one text or two, with the special ones around them."""
    ids, types = frame.around(sides)
    parts, spans_L2 = np.full(len(ids), SPECIAL), np.zeros((len(ids), 2), np.int64)
    start = len(frame.special[0])
    for number, (part, side) in enumerate(zip(which, sides, strict=True)):
        end = start + len(side)
        parts[start:end], spans_L2[start:end] = part, spans[number]
        start = end + len(frame.special[number + 1])
    return _Row(ids, types, parts, spans_L2)


def _encoded(tokenizer: Any, rows: Sequence[_Row]) -> EncodedTexts:  # noqa: ANN401 - theirs
    pad = tokenizer.pad_token_id
    return EncodedTexts([row.ids for row in rows], [row.types for row in rows], pad, left=False)


def _owned(
    tokenizer: Any,  # noqa: ANN401 - theirs
    asked: Asked,
    sources: Sequence[Aligned],
    rows: Sequence[_Row],
    *,
    cut: bool,
    joins: bool,
) -> FamilyRows:
    """Find the words of all texts, and of each token its word and its place in the text.

    Args:
        tokenizer: theirs.
        asked: what is explained.
        sources: its texts in the form in which they are read.
        rows: the sequences, with places in that form.
        cut: as `Reading` has it.
        joins: likewise.
    """
    longest = max(len(row.ids) for row in rows)
    parts = np.full((len(rows), longest), SPECIAL)
    spans = np.zeros((len(rows), longest, 2), np.int64)
    for number, row in enumerate(rows):
        parts[number, : len(row.ids)], spans[number, : len(row.ids)] = row.parts, row.spans
    for number, place in np.argwhere(parts != SPECIAL).tolist():
        text, (start, end) = sources[parts[number, place]].text, spans[number, place]
        while start < end and text[start].isspace():
            start += 1  # white space that some count to the token behind it
        spans[number, place] = start, end
    words: list[Word] = []
    owners = np.full_like(parts, SPECIAL)
    for part, (text, source) in enumerate(zip(asked.texts, sources, strict=True)):
        own = parts == part
        found = _word_spans(source.text, asked, spans[own])
        if not found:
            continue
        starts = np.array([start for start, _ in found])
        before = np.searchsorted(starts, spans[own][:, 0], side="right") - 1
        owners[own] = len(words) + before.clip(min=0)
        spans[own] = [_written(source, start, end) for start, end in spans[own].tolist()]
        placed = [_written(source, start, end) for start, end in found]
        words += [Word(text[start:end], part, start, end) for start, end in placed]
    return FamilyRows(words, owners, spans, _encoded(tokenizer, rows), cut, joins)


def _written(source: Aligned, start: int, end: int) -> Span:
    """Return where a part of what is read stands in the text as it was written."""
    return source.part(start, end).span if start < end else (start, start)


def _word_spans(text: str, asked: Asked, tokens: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return where words stand; a language without spaces has its tokens for words."""
    if asked.spaces:
        return [match.span() for match in re.finditer(r"\S+", text)]
    if asked.language in WITHOUT_SPACES:
        return sorted({(start, end) for start, end in tokens.tolist() if start < end})
    return [word.span for word in aligned_words(text, asked.language)]
