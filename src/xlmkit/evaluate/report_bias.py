"""Which languages a model serves worse, and what goes with it: little text, many sub-words.

What is said in words follows from the numbers by fixed rules: the languages that fall most and
least, those below a half of the source's value, and a rank correlation only where it is strong and
not likely by chance.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlmkit.evaluate import formats
from xlmkit.evaluate.correlation import ranks, spearman
from xlmkit.evaluate.drawing import MUTED, Axis
from xlmkit.evaluate.point_chart import NamedPoint, point_chart
from xlmkit.evaluate.report_doubts import only_answer
from xlmkit.evaluate.report_figures import Panel, language_styles
from xlmkit.evaluate.results import (
    Results,
    language_name,
    main_metric,
    metric_title,
    others_of,
    score,
    source_of,
)
from xlmkit.evaluate.score import Score

_FEWEST = 5  # languages for a correlation; of four none is unlikely by chance
_PERMUTATIONS = 9_999
_LEVEL = 0.05
_TEXT = "text for pretraining"
_CUT = "sub-words per word"


@dataclass(frozen=True, slots=True)
class Fall:
    """How far a language lies below the source language.

    Attributes:
        code: the language.
        home: value in the source language.
        here: value in this one.
        tokens: tokens of the text for pretraining in this language, None where not known.
        tokens_per_word: sub-words for each word, None where not known.
        sure: whether the interval of the difference leaves out zero.
    """

    code: str
    home: float
    here: float
    tokens: float | None
    tokens_per_word: float | None
    sure: bool = True

    @property
    def fall(self) -> float:
        """How much is lost, a share; below zero where something is won."""
        return self.home - self.here

    @property
    def falls(self) -> bool:
        """Whether it surely lies below the source language."""
        return self.fall > 0 and self.sure


@dataclass(frozen=True, slots=True)
class Bias:
    """The section of the page: sentences, then figures."""

    sentences: tuple[str, ...]
    panels: tuple[Panel, ...]


def falls(results: Results, model: Mapping[str, Any], task: Mapping[str, Any]) -> list[Fall]:
    """Return how far each language falls, in their order; empty without a source language.

    A language whose texts all get one class is left out where it does not fall: it is no praise.

    Args:
        results: the content of results.json.
        model: a model's part of it.
        task: the model's part of a task.
    """
    metric = main_metric(task)
    home = score(task["languages"].get(source_of(results, task)), metric)
    if home is None:
        return []
    # A ready model read other text than this, and cuts it in another way.
    shards = (results.get("tokenizer") or {}).get("languages") or {}
    corpus: Mapping[str, Any] = shards if model.get("pretraining") else {}
    found = []
    for code in others_of(results, task):
        here, known = score(task["languages"][code], metric), corpus.get(code) or {}
        if here is not None:
            cut = task["languages"][code].get("tokens_per_word") or known.get("tokens_per_word")
            sure = _differ(home, here)
            fall = Fall(code, home.value, here.value, known.get("tokens"), cut, sure)
            if fall.falls or only_answer(task, code) is None:
                found.append(fall)
    return found


def _differ(one: Score, other: Score) -> bool:
    """Tell whether the interval of the difference of two scores leaves out zero.

    It is made of both scores' own (MOVER; Newcombe 1998, method 10); without any, it is no doubt.
    """
    higher, lower = (one, other) if one.value > other.value else (other, one)
    if higher.low is None or lower.high is None:
        return True
    reach = np.hypot(higher.value - higher.low, lower.high - lower.value)
    return bool(higher.value - lower.value > reach)


def bias_section(
    results: Results, model: Mapping[str, Any], task: Mapping[str, Any]
) -> Bias | None:
    """Return what is said and drawn of a model's languages, None for fewer than two of them."""
    found = falls(results, model, task)
    if len(found) < 2:
        return None
    tokens = [(one, one.tokens) for one in found if one.tokens]
    cut = [(one, one.tokens_per_word) for one in found if one.tokens_per_word]
    sentences = _sentences(results, task, found)
    panels = []
    for pairs, axis, name in (
        (tokens, Axis("tokens of text, logarithmic", log=True), _TEXT),
        (cut, Axis(_CUT), _CUT),
    ):
        if len(pairs) < 2:
            continue
        said, short = _correlation(pairs, name)
        sentences += [said] if said else []
        chart = _chart(results, pairs, axis, main_metric(task), name)
        panels.append(Panel(f"Against {name}", chart, short))
    few = [n for pairs, n in ((tokens, _TEXT), (cut, _CUT)) if 2 <= len(pairs) < _FEWEST]
    if few:
        sentences.append(f"With so few languages, nothing can be said about {formats.listed(few)}.")
    return Bias(tuple(sentences), tuple(panels))


