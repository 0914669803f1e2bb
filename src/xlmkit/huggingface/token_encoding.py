"""What is known of each token of an encoded row, with the interface of `tokenizers.Encoding`.

`transformers.BatchEncoding` asks these objects for `word_ids`, `char_to_token` and the like. Real
`tokenizers.Encoding` objects can only be made by a Rust pipeline, which has no place for the rules
of Moses, for segmenters or for languages; and they would be paid for on every call. These are made
when they are first asked for anything but ids.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TokenColumns:
    """One value for each token, padding included.

    Attributes:
        tokens: how it is written.
        sequence_ids: the text that it came from, 0 or 1; None for special tokens and padding.
        word_ids: the word of that text, from 0, or None.
        offsets: the characters of that text, or of the word where words were given; or (0, 0).
        type_ids: the half of the sequence, 0 or 1.
        special_tokens_mask: 1 where special tokens and padding were put in.
        attention_mask: 0 at padding.
    """

    tokens: list[str]
    sequence_ids: list[int | None]
    word_ids: list[int | None]
    offsets: list[Span]
    type_ids: list[int]
    special_tokens_mask: list[int]
    attention_mask: list[int]


class TokenEncoding:
    """An encoded row; what `tokenizers.Encoding` offers for reading.

    Attributes:
        ids: the ids of the tokens, padding included.
        n_sequences: 2 for a pair, else 1.
    """

    def __init__(self, ids: list[int], n_sequences: int, make: Callable[[], TokenColumns]) -> None:
        """Take the ids, and what makes the rest when it is asked for."""
        self.ids = ids
        self.n_sequences = n_sequences
        self._make = make

    @cached_property
    def _columns(self) -> TokenColumns:
        return self._make()

    def __getstate__(self) -> dict[str, Any]:
        """Make everything, so that the copy stands alone, without the tokenizer."""
        return {"ids": self.ids, "n_sequences": self.n_sequences, "_columns": self._columns}

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.ids)

    @property
    def tokens(self) -> list[str]:
        """How each token is written."""
        return self._columns.tokens

    @property
    def sequence_ids(self) -> list[int | None]:
        """The text of each token, 0 or 1; None for special tokens and padding."""
        return self._columns.sequence_ids

    @property
    def word_ids(self) -> list[int | None]:
        """The word of each token in its text; None for special tokens and padding."""
        return self._columns.word_ids

    @property
    def offsets(self) -> list[Span]:
        """The characters of each token in its text; (0, 0) for special tokens and padding."""
        return self._columns.offsets

    @property
    def type_ids(self) -> list[int]:
        """The half of the sequence that each token stands in, 0 or 1."""
        return self._columns.type_ids

    @property
    def special_tokens_mask(self) -> list[int]:
        """1 for each special token that was put in, and for padding."""
        return self._columns.special_tokens_mask

    @property
    def attention_mask(self) -> list[int]:
        """0 for each padding token."""
        return self._columns.attention_mask

    def token_to_sequence(self, token_index: int) -> int | None:
        """Return the text that a token is of."""
        return self.sequence_ids[token_index]

    def token_to_word(self, token_index: int) -> int | None:
        """Return the word that a token is of."""
        return self.word_ids[token_index]

    def token_to_chars(self, token_index: int) -> Span | None:
        """Return the characters of a token in its text, None where it has none."""
        return None if self.sequence_ids[token_index] is None else self.offsets[token_index]

    def char_to_token(self, char_pos: int, sequence_index: int = 0) -> int | None:
        """Return the first token that a character of a text became part of."""
        for index in self._tokens_of(sequence_index):
            start, end = self.offsets[index]
            if start <= char_pos < end:
                return index
        return None

    def char_to_word(self, char_pos: int, sequence_index: int = 0) -> int | None:
        """Return the word that a character of a text became part of."""
        token = self.char_to_token(char_pos, sequence_index)
        return None if token is None else self.word_ids[token]

    def word_to_tokens(self, word_index: int, sequence_index: int = 0) -> Span | None:
        """Return the tokens of a word: the first, and the one behind the last."""
        tokens = self._tokens_of(sequence_index)
        found = [index for index in tokens if self.word_ids[index] == word_index]
        return (found[0], found[-1] + 1) if found else None

    def word_to_chars(self, word_index: int, sequence_index: int = 0) -> Span | None:
        """Return the characters of a word in its text."""
        tokens = self.word_to_tokens(word_index, sequence_index)
        if tokens is None:
            return None
        return self.offsets[tokens[0]][0], self.offsets[tokens[1] - 1][1]

    def _tokens_of(self, sequence_index: int) -> list[int]:
        return [i for i, sequence in enumerate(self.sequence_ids) if sequence == sequence_index]
