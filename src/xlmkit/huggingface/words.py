"""Sentences of given words as models of other families read them, by their fast tokenizers."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.data.words import Sentences, WordSequences, WordTokens, cut
from xlmkit.huggingface.sequences import EncodedTexts, TextEncoder

_TYPES = "token_type_ids"
_PROBE = "a"


def encode_native_words(
    encoder: TextEncoder, texts: Mapping[str, Sentences], max_length: int, *, types: bool
) -> WordSequences:
    """Encode sentences by language, in this order, with the tokenizer's own special tokens.

    The words of a sentence are joined by spaces, as the tokenizer saw text in pretraining, and a
    sub-token belongs to the word in which it begins; a word in which none does gets the unknown
    one.

    Args:
        encoder: the tokenizer.
        texts: language to sentences, none of them without words.
        max_length: longest sequence in tokens.
        types: whether the model reads token type ids.

    Raises:
        UserError: the tokenizer does not tell where its tokens come from.
    """
    tokenizer = encoder.tokenizer
    if not tokenizer.is_fast:
        raise UserError(
            "tagging needs a fast tokenizer, which tells where its tokens come from; save the "
            "model with one (tokenizer.json)."
        )
    ids: list[NDArray[np.int32]] = []
    type_ids: list[NDArray[np.int32]] = []
    all_words: list[NDArray[np.int64]] = []
    all_places: list[NDArray[np.int64]] = []
    first = 0
    for language, sentences in texts.items():
        encoder.tell_language(language)
        before, behind, kinds = _frame(tokenizer)
        room = max_length - len(before) - len(behind)
        parts, _, words, places = cut(_tokens(encoder, sentences), room, before=len(before))
        ids += [np.concatenate([before, part, behind]) for part in parts]
        type_ids += [np.repeat(kinds, [len(before), len(part), len(behind)]) for part in parts]
        all_words += [numbers + first for numbers in words]
        all_places += places
        first += sum(map(len, sentences))
    left = tokenizer.padding_side == "left"
    encoded = EncodedTexts(ids, type_ids if types else None, tokenizer.pad_token_id, left)
    return WordSequences(encoded, all_words, all_places, left)


def _frame(
    tokenizer: Any,  # noqa: ANN401 - their class
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Return the special tokens before and behind a text, and the types of all three parts."""
    whole = tokenizer(_PROBE, return_special_tokens_mask=True, return_token_type_ids=True)
    ids = np.array(whole["input_ids"], np.int32)
    inner = np.flatnonzero(np.array(whole["special_tokens_mask"]) == 0)
    if not len(inner):  # what the probe became counts as special
        inner = np.array([len(ids) // 2])
    start, end = int(inner[0]), int(inner[-1]) + 1
    types = [int(whole[_TYPES][place]) for place in (0, start, -1)]
    return ids[:start], ids[end:], np.array(types, np.int32)


def _tokens(encoder: TextEncoder, sentences: Sentences) -> list[WordTokens]:
    """Return the sub-tokens of each sentence, by word."""
    if not sentences:
        return []
    rows = [encoder.plain(words) for words in sentences]
    encoded = encoder.tokenizer(
        [" ".join(words) for words in rows],
        add_special_tokens=False,
        return_offsets_mapping=True,
        verbose=False,
    )
    unknown = encoder.tokenizer.unk_token_id
    unknown = encoder.tokenizer.pad_token_id if unknown is None else unknown
    made = []
    for words, ids, spans in zip(
        rows, encoded["input_ids"], encoded["offset_mapping"], strict=True
    ):
        parts: list[list[int]] = [[] for _ in words]
        for token, word in zip(ids, _owners(words, spans), strict=True):
            parts[word].append(token)
        made.append(WordTokens.join([np.array(part, np.int32) for part in parts], unknown))
    return made


def _owners(words: Sequence[str], spans: Sequence[tuple[int, int]]) -> Iterator[int]:
    """Yield the number of the word in which each token begins, given spans in the joined text."""
    starts = list(accumulate((len(word) + 1 for word in words[:-1]), initial=0))
    for begin, end in spans:
        word = bisect_right(starts, begin) - 1
        # A space that a token begins with belongs to the word behind it.
        at_space = end > begin and begin == starts[word] + len(words[word])
        yield min(word + at_space, len(words) - 1)