def _sentences(results: Results, task: Mapping[str, Any], found: Sequence[Fall]) -> list[str]:
    source = language_name(results, source_of(results, task))
    metric = main_metric(task).replace("_", " ").replace("f1", "F1")
    order = sorted(found, key=lambda one: -one.fall)
    surely = [one for one in order if one.falls]

    def name(one: Fall) -> str:
        return language_name(results, one.code)

    if order[0].fall <= 0:
        said = [f"In {metric}, no language falls below {source}."]
    elif not surely:
        told = f"no language falls surely below {source}; the intervals are too wide to tell"
        said = [f"In {metric}, {told}."]
    else:
        said = [f"In {metric}, {_extremes(order, surely, name, source)}."]
    halved = [name(one) for one in surely if one.here < one.home / 2]
    if halved:
        verb = "keeps" if len(halved) == 1 else "keep"
        said.append(f"{formats.listed(halved)} {verb} less than half of the value in {source}.")
    return said


def _extremes(
    order: Sequence[Fall], surely: Sequence[Fall], name: Callable[[Fall], str], source: str
) -> str:
    """Return which language falls most and which least, where some surely do.

    Args:
        order: all languages, those that fall most first.
        surely: those of them that surely fall.
        name: of a language.
        source: name of the language of the labels.
    """
    worst, best = surely[0], order[-1]
    points = _distance(worst.fall)
    if len(order) > 1 and len(surely) == len(order) and _distance(best.fall) == points:
        return f"all fall {points} points below {source}"
    values = f"{formats.hundredths(worst.here)} against {formats.hundredths(worst.home)}"
    told = f"{name(worst)} falls {points} points below {source} ({values})"
    told += ", more than any other" if worst is order[0] else ""
    if best is worst:
        return told
    if best.falls:
        return f"{told}; {name(best)} least, by {_distance(best.fall)}"
    return f"{told}; {name(best)} {'does not fall' if best.fall <= 0 else 'is too near to tell'}"


def _distance(share: float) -> str:
    return formats.hundredths(abs(share))


def _correlation(pairs: Sequence[tuple[Fall, float]], name: str) -> tuple[str, str]:
    """Return in words, and in short, how falls go with a measure; nothing for too few languages."""
    if len(pairs) < _FEWEST:
        return "", ""
    falls_, values = np.array([one.fall for one, _ in pairs]), np.array([x for _, x in pairs])
    rho, p = rank_correlation(values, falls_)
    if not np.isfinite(rho):
        return f"The languages do not differ in {name}.", ""
    short = f"rank correlation {rho:+.2f}, p = {p:.2f}".replace("-", "\N{MINUS SIGN}")
    if p >= _LEVEL:
        return f"No clear relation to {name} is seen ({short}).", short
    more = "further" if rho > 0 else "less far"
    return f"The more {name}, the {more} a language falls ({short}).", short


def rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Return Spearman's correlation of (items,) and (items,), and its two-sided p by permutation.

    One of them is shuffled 9,999 times; a permutation test assumes nothing about how values are
    spread, and a handful of languages allows no more (Good 2005, chapter 1).
    """
    rho = spearman(x, y, resamples=0).value
    centred = [ranks(values) - (len(values) + 1) / 2 for values in (x, y)]
    shuffled = np.random.default_rng(1).permuted(np.tile(centred[1], (_PERMUTATIONS, 1)), axis=1)
    products = np.abs(shuffled @ centred[0])
    as_far = int((products >= abs(centred[0] @ centred[1]) - 1e-9).sum())
    return rho, (as_far + 1) / (_PERMUTATIONS + 1)


def _chart(
    results: Results, pairs: Sequence[tuple[Fall, float]], axis: Axis, metric: str, name: str
) -> str:
    styles = language_styles(results)
    points = [
        NamedPoint(
            x=value,
            y=one.fall * 100,
            key=one.code,
            label=one.code,
            text=(
                f"{language_name(results, one.code)}: {_distance(one.fall)} points "
                f"{'below' if one.fall >= 0 else 'above'} the source, "
                f"{formats.number(value)} {name}"
            ),
            style=styles.get(one.code, MUTED),
        )
        for one, value in pairs
    ]
    lowest = min(0.0, *(point.y for point in points))
    y = Axis(f"fall in {metric_title(metric)}, points", low=lowest)
    return point_chart(points, axis, y, title=f"Fall of each language against {name}")
