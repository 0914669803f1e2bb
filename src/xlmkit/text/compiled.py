"""The compiled part: ids of texts, counts of words and merges, the same several times sooner.

It is built where a C++ compiler is at hand when xlmkit is installed, and nothing else depends on
it. It cuts texts and remembers pieces; of new pieces it splits the usual ones by itself and asks
Python's rules for all others. What it knows of characters it asks of Python too, so that both can
only agree. The environment variable XLMKIT_COMPILED=0 turns it off.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.native_sources import WANTED, is_built_from
from xlmkit.text.bpe import END_OF_WORD, Merges
from xlmkit.text.cuts import DIGIT_FOLLOWS, SMALL_FOLLOWS, STOPS, Cutter, may_be_cut
from xlmkit.text.moses import MosesRules, moses_words
from xlmkit.text.normalize import prints
from xlmkit.text.pieces import LONGEST_PIECE, MAXIMUM_PIECES, Flat, Ids, SplitText

try:
    from xlmkit.text import _native  # type: ignore[attr-defined]
except ImportError:
    native: Any = None
else:
    _folder = Path(__file__).parent / "native"
    native = _native if is_built_from(_folder, getattr(_native, "SOURCES", None)) else None

_wanted = WANTED

Fold = Callable[[str], list[str]]

(
    _, UNCUTTABLE, BEGINS_BADLY, ENDS_BADLY, FULL_STOP, SMALL, DIGIT, WORD, BY_ITSELF, QUOTE,
    COMMA, STOP, APOSTROPHE, NUMBER, LETTER, VANISHES, SEPARATES,
    EXPANDS,
) = (1 << bit for bit in range(18))  # fmt: skip
"""Traits of characters, as in native/characters.h."""

_KINDS = {
    ",": COMMA,
    ".": STOP,
    "'": APOSTROPHE,
    "’": APOSTROPHE,
    "-": WORD,
    "–": WORD,
    " ": SEPARATES,
    "\u00a0": SEPARATES,
}

_EXPANSIONS = ("...", " - ")
"""What some characters stand for, such as an ellipsis and a dash, wherever they are."""


def available() -> bool:
    """Tell whether the compiled part was built."""
    return native is not None


def in_use() -> bool:
    """Tell whether encoders that are made now use the compiled part."""
    return _wanted and native is not None


@contextmanager
def using(wanted: bool) -> Iterator[None]:
    """Use the compiled part inside the block, or not; for tests and benchmarks."""
    global _wanted
    before, _wanted = _wanted, wanted
    try:
        yield
    finally:
        _wanted = before


class CompiledPairs:
    """The merges and ids of an encoder, as the compiled part takes them."""

    def __init__(self, merges: Merges, ids: Mapping[str, int], unknown: int) -> None:
        """Number all symbols."""
        pairs = merges.pairs
        names = dict.fromkeys([*ids, *(name for a, b in pairs for name in (a, b, a + b))])
        numbers = {name: number for number, name in enumerate(names)}
        ends = {name.removesuffix(END_OF_WORD) for name in names if name.endswith(END_OF_WORD)}
        letters = sorted({name for name in chain(names, ends) if len(name) == 1})
        self.table = native.BytePairs(
            _numbers(ids.get(name, unknown) for name in names),
            _numbers(numbers[name] for a, b in pairs for name in (a, b, a + b)),
            _numbers(
                number
                for c in letters
                for number in (ord(c), numbers.get(c, -1), numbers.get(c + END_OF_WORD, -1))
            ),
            unknown,
        )

    def encode(
        self, codes: NDArray[np.uint32], lengths: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the ids of words, end to end, and how many each has.

        Args:
            codes: (C,) the characters of all words, end to end.
            lengths: (W,) how many each word has.
        """
        ids, lengths = self.table.encode(codes, lengths)
        return np.frombuffer(ids, np.int32), np.frombuffer(lengths, np.int32)


def learn_merges(
    alphabet: Sequence[str],
    symbols: NDArray[np.integer],
    lengths: NDArray[np.integer],
    counts: NDArray[np.integer],
    vocabulary_size: int,
    minimum: int,
) -> list[tuple[str, str]]:
    """Learn merges, as the trainer of `tokenizers` does.

    Args:
        alphabet: the symbols that words begin as.
        symbols: (S,) their numbers in all words, end to end.
        lengths: (W,) how many each word has.
        counts: (W,) how often it occurs.
        vocabulary_size: the most symbols there may be.
        minimum: a pair that is rarer is not merged.
    """
    merged = native.learn_merges(
        alphabet, symbols.astype(np.int32).tobytes(), lengths.astype(np.int32).tobytes(),
        counts.astype(np.int64).tobytes(), vocabulary_size, minimum,
    )  # fmt: skip
    names = list(alphabet)
    pairs: dict[tuple[str, str], None] = {}
    for left, right, result in np.frombuffer(merged, np.int32).reshape(-1, 3).tolist():
        pair = names[left], names[right]
        pairs.pop(pair, None)  # of a pair that is merged twice, the later place counts
        pairs[pair] = None
        if result == len(names):
            names.append(names[left] + names[right])
    return list(pairs)


