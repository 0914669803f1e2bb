"""Vectors of two languages made comparable: centred, whitened if asked for, of length one.

Shapes: N texts, E width.
"""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

_SHRINKAGE = 1e-3  # of the mean variance: fewer texts than dimensions leave some without any


def unit(vectors_NE: Vectors) -> Vectors:
    """Centre vectors on their mean and give each length 1, (N, E)."""
    return of_length_one(vectors_NE - vectors_NE.mean(axis=0))


def of_length_one(vectors_NE: Vectors) -> Vectors:
    """Give each vector length 1, (N, E)."""
    length = np.linalg.norm(vectors_NE, axis=1, keepdims=True)
    result: Vectors = vectors_NE / np.maximum(length, 1e-12)
    return result


def comparable(
    a_NE: Vectors, b_NE: Vectors, *, centre: bool = True, whiten: bool = False
) -> tuple[Vectors, Vectors]:
    """Return the vectors of two languages, ready to be compared by cosine.

    Args:
        a_NE: of the one, (N, E).
        b_NE: of the other, (M, E).
        centre: take away each language's mean, which tells languages apart.
        whiten: let all directions vary alike (Su et al. 2021, "Whitening sentence representations
            for better semantics and faster retrieval"); the directions are those of both languages
            together, so that they stay in one space.
    """
    if centre:
        a_NE, b_NE = a_NE - a_NE.mean(axis=0), b_NE - b_NE.mean(axis=0)
    if whiten:
        both = np.concatenate([a_NE, b_NE])
        mean_E = both.mean(axis=0)
        white_EE = whitening(np.cov(both, rowvar=False))
        a_NE, b_NE = (a_NE - mean_E) @ white_EE, (b_NE - mean_E) @ white_EE
    return of_length_one(a_NE), of_length_one(b_NE)


def whitening(covariance_EE: NDArray[np.floating]) -> Vectors:
    """Return what makes a covariance the identity, (E, E)."""
    variances_E, directions_EE = np.linalg.eigh(covariance_EE.astype(np.float64))
    variances_E = np.maximum(variances_E, 0) + max(_SHRINKAGE * variances_E.mean(), 1e-12)
    result: Vectors = (directions_EE / np.sqrt(variances_E)).astype(np.float32)
    return result
