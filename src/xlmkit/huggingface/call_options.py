"""What a tokenizer is called with: its options, and the rows that its texts make."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Integral
from typing import Any

from transformers.tokenization_utils_base import TruncationStrategy
from transformers.utils.generic import PaddingStrategy

from xlmkit.huggingface.languages import CallLanguage

Source = str | list[str] | list[int]
"""A text, its words, or its ids."""

Row = tuple[Source, Source | None]
"""A text and, for a pair, a second one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """The arguments of a call, by the names and with the meaning that `transformers` gives them.

    Attributes:
        lang: the language of the texts; of a pair a tuple, of several texts a list.
        text_pair_lang: the language of the second texts, where it is another.
        text_target_lang: the language of `text_target`, where it is another.
        bypass_tokenizer: take the words between spaces as they are: no Moses, no lower-casing.
        return_langs: return `langs`, the language id of each token; by default where the tokenizer
            has more than one language.
        return_position_ids: return `position_ids`; by default for pairs in the original form.
    """

    add_special_tokens: bool = True
    padding_strategy: PaddingStrategy = PaddingStrategy.DO_NOT_PAD
    truncation_strategy: TruncationStrategy = TruncationStrategy.DO_NOT_TRUNCATE
    max_length: int | None = None
    stride: int = 0
    is_split_into_words: bool = False
    pad_to_multiple_of: int | None = None
    padding_side: str | None = None
    return_tensors: Any = None
    return_token_type_ids: bool | None = None
    return_attention_mask: bool | None = None
    return_overflowing_tokens: bool = False
    return_special_tokens_mask: bool = False
    return_offsets_mapping: bool = False
    return_length: bool = False
    verbose: bool = True
    split_special_tokens: bool | None = None
    lang: CallLanguage | None = None
    text_pair_lang: str | list[str | None] | None = None
    text_target_lang: CallLanguage | None = None
    bypass_tokenizer: bool = False
    return_langs: bool | None = None
    return_position_ids: bool | None = None


CALL_OPTIONS = frozenset(field.name for field in fields(CallOptions))
"""The names of the arguments."""


def read_rows(text: Any, text_pair: Any, is_split_into_words: bool) -> tuple[list[Row], bool]:  # noqa: ANN401 - told by their form
    """Return the rows of a call, and whether it was given a batch.

    Raises:
        ValueError: the texts have none of the forms that `transformers` takes.
    """
    if not _is_batch(text, is_split_into_words):
        second = None if text_pair is None else _source(text_pair, is_split_into_words)
        return [(_source(text, is_split_into_words), second)], False
    pairs = [None] * len(text) if text_pair is None else text_pair
    if not isinstance(pairs, list | tuple) or len(pairs) != len(text):
        raise ValueError("text is a batch, so text_pair must be one of the same length.")
    return [_row(*pair, is_split_into_words) for pair in zip(text, pairs, strict=True)], True


def _is_batch(text: object, words: bool) -> bool:
    if not isinstance(text, list | tuple):
        return False
    if not text:
        return not words
    return isinstance(text[0], list | tuple) or (isinstance(text[0], str) and not words)


def _row(first: Any, second: Any, words: bool) -> Row:  # noqa: ANN401
    """Read one item of a batch, which may hold both texts of a pair."""
    if second is None and isinstance(first, list | tuple) and not _are_ids(first):
        of_a_pair = len(first) == 2 and (not words or isinstance(first, tuple))
        if of_a_pair and all(isinstance(text, str | list | tuple) for text in first):
            first, second = first
        elif not words and len(first) == 1:
            first = first[0]
        elif not words:
            raise ValueError(
                f"An item of the batch holds {len(first)} texts; give one or a pair, or set "
                "is_split_into_words=True where they are words."
            )
    return _source(first, words), None if second is None else _source(second, words)


def _source(value: Any, words: bool) -> Source:  # noqa: ANN401
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        if _are_ids(value):
            return [int(index) for index in value]
        if words and all(isinstance(word, str) for word in value):
            return list(value)
    raise ValueError(
        "A text is a string, a list of ids or, with is_split_into_words=True, a list of words; "
        f"not {value!r:.80}."
    )


def _are_ids(value: Sequence[object]) -> bool:
    return all(isinstance(index, Integral) for index in value)
