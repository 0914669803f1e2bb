"""From what is known of each example to a metric of any resample of the examples.

A kind of task that is to be compared in pairs keeps columns (`outcomes`) from which its metrics can
be had again. Accuracy, macro F1, correlations and their like are made from `references` and
`predictions`; any other metric from a column of its own name: (examples,), of which it is the mean;
(examples, 2), right parts and all parts, of whose sums it is the share; or (examples, 3), the spans
found rightly, predicted and given, of whose sums it is the F1. BLEU has the counts that sacreBLEU
makes it from, and is a share here as well.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.evaluate.correlation import correlations, rank_correlations
from xlmkit.evaluate.metrics import macro_f1_values
from xlmkit.evaluate.multilabel import multilabel_f1_values
from xlmkit.evaluate.outcomes import Columns
from xlmkit.evaluate.score import Statistic
from xlmkit.evaluate.translation import Counts
from xlmkit.evaluate.translation_metrics import translation_metric

Array = NDArray[Any]

_CELLS_AT_ONCE = 1 << 21  # cells of resampled confusion matrices held in memory together


def per_example(metric: str, columns: Columns) -> NDArray[np.float64] | None:
    """Return a value for each example, of which the metric is the mean; None where it is none."""
    if metric in columns and columns[metric].ndim == 1:
        return columns[metric].astype(np.float64)
    if metric in ("accuracy", "exact_match") and "references" in columns:
        equal: Array = np.asarray(columns["references"] == columns["predictions"])
        return np.asarray(equal.reshape(len(equal), -1).all(axis=1), np.float64)
    return None


def statistic(metric: str, columns: Columns) -> Statistic | None:
    """Return a metric as a function of resampled examples; None where it cannot be had again.

    Args:
        metric: its name in results.json.
        columns: what is known of each example.
    """
    values = per_example(metric, columns)
    if values is not None:
        return lambda indices: values[indices].mean(axis=1)
    if metric in columns:
        return _bleu(columns[metric]) if metric == "bleu" else _share_of_sums(columns[metric])
    if not {"references", "predictions"} <= columns.keys():
        return None
    references, predictions = columns["references"], columns["predictions"]
    several = f"{metric}/several" if references.ndim == 2 else metric
    make = _MADE_FROM_BOTH.get(several)
    return make(references, predictions) if make else None


def _share_of_sums(counts: Array) -> Statistic:
    def values(indices: NDArray[np.intp]) -> NDArray[np.float64]:
        sums = counts[indices].sum(axis=1, dtype=np.float64)
        found, among = sums[:, 0], sums[:, 1:].mean(axis=1)
        shares: NDArray[np.float64] = np.zeros(len(indices))
        np.divide(found, among, out=shares, where=among > 0)
        return shares

    return values


def _bleu(counts: Array) -> Statistic:
    # Words are counted already, so that any language does.
    made = Counts(translation_metric("bleu", "en"), counts.astype(np.float64))
    return lambda indices: made.values(indices) / 100


def _macro_f1(references: Array, predictions: Array) -> Statistic:
    rows, columns = references.astype(np.intp), predictions.astype(np.intp)
    classes = int(max(rows.max(), columns.max())) + 1
    cells, size = rows * classes + columns, classes * classes
    at_once = max(1, _CELLS_AT_ONCE // size)

    def some(indices: NDArray[np.intp]) -> NDArray[np.float64]:
        places = cells[indices] + size * np.arange(len(indices))[:, None]
        counts = np.bincount(places.ravel(), minlength=size * len(indices))
        return macro_f1_values(counts.reshape(-1, classes, classes))

    def values(indices: NDArray[np.intp]) -> NDArray[np.float64]:
        starts = range(0, len(indices), at_once)
        return np.concatenate([some(indices[start : start + at_once]) for start in starts])

    return values


_MADE_FROM_BOTH: dict[str, Callable[[Array, Array], Statistic]] = {
    "macro_f1": _macro_f1,
    "macro_f1/several": lambda r, p: multilabel_f1_values(r, p, "macro"),
    "micro_f1/several": lambda r, p: multilabel_f1_values(r, p, "micro"),
    "pearson": correlations,
    "spearman": rank_correlations,
}
