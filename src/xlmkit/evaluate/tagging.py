"""Metrics over the words of sentences: accuracy, macro F1, and F1 of entities.

Words of a sentence depend on one another, so that sentences are what is resampled. Scores of
entities equal those of seqeval (Nakayama 2018): counted over all types together, and 0 where
nothing is there to be counted.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlmkit.evaluate.score import RESAMPLES, SEED, Score, bootstrap, bootstrap_ratio
from xlmkit.evaluate.spans import Reading, spans

_WEIGHTS_AT_ONCE = 1 << 21  # weights of resampled sentences held in memory together


def word_accuracy(
    references: NDArray[np.int64],
    predictions: NDArray[np.int64],
    lengths: NDArray[np.int64],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Score:
    """Return the share of words whose tag is right.

    Args:
        references: tags of all words, sentence by sentence, (words,).
        predictions: likewise.
        lengths: words of each sentence, (sentences,).
        resamples: number of bootstrap resamples over sentences.
        seed: seed of the bootstrap.

    Raises:
        ValueError: there is no sentence.
    """
    right = sums_by_sentence(references == predictions, lengths)
    return bootstrap_ratio(
        "accuracy", right, lengths, resamples=resamples, seed=seed, unit="words", of="sentences"
    )


def word_macro_f1(
    references: NDArray[np.int64],
    predictions: NDArray[np.int64],
    lengths: NDArray[np.int64],
    classes: int,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Score:
    """Return the mean F1 of the tags that occur; arguments as `word_accuracy`.

    A tag occurs if it is among the references or the predictions, as in
    `xlmkit.evaluate.metrics.macro_f1`.

    Raises:
        ValueError: there is no sentence.
    """
    sentence = np.repeat(np.arange(len(lengths)), lengths)

    def counts(tags: NDArray[np.int64], chosen: NDArray[np.bool_] | slice) -> NDArray[np.float64]:
        table = np.zeros((len(lengths), classes))
        np.add.at(table, (sentence[chosen], tags[chosen]), 1)
        return table

    everything = slice(None)
    hits = counts(references, references == predictions)
    totals = counts(references, everything) + counts(predictions, everything)

    def mean_f1(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        found, counted = sums[:, :classes], sums[:, classes:]
        shares = np.divide(2 * found, counted, out=np.zeros(found.shape), where=counted > 0)
        means: NDArray[np.float64] = shares.sum(axis=1) / np.maximum(1, (counted > 0).sum(axis=1))
        return means

    return _resampled(
        "macro-f1",
        np.concatenate([hits, totals], axis=1),
        mean_f1,
        resamples,
        seed,
        classes="occurring",
    )


@dataclass(frozen=True, slots=True)
class TypeScores:
    """Scores of the entities of one type; `support` is their number in the references."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class EntityScores:
    """Scores of entities: all of them, and by type.

    An entity is right where type, first and last word are.
    """

    precision: Score
    recall: Score
    f1: Score
    types: dict[str, TypeScores]


def entity_counts(
    references: Sequence[Sequence[str]],
    predictions: Sequence[Sequence[str]],
    reading: Reading = "bio",
) -> tuple[NDArray[np.float64], Counter[tuple[str, int]]]:
    """Count right entities, predicted ones and those of the references.

    Returns:
        Of each sentence, (sentences, 3); and of all, by type and column.

    Raises:
        ValueError: sentences have different numbers of tags.
    """
    by_type: Counter[tuple[str, int]] = Counter()
    counts = np.zeros((len(references), 3))  # right ones, predicted ones, those of the references
    for row, (gold, given) in enumerate(zip(references, predictions, strict=True)):
        if len(gold) != len(given):
            raise ValueError(f"Sentence {row} has {len(gold)} tags but {len(given)} predictions.")
        wanted, found = set(spans(gold, reading)), set(spans(given, reading))
        for column, part in enumerate((wanted & found, found, wanted)):
            counts[row, column] = len(part)
            by_type.update((kind, column) for kind, _, _ in part)
    return counts, by_type


def entity_scores(
    references: Sequence[Sequence[str]],
    predictions: Sequence[Sequence[str]],
    reading: Reading = "bio",
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> EntityScores:
    """Return precision, recall and F1 of entities.

    Args:
        references: tags of each sentence.
        predictions: likewise.
        reading: what is an entity, see `xlmkit.evaluate.spans`.
        resamples: number of bootstrap resamples over sentences.
        seed: seed of the bootstrap.

    Raises:
        ValueError: there is no sentence, or sentences have different numbers of tags.
    """
    counts, by_type = entity_counts(references, predictions, reading)

    def score(name: str, below: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Score:
        def ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
            bottom = below(sums)
            return np.divide(sums[:, 0], bottom, out=np.zeros(len(sums)), where=bottom > 0)

        return _resampled(f"entity-{name}", counts, ratio, resamples, seed, reading=reading)

    kinds = sorted({kind for kind, _ in by_type})
    return EntityScores(
        score("precision", lambda sums: sums[:, 1]),
        score("recall", lambda sums: sums[:, 2]),
        score("f1", lambda sums: (sums[:, 1] + sums[:, 2]) / 2),
        {kind: _type_scores(*(by_type[kind, column] for column in range(3))) for kind in kinds},
    )


def _type_scores(right: int, predicted: int, support: int) -> TypeScores:
    return TypeScores(
        right / predicted if predicted else 0.0,
        right / support if support else 0.0,
        2 * right / (predicted + support) if predicted + support else 0.0,
        support,
    )


def sums_by_sentence(
    values: NDArray[np.generic], lengths: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sum values of words over sentences, of which none is empty, (words,) to (sentences,)."""
    starts = np.cumsum(lengths) - lengths
    sums: NDArray[np.float64] = np.add.reduceat(values.astype(np.float64), starts)
    return sums


def _resampled(
    name: str,
    counts: NDArray[np.float64],
    value: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    resamples: int,
    seed: int,
    **details: object,
) -> Score:
    """Return a value of summed counts, (resamples, columns), resampled by sentence."""
    n = len(counts)
    rows = max(1, _WEIGHTS_AT_ONCE // max(1, n))

    def statistic(indices: NDArray[np.intp]) -> NDArray[np.float64]:
        values = []
        for start in range(0, len(indices), rows):
            chosen = indices[start : start + rows]
            weights = np.array([np.bincount(row, minlength=n) for row in chosen], np.float64)
            values.append(value(weights @ counts))
        return np.concatenate(values)

    return bootstrap(name, statistic, n, resamples=resamples, seed=seed, **details, of="sentences")
