"""Mining: which sentences of two texts that are not aligned are translations of each other?

Every sentence proposes its best partner by margin among its nearest; proposals are taken from the
best on, each sentence once ("max" of Artetxe & Schwenk 2019, "Margin-based parallel corpus
mining"). Memory holds the nearest neighbours of each sentence; vectors may be maps of files.

Shapes: N and M sentences, E width, P pairs.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlmkit.core.files import explained_disk_errors
from xlmkit.core.progress import progress
from xlmkit.evaluate.neighbours import Places, Vectors, adjusted, nearest
from xlmkit.evaluate.spaces import of_length_one, whitening

_ROWS = 8192  # brought into one space at a time


@dataclass(frozen=True, slots=True)
class Pairs:
    """Proposed translations, the best first; every sentence stands in at most one.

    Attributes:
        first: numbers of sentences of the one text, (P,).
        second: numbers of sentences of the other, (P,).
        scores: margins, (P,).
    """

    first: Places
    second: Places
    scores: Vectors

    def above(self, threshold: float) -> "Pairs":
        """Return the pairs with this score or more."""
        n = int((self.scores >= threshold).sum())
        return Pairs(self.first[:n], self.second[:n], self.scores[:n])


@contextmanager
def on_disk(parts: Iterable[Vectors], n: int, title: str) -> Iterator[Vectors]:
    """Write vectors to a temporary file and yield a map of it, (n, E).

    Args:
        parts: the vectors, some after others.
        n: how many they are in all, at least one.
        title: of the progress.

    Raises:
        UserError: the disk is full, or no temporary file can be written.
    """
    with tempfile.TemporaryDirectory(prefix="xlmkit-mine-") as folder:
        path, width = Path(folder) / "vectors", 0
        with (
            explained_disk_errors(path),
            path.open("wb") as stream,
            progress(title, n, "sentences") as bar,
        ):
            for part in parts:
                stream.write(np.ascontiguousarray(part, np.float32).tobytes())
                width = part.shape[1]
                bar.advance(len(part))
        yield np.memmap(path, np.float32, "r+", shape=(n, width))


def to_one_space(*sides_NE: Vectors, centre: bool = True, whiten: bool = False) -> None:
    """Do in place, a part at a time, what `spaces.comparable` does: for maps of files.

    Args:
        *sides_NE: the vectors of each language, (N, E); at the end each has length one.
        centre: take each language's mean away.
        whiten: let all directions of all languages together vary alike.
    """
    means = [_mean(side) if centre else np.zeros(side.shape[1], np.float32) for side in sides_NE]
    for side, mean_E in zip(sides_NE, means, strict=True):
        for rows in _parts(side):
            side[rows] -= mean_E
    if whiten:
        mean_E, turn_EE = _whitened(sides_NE)
        for side in sides_NE:
            for rows in _parts(side):
                side[rows] = (side[rows] - mean_E) @ turn_EE
    for side in sides_NE:
        for rows in _parts(side):
            side[rows] = of_length_one(side[rows])


def _parts(vectors_NE: Vectors) -> list[slice]:
    return [slice(start, start + _ROWS) for start in range(0, len(vectors_NE), _ROWS)]


def _mean(*sides_NE: Vectors) -> Vectors:
    parts = [side[rows].sum(axis=0, dtype=np.float64) for side in sides_NE for rows in _parts(side)]
    mean_E: Vectors = (np.sum(parts, axis=0) / sum(map(len, sides_NE))).astype(np.float32)
    return mean_E


def _whitened(sides_NE: Sequence[Vectors]) -> tuple[Vectors, Vectors]:
    """Return the mean of all vectors, (E,), and what makes their covariance the identity."""
    mean_E = _mean(*sides_NE)
    products_EE = np.zeros((len(mean_E), len(mean_E)))
    for side in sides_NE:
        for rows in _parts(side):
            part = (side[rows] - mean_E).astype(np.float64)
            products_EE += part.T @ part
    return mean_E, whitening(products_EE / max(1, sum(map(len, sides_NE)) - 1))


def mine(a_NE: Vectors, b_ME: Vectors, *, neighbours: int = 4) -> Pairs:
    """Return the best partners of sentences that have one.

    Similarities are computed in tiles; memory holds the nearest neighbours of each sentence only.

    Args:
        a_NE: of length one, (N, E), N at least one.
        b_ME: of length one, (M, E), M at least one.
        neighbours: k of the margin, among which partners are sought.
    """
    forward, backward = nearest(a_NE, b_ME, neighbours), nearest(b_ME, a_NE, neighbours)
    of_a, of_b = forward.means, backward.means
    margins_ab = adjusted(forward.cosines, of_a[:, None], of_b[forward.places], "margin")
    margins_ba = adjusted(backward.cosines, of_b[:, None], of_a[backward.places], "margin")
    best_ab, best_ba = margins_ab.argmax(axis=1), margins_ba.argmax(axis=1)
    rows_a, rows_b = np.arange(len(a_NE)), np.arange(len(b_ME))
    first = np.concatenate([rows_a, backward.places[rows_b, best_ba]])
    second = np.concatenate([forward.places[rows_a, best_ab], rows_b])
    scores = np.concatenate([margins_ab[rows_a, best_ab], margins_ba[rows_b, best_ba]])
    order = np.lexsort((second, first, -scores))
    used_a, used_b = np.zeros(len(a_NE), bool), np.zeros(len(b_ME), bool)
    taken = []
    for place in order.tolist():
        if not used_a[first[place]] and not used_b[second[place]]:
            used_a[first[place]] = used_b[second[place]] = True
            taken.append(place)
    kept = np.array(taken, np.int64)
    return Pairs(first[kept], second[kept], scores[kept])
