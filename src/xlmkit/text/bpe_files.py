"""The files that merges and vocabularies live in: the original's, and Hugging Face's.

The original (fastBPE): `codes`, a line `left right</w> count` for each merge, and `vocab`, a line
`piece count` for each symbol, where a piece inside a word is written `th@@` and one that ends a
word plainly. Hugging Face: `merges.txt`, a line `left right</w>` for each merge, and `vocab.json`.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.core.files import atomic_write, open_lines, read_json
from xlmkit.text.bpe import END_OF_WORD, Merges
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

_CONTINUES = "@@"


def read_codes(path: Path) -> Merges:
    """Read the original's `codes` file.

    Raises:
        UserError: a line is not two symbols and a count.
    """
    pairs = []
    counts = []
    for number, line in open_lines(path):
        match line.split(" "):
            case [left, right, count] if left and right and count.isdecimal():
                pairs.append((left, right))
                counts.append(int(count))
            case _:
                raise UserError(
                    f"{path}, line {number}: 'left right count' is expected, not {line!r}."
                )
    return Merges(tuple(pairs), tuple(counts))


def write_codes(path: Path, merges: Merges) -> None:
    """Write the original's `codes` file; unknown counts become 0 (fastBPE ignores them)."""
    counts = merges.counts or (0,) * len(merges)
    with atomic_write(path) as stream:
        for (left, right), count in zip(merges.pairs, counts, strict=True):
            stream.write(f"{left} {right} {count}\n")


def read_vocabulary_file(path: Path) -> tuple[Vocabulary, dict[str, int]]:
    """Read the original's `vocab` file.

    Returns:
        The vocabulary in the file's order, and symbol -> count.

    Raises:
        UserError: a line is not a piece and a count, or a piece occurs twice.
    """
    counts: dict[str, int] = {}
    for number, line in open_lines(path):
        piece, _, count = line.rpartition(" ")
        if not piece or not count.isdecimal():
            raise UserError(f"{path}, line {number}: 'piece count' is expected, not {line!r}.")
        inside = piece.endswith(_CONTINUES) and piece != _CONTINUES
        symbol = piece.removesuffix(_CONTINUES) if inside else piece + END_OF_WORD
        if symbol in counts:
            raise UserError(f"{path}, line {number}: the piece {piece!r} occurs twice.")
        counts[symbol] = int(count)
    return Vocabulary([*SPECIAL_TOKENS, *counts]), counts


def write_vocabulary_file(
    path: Path, vocabulary: Vocabulary, counts: Mapping[str, int] | None = None
) -> None:
    """Write the original's `vocab` file (no special tokens); unknown counts become 0."""
    known = counts or {}
    with atomic_write(path) as stream:
        for symbol in vocabulary.symbols[len(SPECIAL_TOKENS) :]:
            ends = symbol.endswith(END_OF_WORD)
            piece = symbol.removesuffix(END_OF_WORD) if ends else symbol + _CONTINUES
            stream.write(f"{piece} {known.get(symbol, 0)}\n")


def read_merges(path: Path) -> Merges:
    """Read Hugging Face's `merges.txt` (what stands behind the two symbols of a line is ignored).

    Raises:
        UserError: a line has fewer than two symbols.
    """
    pairs: list[tuple[str, str]] = []
    if path.is_file() and path.stat().st_size == 0:  # characters only
        return Merges(())
    for number, line in open_lines(path):
        if number == 1 and line.startswith("#version"):
            continue
        match line.split():
            case [left, right, *_]:
                pairs.append((left, right))
            case _:
                raise UserError(f"{path}, line {number}: 'left right' is expected, not {line!r}.")
    return Merges(tuple(pairs))


def write_merges(path: Path, merges: Merges) -> None:
    """Write Hugging Face's `merges.txt`."""
    with atomic_write(path) as stream:
        stream.writelines(f"{left} {right}\n" for left, right in merges.pairs)


def read_vocabulary_json(path: Path) -> Vocabulary:
    """Read Hugging Face's `vocab.json`.

    Raises:
        UserError: the file is no mapping of symbols to the ids 0, 1, 2 and so on.
    """
    ids = read_json(path)
    if not isinstance(ids, dict) or sorted(ids.values()) != list(range(len(ids))):
        raise UserError(f"{path} does not map symbols to the ids 0, 1, 2 and so on.")
    return Vocabulary(sorted(ids, key=ids.__getitem__))


def write_vocabulary_json(path: Path, vocabulary: Vocabulary) -> None:
    """Write Hugging Face's `vocab.json`, in the order of ids."""
    with atomic_write(path) as stream:
        json.dump(dict(vocabulary.ids), stream, ensure_ascii=False, indent=0)
        stream.write("\n")
