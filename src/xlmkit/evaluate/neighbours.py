"""Nearest neighbours among vectors of length one, a block at a time, so that memory stays bounded.

Beside the cosine, two measures that take from it how near to everything the two vectors are, since
some vectors are neighbours of all others (hubs):

- margin (Artetxe & Schwenk 2019, "Margin-based parallel corpus mining", its ratio): the cosine over
  the mean of r(x) and r(y);
- CSLS (Conneau et al. 2018, "Word translation without parallel data"): twice the cosine, less r(x)
  and r(y);

where r is the mean cosine to the k nearest vectors of the other side.

Shapes: N queries, M candidates, E width, K neighbours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

Measure = Literal["cosine", "margin", "csls"]
Vectors = NDArray[np.float32]
Places = NDArray[np.int64]

_CELLS = 1 << 22  # cosines held at once: 16 MiB
_TILE = 4096  # candidates of a tile
_LEAST = 1e-6  # of a denominator: a margin to vectors that are near to nothing means nothing


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest candidates of every query, the nearest first.

    Attributes:
        cosines: (N, K), float32.
        places: numbers of the candidates, (N, K).
    """

    cosines: Vectors
    places: Places

    @property
    def means(self) -> Vectors:
        """How near a query is to the other side, (N,)."""
        result: Vectors = self.cosines.mean(axis=1)
        return result


def nearest(queries_NE: Vectors, candidates_ME: Vectors, k: int) -> Nearest:
    """Return the `k` nearest candidates of every query; fewer where there are fewer.

    Both sides are read in tiles, so that they may be maps of files.

    Args:
        queries_NE: of length one, (N, E).
        candidates_ME: of length one, (M, E), at least one.
        k: how many, at least one.
    """
    k = min(k, len(candidates_ME))
    cosines = np.full((len(queries_NE), k), -np.inf, np.float32)
    places = np.zeros((len(queries_NE), k), np.int64)
    for rows in _parts(len(queries_NE), _CELLS // _TILE):
        block_BE = np.asarray(queries_NE[rows])
        for columns in _parts(len(candidates_ME), _TILE):
            found = _nearest_of(block_BE @ np.asarray(candidates_ME[columns]).T, k)
            best = np.concatenate([cosines[rows], found.cosines], axis=1)
            numbers = np.concatenate([places[rows], found.places + columns.start], axis=1)
            order = np.argsort(-best, axis=1, kind="stable")[:, :k]
            cosines[rows] = np.take_along_axis(best, order, 1)
            places[rows] = np.take_along_axis(numbers, order, 1)
    return Nearest(cosines, places)


def _nearest_of(cosines_BM: Vectors, k: int) -> Nearest:
    """Return the best `k` of each row, in order; overwrites what it is given.

    A few searches for the greatest value are several times faster than one partial sort.
    """
    k = min(k, cosines_BM.shape[1])
    rows = np.arange(len(cosines_BM))
    places = np.zeros((len(rows), k), np.int64)
    cosines = np.zeros((len(rows), k), np.float32)
    for rank in range(k):
        places[:, rank] = found = cosines_BM.argmax(axis=1)
        cosines[:, rank] = cosines_BM[rows, found]
        cosines_BM[rows, found] = -np.inf
    return Nearest(cosines, places)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the vectors of two sides are compared.

    Attributes:
        measure: see the module.
        queries: r of the queries, (N,); None with the cosine.
        candidates: r of the candidates, (M,); None with the cosine.
    """

    measure: Measure
    queries: Vectors | None = None
    candidates: Vectors | None = None

    @classmethod
    def of(cls, queries_NE: Vectors, candidates_ME: Vectors, measure: Measure, k: int) -> Self:
        """Measure how near the two sides are to each other."""
        if measure == "cosine":
            return cls(measure)
        return cls(
            measure,
            nearest(queries_NE, candidates_ME, k).means,
            nearest(candidates_ME, queries_NE, k).means,
        )

    @property
    def turned(self) -> "Comparison":
        """The same where queries and candidates change places."""
        return Comparison(self.measure, self.candidates, self.queries)

    def scores(
        self, queries_NE: Vectors, candidates_ME: Vectors
    ) -> Iterator[tuple[slice, Vectors]]:
        """Yield the scores of all candidates for a part of the queries: its place, (B, M)."""
        for rows in _parts(len(queries_NE), max(1, _CELLS // len(candidates_ME))):
            cosines = queries_NE[rows] @ candidates_ME.T
            if self.queries is None or self.candidates is None:
                yield rows, cosines
            else:
                yield (
                    rows,
                    adjusted(
                        cosines, self.queries[rows, None], self.candidates[None], self.measure
                    ),
                )


def adjusted(cosines: Vectors, of_query: Vectors, of_candidate: Vectors, how: Measure) -> Vectors:
    """Return scores by a measure, given r of both sides; all shapes broadcast."""
    if how == "csls":
        return 2 * cosines - of_query - of_candidate
    if how == "margin":
        nearness = np.maximum((of_query + of_candidate) / 2, _LEAST)
        return (cosines / nearness).astype(np.float32, copy=False)
    return cosines


def _parts(n: int, size: int) -> Iterator[slice]:
    """Yield the slices of `n` items, `size` at a time."""
    for start in range(0, n, size):
        yield slice(start, min(n, start + size))
