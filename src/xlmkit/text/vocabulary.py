"""The vocabulary: symbols and their ids."""

from collections.abc import Iterable, Iterator, Mapping

from xlmkit.core.errors import UserError

BOS, EOS, PAD, UNK = 0, 1, 2, 3
MASK = 5
SPECIAL_TOKENS = ("<s>", "</s>", "<pad>", "<unk>", *(f"<special{i}>" for i in range(10)))
"""Ids 0 to 13, the same in every vocabulary of XLM."""


def ids_of_no_word(known: int, rows: int) -> list[int]:
    """Return the ids that stand for nothing in a text: all special ones but `</s>` and `<pad>`.

    Args:
        known: size of the vocabulary.
        rows: of the model's table of words, which may have more.
    """
    specials = (index for index in range(len(SPECIAL_TOKENS)) if index not in (EOS, PAD))
    return [*specials, *range(known, rows)]


class Vocabulary:
    """Symbols and their ids, the special tokens first.

    Attributes:
        symbols: every symbol; the place is the id.
    """

    def __init__(self, symbols: Iterable[str]) -> None:
        """Take the symbols in the order of their ids, special tokens included.

        Raises:
            UserError: the special tokens are not in their places, or a symbol occurs twice.
        """
        self.symbols = tuple(symbols)
        if self.symbols[: len(SPECIAL_TOKENS)] != SPECIAL_TOKENS:
            raise UserError(
                "The vocabulary does not begin with <s>, </s>, <pad>, <unk>, <special0> to "
                "<special9>, so it is not one of XLM."
            )
        self.ids: Mapping[str, int] = {symbol: i for i, symbol in enumerate(self.symbols)}
        if len(self.ids) != len(self.symbols):
            twice = next(s for i, s in enumerate(self.symbols) if self.ids[s] != i)
            raise UserError(f"The vocabulary holds the symbol {twice!r} twice.")

    @classmethod
    def from_counts(cls, counts: Mapping[str, int | float]) -> "Vocabulary":
        """Order symbols by their count, the highest first, and equal ones by their characters."""
        ordered = sorted(counts, key=lambda symbol: (-counts[symbol], symbol))
        return cls([*SPECIAL_TOKENS, *(s for s in ordered if s not in SPECIAL_TOKENS)])

    def __len__(self) -> int:
        """Return the number of symbols, special tokens included."""
        return len(self.symbols)

    def __contains__(self, symbol: object) -> bool:
        """Tell whether the symbol has an id."""
        return symbol in self.ids

    def __iter__(self) -> Iterator[str]:
        """Iterate over symbols in the order of their ids."""
        return iter(self.symbols)

    def id(self, symbol: str) -> int:
        """Return the id of a symbol, that of `<unk>` if it has none."""
        return self.ids.get(symbol, UNK)

    def symbol(self, index: int) -> str:
        """Return the symbol of an id, `<unk>` if there is none."""
        return self.symbols[index] if 0 <= index < len(self.symbols) else SPECIAL_TOKENS[UNK]
