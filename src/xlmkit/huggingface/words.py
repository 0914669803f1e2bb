"""Sentences of given words as models of other families read them, by their fast tokenizers."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.data.words import Sentences, WordSequences, WordTokens, cut
from xlmkit.huggingface.frames import Frame
from xlmkit.huggingface.sequences import EncodedTexts, TextEncoder


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
        frame = Frame.of(tokenizer)
        room, before = max_length - frame.size, len(frame.special[0])
        parts, _, words, places = cut(word_tokens(encoder, sentences), room, before=before)
        rows = [frame.around([part]) for part in parts]
        ids += [row for row, _ in rows]
        type_ids += [types_of for _, types_of in rows]
        all_words += [numbers + first for numbers in words]
        all_places += places
        first += sum(map(len, sentences))
    left = tokenizer.padding_side == "left"
    encoded = EncodedTexts(ids, type_ids if types else None, tokenizer.pad_token_id, left)
    return WordSequences(encoded, all_words, all_places, left)


def word_tokens(encoder: TextEncoder, sentences: Sentences) -> list[WordTokens]:
    """Return the sub-tokens of each sentence, by word; the tokenizer is a fast one."""
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
