"""Words of two sentences that are translations: from similarities to pairs, and how good they are.

- `argmax`: pairs of tokens of which each is the other's nearest, and `itermax`, which goes on with
  the tokens that have found nothing yet (Jalili Sabet et al. 2020, "SimAlign", algorithm 1);
- `softmax`: pairs that are likely in both directions, by a softmax over each row and each column
  of dot products (Dou & Neubig 2021, "Word alignment by fine-tuning embeddings on parallel
  corpora").

All of them pair tokens; two words are aligned where any of their tokens are.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.core.streams import input_lines

AlignmentMethod = Literal["argmax", "itermax", "softmax"]
Pairs = list[tuple[int, int]]
"""Numbers of a source word and of a target word, from 0, ascending."""

_ROUNDS = 2  # of itermax
_DISCOUNT = 0.9  # of a similarity whose row or column has found something
_THRESHOLD = 1e-3  # of a probability in either direction
_PAIR = re.compile(r"(\d+)([-p?])(\d+)")


def aligned_tokens(similarity_ST: NDArray[np.floating], method: AlignmentMethod) -> Pairs:
    """Return which tokens are aligned.

    Args:
        similarity_ST: of source tokens (rows) and target tokens: cosines; for `softmax`, dot
            products.
        method: how pairs are chosen.
    """
    if 0 in similarity_ST.shape:
        return []
    if method == "softmax":
        powers = np.exp(similarity_ST - similarity_ST.max(axis=1, keepdims=True))
        backward = np.exp(similarity_ST - similarity_ST.max(axis=0, keepdims=True))
        forth = powers / powers.sum(axis=1, keepdims=True)
        back = backward / backward.sum(axis=0, keepdims=True)
        found = (forth > _THRESHOLD) & (back > _THRESHOLD)
    else:
        found = _mutual(similarity_ST)
        for _ in range(_ROUNDS - 1 if method == "itermax" else 0):
            rows = found.any(axis=1, keepdims=True)
            columns = found.any(axis=0, keepdims=True)
            weights = np.where(rows & columns, 0.0, np.where(rows | columns, _DISCOUNT, 1.0))
            # Cosines may be negative, and what is forbidden must not win then.
            found |= _mutual((similarity_ST + 1) / 2 * weights) & (weights > 0)
    return [(int(i), int(j)) for i, j in np.argwhere(found)]


def _mutual(similarity_ST: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return where a value is the largest of its row and of its column."""
    rows = np.arange(similarity_ST.shape[0])
    best = similarity_ST.argmax(axis=1)
    found = np.zeros(similarity_ST.shape, bool)
    mutual = similarity_ST.argmax(axis=0)[best] == rows
    found[rows[mutual], best[mutual]] = True
    return found


def aligned_words(
    tokens: Iterable[tuple[int, int]], source: Sequence[int], target: Sequence[int]
) -> Pairs:
    """Return the pairs of words of which any tokens are aligned.

    Args:
        tokens: the aligned tokens.
        source: the number of each source token's word.
        target: of each target token's.
    """
    return sorted({(source[i], target[j]) for i, j in tokens})


def to_pharaoh(pairs: Iterable[tuple[int, int]]) -> str:
    """Return pairs as `0-0 1-2`."""
    return " ".join(f"{i}-{j}" for i, j in pairs)


@dataclass(frozen=True, slots=True)
class Gold:
    """The alignment of two sentences by people.

    Attributes:
        sure: pairs that must be found.
        possible: pairs that may be found, the sure ones among them.
    """

    sure: frozenset[tuple[int, int]]
    possible: frozenset[tuple[int, int]]


def read_gold(path: Path, *, first: int = 0) -> list[Gold]:
    """Read alignments, a line for each pair of sentences: `0-0 1p2`, p or ? for a possible pair.

    Args:
        path: the file.
        first: the number of the first word in it, 0 or 1.

    Raises:
        UserError: a line has something else.
    """
    made = []
    with input_lines(path) as lines:
        for number, line in enumerate(lines, start=1):
            sure, possible = set(), set()
            for item in line.split():
                match = _PAIR.fullmatch(item)
                pair = (int(match[1]) - first, int(match[3]) - first) if match else (-1, -1)
                if match is None or min(pair) < 0:
                    raise UserError(
                        f"{path}, line {number}: {item!r} is no pair of words; write 0-0, or 0p0 "
                        "for one that is only possible, counted from 0 (--from-one: from 1)."
                    )
                possible.add(pair)
                if match[2] == "-":
                    sure.add(pair)
            made.append(Gold(frozenset(sure), frozenset(possible)))
    return made


@dataclass(frozen=True, slots=True)
class AlignmentQuality:
    """How near alignments are to those by people.

    Och & Ney 2003, "A systematic comparison of various statistical alignment models": with A the
    found pairs, S the sure ones and P the possible ones, precision is |A ∩ P| / |A|, recall
    |A ∩ S| / |S|, and the alignment error rate 1 - (|A ∩ S| + |A ∩ P|) / (|A| + |S|).

    Attributes:
        precision: share of the found pairs that are possible.
        recall: share of the sure pairs that were found.
        error_rate: from 0, the best.
    """

    precision: float
    recall: float
    error_rate: float


def alignment_quality(
    found: Sequence[Collection[tuple[int, int]]], gold: Sequence[Gold]
) -> AlignmentQuality:
    """Compare alignments with those by people, over all sentences together.

    Raises:
        UserError: there are not as many of them, or the gold ones are empty.
    """
    if len(found) != len(gold):
        raise UserError(f"There are {len(found)} pairs of sentences but {len(gold)} gold lines.")
    n_found = sum(map(len, found))
    n_sure = sum(len(one.sure) for one in gold)
    if n_sure == 0:
        raise UserError("The gold alignments have no sure pair (0-0), so nothing can be measured.")
    in_sure = sum(len(one.sure & set(pairs)) for pairs, one in zip(found, gold, strict=True))
    in_possible = sum(
        len(one.possible & set(pairs)) for pairs, one in zip(found, gold, strict=True)
    )
    return AlignmentQuality(
        in_possible / max(1, n_found),
        in_sure / n_sure,
        1 - (in_sure + in_possible) / (n_found + n_sure),
    )
