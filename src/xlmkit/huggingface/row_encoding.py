"""From texts to the rows of a `BatchEncoding`: ids, special tokens, truncation, padding."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from transformers import BatchEncoding
from transformers.tokenization_utils_base import TruncationStrategy
from transformers.utils.generic import PaddingStrategy

from xlmkit.huggingface.call_options import CallOptions
from xlmkit.huggingface.sequence_form import Layout, fill, halves, layout, positions
from xlmkit.huggingface.token_encoding import TokenColumns, TokenEncoding
from xlmkit.huggingface.truncation import Window, all_windows, first_window, tokens_to_remove
from xlmkit.text.alignment import AlignedTokens

if TYPE_CHECKING:
    from xlmkit.huggingface.language_tokenizer import LanguageTokenizer

Features = dict[str, Any]
Overflow = tuple[list[int], int]
"""Ids that the slow tokenizer hands out besides, and how many tokens were cut off."""


class EncodedText:
    """The ids of one text, and its alignment, made when it is first asked for."""

    def __init__(self, ids: list[int], language: str, align: Callable[[], AlignedTokens]) -> None:
        """Take the ids, the language, and what aligns them."""
        self.ids = ids
        self.language = language
        self._align = align

    @cached_property
    def alignment(self) -> AlignedTokens:
        """Where each token came from."""
        return self._align()


class EncodedRow:
    """The one or two texts of a row and the tokens of them that are kept."""

    def __init__(
        self,
        tokenizer: "LanguageTokenizer",
        texts: list[EncodedText],
        window: Window,
        options: CallOptions,
    ) -> None:
        """Lay the row out."""
        self._tokenizer = tokenizer
        self._texts = texts
        self._window = window
        self._options = options
        self.slots: Layout = layout(
            tokenizer.sequence_form, pair=len(texts) > 1, special=options.add_special_tokens
        )
        self.ids = fill(
            self.slots,
            [t.ids[w.start : w.stop] for t, w in zip(texts, window, strict=True)],
            tokenizer.special_id,
        )

    @cached_property
    def halves(self) -> list[int]:
        """The half of each token, 0 or 1."""
        return halves(self.slots, [len(window) for window in self._window])

    @cached_property
    def special_tokens_mask(self) -> list[int]:
        """1 for each special token that was put in."""
        return fill(self.slots, [[0] * len(window) for window in self._window], lambda _: 1)

    @cached_property
    def offsets(self) -> list[tuple[int, int]]:
        """The characters of each token in its text; (0, 0) for special tokens."""
        spans = [
            text.alignment.spans[window.start : window.stop]
            for text, window in zip(self._texts, self._window, strict=True)
        ]
        return fill(self.slots, spans, lambda _: (0, 0))

    def features(self, *, with_langs: bool, with_positions: bool) -> Features:
        """Return what the options ask for, without padding."""
        options = self._options
        features: Features = {"input_ids": self.ids}
        if options.return_token_type_ids:
            features["token_type_ids"] = self.halves
        if with_langs:
            languages = [self._tokenizer.language_id(text.language) for text in self._texts]
            features["langs"] = [languages[half] for half in self.halves]
        if with_positions:
            features["position_ids"] = positions(self._tokenizer.sequence_form, self.halves)
        if options.return_special_tokens_mask:
            features["special_tokens_mask"] = self.special_tokens_mask
        if options.return_offsets_mapping:
            features["offset_mapping"] = self.offsets
        return features

    def encoding(self, padded: list[int], side: str) -> TokenEncoding:
        """Return the row's `TokenEncoding`, given its ids with padding."""
        return TokenEncoding(padded, len(self._texts), partial(self._columns, padded, side))

    def _columns(self, padded: list[int], side: str) -> TokenColumns:
        missing = len(padded) - len(self.ids)

        def pad(values: list[Any], value: Any) -> list[Any]:  # noqa: ANN401
            padding = [value] * missing
            return padding + values if side == "left" else values + padding

        numbers = [[i] * len(window) for i, window in enumerate(self._window)]
        words = [
            text.alignment.words[window.start : window.stop]
            for text, window in zip(self._texts, self._window, strict=True)
        ]
        return TokenColumns(
            tokens=self._tokenizer.convert_ids_to_tokens(padded),
            sequence_ids=pad(fill(self.slots, numbers, _nothing), None),
            word_ids=pad(fill(self.slots, words, _nothing), None),
            offsets=pad(self.offsets, (0, 0)),
            type_ids=pad(self.halves, 0),
            special_tokens_mask=pad(self.special_tokens_mask, 1),
            attention_mask=pad([1] * len(self.ids), 0),
        )


