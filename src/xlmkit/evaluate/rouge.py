"""ROUGE, for summaries, in every script (Lin, "ROUGE: A Package for Automatic Evaluation", 2004).

`rouge-score` counts; its own splitting of words drops everything but the letters a to z, so it gets
one of ours. There is no stemming: it exists for English only. For English without its stemmer the
numbers are its own.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xlmkit.core.errors import MissingPackageError
from xlmkit.evaluate.score import RESAMPLES, SEED, Score
from xlmkit.evaluate.translation import Counts, MeanOfTexts, check_lengths
from xlmkit.evaluate.words import word_splitter
from xlmkit.text.languages import language as known_language
from xlmkit.text.sentences import split_sentences

ROUGE = ("rouge1", "rouge2", "rougeL", "rougeLsum")
"""Common words, common pairs of words, longest common subsequence; the last by sentences."""


class _Words:
    """What `rouge-score` takes for a tokenizer."""

    def __init__(self, split: Callable[[str], list[str]]) -> None:
        self.tokenize = split


def rouge_scores(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    language: str,
    metrics: Sequence[str] = ROUGE,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Score]:
    """Measure summaries: name of the metric -> mean F1 over the texts, from 0 to 100.

    Args:
        hypotheses: the summaries.
        references: one or more human summaries of all texts.
        language: code of their language.
        metrics: names among `ROUGE`.
        resamples: number of bootstrap resamples; 0 gives no intervals.
        seed: seed of the bootstrap.

    Raises:
        UserError: as `rouge_counts`.
    """
    counts = rouge_counts(hypotheses, references, language, metrics)
    return {name: one.score(resamples, seed) for name, one in counts.items()}


def rouge_counts(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    language: str,
    metrics: Sequence[str] = ROUGE,
) -> dict[str, Counts]:
    """Measure each summary by itself: name of the metric -> F1 from 0 to 100, (texts, 1).

    Of several references, the one that gives most counts, for each text.

    Args:
        hypotheses: the summaries.
        references: one or more human summaries of all texts.
        language: code of their language.
        metrics: names among `ROUGE`.

    Raises:
        UserError: rouge-score or the language's segmenter is not installed, there is no such
            language, or there are not as many references as hypotheses.
    """
    check_lengths(hypotheses, references)
    kind, split = word_splitter(known_language(language).code)
    scorer = _scorer(metrics, split)
    each: dict[str, list[float]] = {name: [] for name in metrics}
    for hypothesis, *targets in zip(hypotheses, *references, strict=True):
        made = scorer.score_multi([_by_sentence(one) for one in targets], _by_sentence(hypothesis))
        for name in metrics:
            each[name].append(100 * made[name].fmeasure)
    details = {"words": kind, "stemmer": "no", "nrefs": len(references)}
    return {
        name: Counts(MeanOfTexts(name, len(values), details), np.array(values)[:, None])
        for name, values in each.items()
    }


def check_rouge(language: str) -> None:
    """See that summaries of a language can be measured.

    Raises:
        UserError: rouge-score or the language's segmenter is not installed, or there is no such
            language.
    """
    _, split = word_splitter(known_language(language).code)
    _scorer(ROUGE, split)


def _scorer(metrics: Sequence[str], split: Callable[[str], list[str]]) -> Any:  # noqa: ANN401
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        raise MissingPackageError(
            "ROUGE is counted by rouge-score, which is not installed: pip install 'xlmkit[rouge]'."
        ) from None
    return RougeScorer(list(metrics), tokenizer=_Words(split))


def _by_sentence(text: str) -> str:
    """Return a text with a line for each sentence, as rougeLsum expects it."""
    return "\n".join(split_sentences(text))
