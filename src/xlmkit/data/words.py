"""Sentences of given words as a model reads them: sub-tokens in windows, each word judged once.

A word is judged by its first sub-token, as in Devlin et al. 2019, section 5.3. A sentence that is
longer than the model reads is cut into windows that overlap by half, and a word is judged in that
window in which it sees most on its poorer side.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.batch import SegmentRows, Sequences
from xlmkit.data.text_windows import starts
from xlmkit.text.tokenizer import Tokenizer

Sentences = Sequence[Sequence[str]]
"""Sentences as lists of their words."""


@dataclass(frozen=True, slots=True)
class WordTokens:
    """The sub-tokens of a sentence.

    Attributes:
        ids: all of them, without special tokens.
        firsts: the place of each word's first one, ascending.
    """

    ids: NDArray[np.int32]
    firsts: NDArray[np.int64]

    @classmethod
    def join(cls, words: Sequence[NDArray[np.int32]], unknown: int) -> "WordTokens":
        """Put words one after the other; one without any sub-token gets the unknown one."""
        whole = [ids if len(ids) else np.array([unknown], np.int32) for ids in words]
        lengths = np.array([len(ids) for ids in whole], np.int64)
        return cls(np.concatenate([np.empty(0, np.int32), *whole]), np.cumsum(lengths) - lengths)


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a sentence: sub-tokens `start` up to `end`, and the words judged in it."""

    start: int
    end: int
    words: NDArray[np.int64]


def windows(tokens: WordTokens, room: int) -> Iterator[Window]:
    """Yield the windows of a sentence; one without words to judge is left out.

    Args:
        tokens: of the sentence.
        room: the most sub-tokens of a window.
    """
    total = len(tokens.ids)
    if total <= room:
        yield Window(0, total, np.arange(len(tokens.firsts)))
        return
    starts_W = np.array(starts(total, room, room // 2))
    before_WN = tokens.firsts[None, :] - starts_W[:, None]
    behind_WN = room - 1 - before_WN
    inside_WN = (before_WN >= 0) & (behind_WN >= 0)
    # Where the sentence itself begins or ends, nothing is missing on that side.
    left_WN = np.where(starts_W[:, None] == 0, total, before_WN)
    right_WN = np.where(starts_W[:, None] == total - room, total, behind_WN)
    seen_WN = np.where(inside_WN, np.minimum(left_WN, right_WN), -1)
    chosen_N = seen_WN.argmax(axis=0)
    for number, start in enumerate(starts_W.tolist()):
        words = np.flatnonzero(chosen_N == number)
        if len(words):
            yield Window(start, start + room, words)


@dataclass(frozen=True)
class WordSequences:
    """Windows of sentences, and where in them words are judged.

    Attributes:
        sequences: what a model reads.
        words: of each sequence the numbers of the words judged in it, counted over all sentences.
        places: of each sequence their first sub-tokens, counted over what the model reads.
        left: whether padding stands on the left.
    """

    sequences: Sequences
    words: Sequence[NDArray[np.int64]]
    places: Sequence[NDArray[np.int64]]
    left: bool = False

    def flat_places(self, items: Sequence[int]) -> NDArray[np.int64]:
        """Return where the words of a batch are judged in its flattened (B * L) positions, (N,)."""
        lengths = self.sequences.lengths[list(items)].astype(np.int64)
        longest = int(lengths.max())
        shifts = np.arange(len(items)) * longest + (longest - lengths if self.left else 0)
        places = [self.places[item] + shift for item, shift in zip(items, shifts, strict=True)]
        return np.concatenate(places)

    def numbers(self, items: Sequence[int]) -> NDArray[np.int64]:
        """Return the numbers of the words of a batch, in the order of `flat_places`, (N,)."""
        return np.concatenate([self.words[item] for item in items])


def cut(
    sentences: Sequence[WordTokens], room: int, before: int
) -> tuple[list[NDArray[np.int32]], list[int], list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """Cut sentences into windows.

    Args:
        sentences: any number.
        room: the most sub-tokens of a window.
        before: special tokens that will stand before each window.

    Returns:
        Of each window: its sub-tokens, its sentence, and `words` and `places` of `WordSequences`.
    """
    ids, owners, words, places = [], [], [], []
    first = 0
    for number, tokens in enumerate(sentences):
        for window in windows(tokens, room):
            ids.append(tokens.ids[window.start : window.end])
            owners.append(number)
            words.append(window.words + first)
            places.append(tokens.firsts[window.words] - window.start + before)
        first += len(tokens.firsts)
    return ids, owners, words, places


def encode_words(
    texts: Mapping[str, Sentences], tokenizer: Tokenizer, max_length: int
) -> WordSequences:
    """Encode sentences by language, in this order, as xlmkit's own models read them.

    Every word is split and folded by itself, by the rules of its language, so that its boundaries
    stay; a word that Moses' rules or a segmenter part is still one word.

    Args:
        texts: language to sentences, none of them without words.
        tokenizer: of the model.
        max_length: longest sequence in tokens.
    """
    sentences: list[WordTokens] = []
    codes: list[int] = []
    for language, part in texts.items():
        known = list(dict.fromkeys(word for words in part for word in words))
        ids = dict(zip(known, tokenizer.encode_batch(known, language), strict=True))
        sentences += [WordTokens.join([ids[w] for w in words], tokenizer.unk) for words in part]
        codes += [tokenizer.lang2id[language]] * len(part)
    ids_of, owners, words, places = cut(sentences, max_length - 2, before=1)
    rows = [((part, codes[owner]),) for part, owner in zip(ids_of, owners, strict=True)]
    return WordSequences(SegmentRows(rows, max_length), words, places)