def _nothing(_: str) -> Any:  # noqa: ANN401
    return None


def encode_rows(
    tokenizer: "LanguageTokenizer",
    samples: list[list[EncodedText]],
    options: CallOptions,
    *,
    batched: bool,
) -> BatchEncoding:
    """Build the rows of a call.

    Args:
        tokenizer: whose special tokens, form and padding they get.
        samples: for each row of the call its one or two texts.
        options: how.
        batched: whether the result has a batch axis even without tensors.

    Raises:
        ValueError: overflowing tokens of pairs are asked for that are cut on both sides.
    """
    if (
        options.return_overflowing_tokens
        and options.truncation_strategy == TruncationStrategy.LONGEST_FIRST
        and any(len(texts) > 1 for texts in samples)
    ):
        raise ValueError(
            "Of a pair, overflowing tokens are returned where one text is cut: choose the "
            "truncation 'only_first' or 'only_second', not 'longest_first'."
        )
    rows: list[EncodedRow] = []
    mapping: list[int] = []
    overflows: list[Overflow] = []
    for number, texts in enumerate(samples):
        windows, overflow = _windows(tokenizer, texts, options)
        rows += [EncodedRow(tokenizer, texts, window, options) for window in windows]
        mapping += [number] * len(windows)
        overflows.append(overflow)
    data = _collate(tokenizer, rows, options, pairs=any(len(texts) > 1 for texts in samples))
    if options.return_overflowing_tokens and tokenizer.is_fast:
        data["overflow_to_sample_mapping"] = mapping
        batched = True
    elif (
        options.return_overflowing_tokens
        and not options.return_tensors
        and any(n for _, n in overflows)
    ):
        data["overflowing_tokens"] = [ids for ids, _ in overflows]
        data["num_truncated_tokens"] = [n for _, n in overflows]
    encodings: Any = None  # made to look like those of the library tokenizers
    if tokenizer.is_fast:
        side = options.padding_side or tokenizer.padding_side
        padded = zip(rows, data["input_ids"], strict=True)
        encodings = [row.encoding(ids, side) for row, ids in padded]
    if not batched and options.return_tensors is None:
        data = {key: values[0] for key, values in data.items()}
    return BatchEncoding(data, encodings, tensor_type=options.return_tensors)


def _windows(
    tokenizer: "LanguageTokenizer", texts: list[EncodedText], options: CallOptions
) -> tuple[list[Window], Overflow]:
    """Return a row's windows; and for the slow tokenizer what is cut off, and how much."""
    lengths = tuple(len(text.ids) for text in texts)
    special = tokenizer.num_special_tokens_to_add(len(texts) > 1)
    total = sum(lengths) + (special if options.add_special_tokens else 0)
    excess = total - options.max_length if options.max_length else 0
    removed = tokens_to_remove(lengths, excess, options.truncation_strategy)
    side = tokenizer.truncation_side
    overflow: Overflow = ([], 0)
    if tokenizer.is_fast and options.return_overflowing_tokens:
        return all_windows(lengths, removed, side, options.stride), overflow
    if any(removed):
        ids = texts[0 if removed[0] else 1].ids
        size = min(len(ids), options.stride + excess)
        overflow = (ids[:size] if side == "left" else ids[-size:], excess)
    return [first_window(lengths, removed, side)], overflow


def _collate(
    tokenizer: "LanguageTokenizer", rows: list[EncodedRow], options: CallOptions, *, pairs: bool
) -> Features:
    """Return lists of all rows' features, padded as the options say."""
    with_langs, with_positions = tokenizer.extra_inputs(options, pairs=pairs)
    features = [row.features(with_langs=with_langs, with_positions=with_positions) for row in rows]
    for row in rows:
        tokenizer.warn_about_length(row.ids, options)
    data: Features = {key: [f[key] for f in features] for key in (features or [{}])[0]}
    data.setdefault("input_ids", [])
    if options.padding_strategy != PaddingStrategy.DO_NOT_PAD:
        padded = tokenizer.pad(
            data,
            padding=options.padding_strategy,
            max_length=options.max_length,
            pad_to_multiple_of=options.pad_to_multiple_of,
            padding_side=options.padding_side,
            return_attention_mask=options.return_attention_mask,
        )
        data = dict(padded)
    elif options.return_attention_mask:
        data["attention_mask"] = [[1] * len(ids) for ids in data["input_ids"]]
    if options.return_length:
        data["length"] = [len(ids) for ids in data["input_ids"]]
    return data
