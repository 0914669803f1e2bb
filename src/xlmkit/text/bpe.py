"""Byte-pair encoding: merges, and applying them to words.

A word is a sequence of characters whose last one carries `</w>`; a merge joins two neighbouring
symbols (Sennrich et al. 2016). The Rust library `tokenizers` applies them; what it gives is made
equal to the reference algorithm (fastBPE, Hugging Face's XLM tokenizer), also in the rare cases
where the two orders of merging differ.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tokenizers import Tokenizer as RustTokenizer
from tokenizers import models

END_OF_WORD = "</w>"

_UNKNOWN = " "  # inside the Rust model: no symbol contains white space
_NO_CHARACTER = "\uffff"  # in no text
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Merges:
    """Merges in the order of their priority.

    Attributes:
        pairs: (left symbol, right symbol), the first is applied first.
        counts: how often each pair was seen when it was learned; empty if that is unknown. It plays
            no part in applying merges.
    """

    pairs: tuple[tuple[str, str], ...]
    counts: tuple[int, ...] = field(default=(), compare=False)

    def __len__(self) -> int:
        """Return the number of merges."""
        return len(self.pairs)

    def ranks(self) -> dict[tuple[str, str], int]:
        """Return pair -> priority; of a pair that occurs twice the later one, as elsewhere."""
        return {pair: rank for rank, pair in enumerate(self.pairs)}


def initial_symbols(word: str) -> list[str]:
    """Return the characters of a word, the last one with `</w>`."""
    return [*word[:-1], word[-1] + END_OF_WORD]


def apply_merges(word: str, ranks: Mapping[tuple[str, str], int]) -> list[str]:
    """Split one word into sub-words: the reference algorithm, in Python.

    While any neighbouring pair can merge, all occurrences of the pair with the lowest rank are
    joined, from left to right.
    """
    symbols = initial_symbols(word)
    while len(symbols) > 1:
        pairs = pairwise(symbols)
        best = min((pair for pair in pairs if pair in ranks), key=ranks.__getitem__, default=None)
        if best is None:
            break
        merged = []
        position = 0
        while position < len(symbols):
            if tuple(symbols[position : position + 2]) == best:
                merged.append(best[0] + best[1])
                position += 2
            else:
                merged.append(symbols[position])
                position += 1
        symbols = merged
    return symbols


class BytePairEncoder:
    """Applies merges to many words at once.

    Rust merges one occurrence at a time and looks again, the reference joins all occurrences of a
    pair first. The two differ only if joining one occurrence makes a pair of higher priority while
    another occurrence is still waiting: that needs a merge whose result an earlier merge consumes,
    and a word in which that result appears twice. Such words take the Python path.
    """

    def __init__(self, merges: Merges, vocabulary: Mapping[str, int], unknown: int) -> None:
        """Build the encoder.

        Args:
            merges: what to apply.
            vocabulary: symbol -> id.
            unknown: id of every piece that the vocabulary lacks.
        """
        self._ranks = merges.ranks()
        self._vocabulary = vocabulary
        self._unknown = unknown
        self._ambiguous = _ambiguous_results(self._ranks)
        pairs = sorted(self._ranks, key=self._ranks.__getitem__)
        names = dict.fromkeys([*vocabulary, *(name for a, b in pairs for name in (a, b, a + b))])
        inner = {name: index for index, name in enumerate([*names, _UNKNOWN])}
        # Rust's ids run without gaps, ours may not: translate, and send the rest to <unk>.
        self._outer = [vocabulary.get(name, unknown) for name in inner]
        self._rust = RustTokenizer(
            models.BPE(
                vocab=inner, merges=pairs, unk_token=_UNKNOWN, end_of_word_suffix=END_OF_WORD
            )
        )

    def encode(self, words: Sequence[str]) -> list[list[int]]:
        """Return the ids of each word (words are not empty)."""
        outer = self._outer.__getitem__
        encodings = self._rust.encode_batch_fast(_for_rust(words), add_special_tokens=False)
        result = [list(map(outer, encoding.ids)) for encoding in encodings]
        for index, word in enumerate(words):
            if self._needs_reference(word):
                result[index] = self._encode_by_reference(word)
        return result

    def pieces(self, words: Sequence[str]) -> list[list[str]]:
        """Return the sub-words of each word (words are not empty), the unknown ones too."""
        encodings = self._rust.encode_batch(_for_rust(words), add_special_tokens=False)
        result = []
        for word, encoding in zip(words, encodings, strict=True):
            if self._needs_reference(word):
                result.append(self._reference_pieces(word))
            else:
                pieces = [word[start:end] for start, end in encoding.offsets]
                pieces[-1] += END_OF_WORD
                result.append(pieces)
        return result

    def _needs_reference(self, word: str) -> bool:
        return " " in word or any(word.count(result) > 1 for result in self._ambiguous)

    def _encode_by_reference(self, word: str) -> list[int]:
        pieces = self._reference_pieces(word)
        return [self._vocabulary.get(piece, self._unknown) for piece in pieces]

    def _reference_pieces(self, word: str) -> list[str]:
        # Hugging Face joins the pieces by spaces and splits again, so that a space in a word
        # (pythainlp gives spaces as words) ends as pieces that no vocabulary has.
        return " ".join(apply_merges(word, self._ranks)).split(" ")


def _for_rust(words: Sequence[str]) -> list[str]:
    """Return words with a character that has no symbol for half surrogates, which Rust refuses."""
    return [_SURROGATES.sub(_NO_CHARACTER, word) for word in words]


def _ambiguous_results(ranks: Mapping[tuple[str, str], int]) -> list[str]:
    """Return the results of merges that a merge of higher priority consumes, see above."""
    first_use: dict[str, int] = {}
    for pair, rank in ranks.items():
        for part in pair:
            first_use[part] = min(rank, first_use.get(part, rank))
    results = {
        left + right
        for (left, right), rank in ranks.items()
        if first_use.get(left + right, rank) < rank
    }
    return sorted(result for result in results if not result.endswith(END_OF_WORD))
