"""Translation metrics, corpus against corpus: BLEU, chrF, TER and the original project's BLEU.

The numbers are sacreBLEU's (Post, "A Call for Clarity in Reporting BLEU Scores", 2018) and carry
its signatures: BLEU (Papineni et al. 2002), chrF and chrF++ (Popović 2015, 2017), TER (Snover et
al. 2006). `original` is what the XLM paper and others before sacreBLEU report: `multi-bleu.perl` on
texts that Moses' rules have split into words; it depends on that splitting, so it is only for
comparison with such papers.

Every metric is a function of counts that are summed over the sentences. They are made once for a
system; the value, its interval and the comparison with another system are all sums of them. The
resamples are those that sacreBLEU draws, so that its p-values come out too; an interval is the
percentile interval of `xlmkit.evaluate.score`, where sacreBLEU gives one that is centred on the
mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from xlmkit.core.errors import UserError
from xlmkit.evaluate.score import RESAMPLES, Score, bootstrap, signature
from xlmkit.evaluate.translation_metrics import translation_metric

SEED = 12345
"""The seed of sacreBLEU's bootstrap, so that its resamples are drawn here too."""

DEFAULT_METRICS = ("bleu", "chrf", "ter")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A system beside another one, on the same sentences.

    Attributes:
        value: the system's value.
        other: the other system's value.
        low: lower end of the 95 % interval of the difference `value - other`.
        high: upper end of that interval.
        p_value: how likely a difference of this size is if both systems are equally good (paired
            bootstrap resampling, Koehn 2004, with sacreBLEU's correction). It is never below
            1 / (resamples + 1).
        signature: of the metric.
    """

    value: float
    other: float
    low: float | None
    high: float | None
    p_value: float
    signature: str

    @property
    def difference(self) -> float:
        """How much greater the system's value is than the other's."""
        return self.value - self.other

    def to_json(self) -> dict[str, float | str | None]:
        """Return plain values for JSON."""
        return {
            "value": self.value,
            "other": self.other,
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
            "p_value": self.p_value,
            "signature": self.signature,
        }


class Metric(Protocol):
    """What makes a score of counts that were summed over sentences."""

    @property
    def name(self) -> str:
        """What the metric is called."""
        ...

    def value(self, counts: Any) -> float:  # noqa: ANN401 - a row of an array
        """Return the value of summed counts."""
        ...

    def signature(self, resamples: int, seed: int, **details: object) -> str:
        """Return how the value is made."""
        ...


@dataclass(frozen=True, slots=True)
class MeanOfTexts:
    """The mean over texts, as a metric of counts: that of a text is its own score.

    Attributes:
        name: of the metric.
        n: number of texts.
        details: how a text is measured, for the signature.
    """

    name: str
    n: int
    details: Mapping[str, object]

    def value(self, counts: Any) -> float:  # noqa: ANN401 - a row of an array
        """Return the mean of texts whose scores add up to this."""
        return float(counts[0] / self.n)

    def signature(self, resamples: int, seed: int, **details: object) -> str:
        """Return how the value is made."""
        made = {**details, **self.details}
        return signature(self.name, self.n, resamples=resamples, seed=seed, **made)


@dataclass(frozen=True, eq=False)
class Counts:
    """What a metric counts in each sentence of a system.

    Attributes:
        metric: turns their sum into the score.
        per_sentence: counts of shape (sentences, kinds).
    """

    metric: Metric
    per_sentence: NDArray[np.float64]

    def values(self, indices_RN: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the value of each resample, shape (resamples,)."""
        n = len(self.per_sentence)
        # How often each sentence was drawn, times its counts: far smaller than the drawn counts.
        drawn_RN = np.stack([np.bincount(row, minlength=n) for row in indices_RN])
        return np.array([self.metric.value(row) for row in drawn_RN @ self.per_sentence])

    def score(self, resamples: int = RESAMPLES, seed: int = SEED) -> Score:
        """Return the value on all sentences, with its interval."""
        made = bootstrap(
            self.metric.name,
            self.values,
            len(self.per_sentence),
            resamples=resamples,
            seed=seed,
        )
        return replace(made, signature=self.metric.signature(resamples, seed))

    def compare(self, other: "Counts", resamples: int = RESAMPLES, seed: int = SEED) -> Comparison:
        """Return this system beside another one, resampled together."""
        samples: list[NDArray[np.float64]] = []

        def differences(indices_RN: NDArray[np.intp]) -> NDArray[np.float64]:
            samples.append(self.values(indices_RN) - other.values(indices_RN))
            return samples[-1]

        made = bootstrap(
            self.metric.name,
            differences,
            len(self.per_sentence),
            resamples=resamples,
            seed=seed,
        )
        everything = np.arange(len(self.per_sentence), dtype=np.intp)[None]
        drawn = np.abs(np.concatenate(samples[1:]))  # the first is the difference on all sentences
        beyond = np.sum(drawn - drawn.mean() > abs(made.value))
        if not drawn.any():  # of systems that write the same, no difference is beyond none
            beyond = len(drawn)
        return Comparison(
            value=float(self.values(everything)[0]),
            other=float(other.values(everything)[0]),
            low=made.low,
            high=made.high,
            p_value=float((beyond + 1) / (len(drawn) + 1)),
            signature=self.metric.signature(resamples, seed, test="paired"),
        )


def translation_counts(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    language: str,
    metrics: Sequence[str] = DEFAULT_METRICS,
    **options: Any,  # noqa: ANN401 - those of `translation_metric`
) -> dict[str, Counts]:
    """Count what the metrics need in each sentence of a system.

    Args:
        hypotheses: the system's translations, detokenised, in the case that is to be measured.
        references: one or more human translations of all sentences, each as long as `hypotheses`.
        language: code of the language that was written; it decides how words are split.
        metrics: names, see `xlmkit.evaluate.translation_metrics.METRICS`.
        **options: `lowercase` and `tokenizer`, see `translation_metric`.

    Raises:
        UserError: sacrebleu is not installed, there is no such metric, tokenizer or language, or
            there are not as many references as hypotheses.
    """
    check_lengths(hypotheses, references)
    counts = {}
    for name in metrics:
        metric = translation_metric(name, language, **options)
        rows = metric.counts(hypotheses, references)
        counts[name] = Counts(metric, np.array(rows, dtype=np.float64))
    return counts


def check_lengths(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    """Check that every hypothesis has its references.

    Raises:
        UserError: there is no hypothesis, or the numbers differ.
    """
    if not hypotheses:
        raise UserError("There is no translation to measure; give at least one line.")
    if not references:
        raise UserError("Translations are measured against references; give at least one.")
    for number, lines in enumerate(references, start=1):
        if len(lines) != len(hypotheses):
            raise UserError(
                f"There are {len(hypotheses):,} translations but {len(lines):,} lines in "
                f"reference {number}; give the same sentences in the same order."
            )


def translation_scores(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    language: str,
    metrics: Sequence[str] = DEFAULT_METRICS,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    **options: Any,  # noqa: ANN401 - those of `translation_metric`
) -> dict[str, Score]:
    """Measure a system: name of the metric -> score from 0 to 100 (TER may be greater).

    Args:
        hypotheses: the system's translations, detokenised.
        references: one or more human translations of all sentences.
        language: code of the language that was written.
        metrics: names, see `xlmkit.evaluate.translation_metrics.METRICS`.
        resamples: number of bootstrap resamples; 0 gives no intervals, for a measurement that must
            be quick.
        seed: seed of the bootstrap.
        **options: `lowercase` and `tokenizer`, see `translation_metric`.

    Raises:
        UserError: as `translation_counts`.
    """
    counts = translation_counts(hypotheses, references, language, metrics, **options)
    return {name: one.score(resamples, seed) for name, one in counts.items()}


def compare_translations(
    system: Mapping[str, Counts],
    other: Mapping[str, Counts],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Comparison]:
    """Compare two systems by paired bootstrap resampling, metric by metric.

    Args:
        system: its counts, from `translation_counts`.
        other: those of the other system, on the same sentences.
        resamples: number of resamples, at least 1.
        seed: seed of the draws.

    Raises:
        ValueError: the two were measured on different numbers of sentences.
    """
    for name, counts in system.items():
        if counts.per_sentence.shape != other[name].per_sentence.shape:
            raise ValueError(f"{name}: the two systems have different sentences.")
    return {name: one.compare(other[name], resamples, seed) for name, one in system.items()}