def read_lines(lines: bytes) -> tuple[int, dict[str, tuple[bytes, list[str]]], list[str]] | None:
    """Take lines of a corpus apart.

    Returns:
        How many records there are; language -> the numbers of its records from 0, as 64-bit
        integers, and their texts; the source of each record. None where a line is not just as
        `xlmkit.data.records` writes it.
    """
    read: tuple[int, dict[str, tuple[bytes, list[str]]], list[str]] | None
    read = native.read_lines(lines)
    return read


def _numbers(numbers: Iterable[int]) -> bytes:
    return np.fromiter(numbers, dtype=np.int32).tobytes()


class CompiledPieces:
    """Encodes the texts of a language, as `PieceEncoder` does."""

    def __init__(
        self, cuts: Cutter, rules: MosesRules, fold: Fold, split: SplitText, pairs: CompiledPairs
    ) -> None:
        """Start with nothing remembered.

        Args:
            cuts: where its texts may be cut.
            rules: its rules.
            fold: takes case and accents from a word.
            split: splits a whole text into words.
            pairs: the merges.
        """
        self._native = native.Pieces(
            *_splitting(cuts, rules, fold, split), pairs.table, MAXIMUM_PIECES, LONGEST_PIECE
        )

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """Return the ids of each text."""
        rows: list[Ids] = self._native.encode(texts)
        return rows

    def encode_flat(self, texts: Sequence[str]) -> Flat:
        """Return the ids of all texts."""
        ids, lengths = self._native.encode_flat(texts)
        return np.frombuffer(ids, np.int32), np.frombuffer(lengths, np.int32).astype(np.int64)

    def forget(self) -> None:
        """Forget all pieces."""
        self._native.forget()


class TextsNumberer(Protocol):
    """What numbers the words of the texts of one language."""

    def number(self, texts: Sequence[str], /) -> tuple[tuple[bytes, bytes, bytes], bytes, bytes]:
        """Return the columns of `NumberedWords`, those of its words together."""


def compiled_numberer(cuts: Cutter, rules: MosesRules, split: SplitText) -> TextsNumberer:
    """Return what numbers the words of a language, their case and accents untouched.

    Args:
        cuts: where its texts may be cut.
        rules: its rules.
        split: splits a whole text into words.
    """
    numberer: TextsNumberer = native.Words(
        *_splitting(cuts, rules, lambda word: [word], split), MAXIMUM_PIECES, LONGEST_PIECE
    )
    return numberer


def _splitting(cuts: Cutter, rules: MosesRules, fold: Fold, split: SplitText) -> tuple[object, ...]:
    """Return what the compiled part asks of Python to split texts into words."""

    def words_of_piece(piece: str) -> list[str]:
        return list(chain.from_iterable(map(fold, cuts.words(piece))))

    def words_of_text(text: str) -> list[str]:
        return list(chain.from_iterable(map(fold, split(text))))

    def describe(code: int) -> tuple[int, str]:
        character = chr(code)
        kind, folded = _kind(character, rules, fold)
        return kind | _cutting_traits(character, cuts), folded

    return (
        describe, words_of_piece, words_of_text, rules.apostrophes.value, rules.exchange.value,
        sorted(rules.prefixes), sorted(rules.numeric_prefixes),
    )  # fmt: skip


def _cutting_traits(character: str, cuts: Cutter) -> int:
    traits = {
        UNCUTTABLE: not may_be_cut(f"a{character}a"),
        BEGINS_BADLY: character in cuts.begins_badly,
        ENDS_BADLY: character in cuts.ends_badly,
        FULL_STOP: character in STOPS,
        SMALL: cuts.followers[character] == SMALL_FOLLOWS,
        DIGIT: cuts.followers[character] == DIGIT_FOLLOWS,
    }
    return sum(trait for trait, has in traits.items() if has)


def _kind(character: str, rules: MosesRules, fold: Fold) -> tuple[int, str]:
    """Return what the rules do with a character, 0 if it takes all of them, and what is left.

    Of a character that expands, that is what it stands for.
    """
    if (inside := rules.clean(f"a{character}a")[1:-1]) in _EXPANSIONS:
        return EXPANDS, inside
    kind, normal = _KINDS.get(character, 0), rules.clean(character)
    if rules.is_plain(character):
        kind, normal = WORD, character
        kind |= NUMBER * (character in rules.numbers) | LETTER * (character in rules.letters)
    elif not kind and len(normal) == 1 and not rules.is_plain(normal) and normal not in ".,'-":
        alone = moses_words(character, rules.language) == [normal]
        kind = QUOTE if normal == '"' else BY_ITSELF * alone
    elif not kind and not prints(character) and character != "\r":
        kind = VANISHES
    if kind & (VANISHES | SEPARATES):
        return kind, ""
    folded = "".join(fold(normal))
    if " " in folded or depends_on_neighbours(character):
        return 0, ""
    return kind, folded if kind else ""


def depends_on_neighbours(character: str) -> bool:
    """Tell whether lowering a word, or decomposing it, does more than so to each character."""
    decomposed = unicodedata.normalize("NFD", character.lower())
    moves = (c for c in decomposed if unicodedata.combining(c) and unicodedata.category(c) != "Mn")
    return character == "Σ" or any(moves)
