"""What is wrong with a direction of translation, and what to try, in plain sentences."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from xlmkit.evaluate import formats
from xlmkit.evaluate.translation_health import Health

COPIES = 0.25
"""More outputs than this are their source. Names, numbers and titles stay as they are: up to a
tenth of the sentences of ordinary text, rarely more."""

COLLAPSES = 0.05
"""More of different sources than this have the same output. Real corpora stay below a hundredth
once equal sources are counted once."""

FEWEST_ALIKE = 5
"""Fewer equal outputs than this are no collapse, whatever share of a few sentences they are."""

FEW_DISTINCT = 0.5
"""Fewer different outputs than this for each different source: a few sentences serve for all."""

IN_LANGUAGE = 0.9
"""Fewer outputs than this may be in the target language. An identifier of n-grams errs on a few
of a hundred short sentences."""

EMPTY = 0.02
"""More outputs than this are empty, though no source is."""

REPEATS = 0.05
"""More outputs than this repeat themselves; human text hardly ever does."""

TOO_LONG = 1.5
TOO_SHORT = 0.5
"""Lengths over those expected; between languages the usual ratios are 0.7 to 1.4."""

FEWEST = 20
"""Fewer different sentences than this say nothing about a direction."""


_FAULTS = {
    "copies": "copies",
    "collapses": "collapses",
    "language": "writes the wrong language",
    "short": "writes too little",
    "long": "runs on",
}


@dataclass(frozen=True, slots=True)
class Learner:
    """How the translator was trained, so that only what its recipe has is advised.

    Attributes:
        initial: it began as a pretrained model.
        denoises: it learns denoising.
    """

    initial: bool
    denoises: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a direction.

    Attributes:
        kind: a key of `_FAULTS`.
        way: what the direction is called.
        what: what was seen.
        mend: what to try, a sentence.
    """

    kind: str
    way: str
    what: str
    mend: str

    def __str__(self) -> str:
        """Return all of it, as sentences."""
        return f"{self.way} {_FAULTS[self.kind]}: {self.what}. {self.mend}"

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def together(found: Iterable[Finding]) -> list[str]:
    """Return findings as sentences; what several directions have is told once."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for one in found:
        groups.setdefault((one.kind, one.mend), []).append(one)
    told = []
    for (kind, mend), several in groups.items():
        if len(several) == 1:
            told.append(str(several[0]))
        else:
            ways = "; ".join(f"{one.way} ({one.what})" for one in several)
            told.append(f"{_FAULTS[kind].capitalize()}: {ways}. {mend}")
    return told


def findings(
    health: Health, source: str, target: str, learner: Learner | None = None
) -> list[Finding]:
    """Return what is wrong with a direction and what to try; empty where nothing stands out.

    Args:
        health: of the direction's outputs, from `translation_health`.
        source: the source language, as people call it.
        target: the target language, as people call it.
        learner: how the translator was trained; None where any system may have written.
    """
    if health.sources < FEWEST:
        return []
    seen = {
        "copies": _copies(health),
        "collapses": _collapses(health),
        "language": _other_language(health, target),
        "short": _short(health),
        "long": _long(health),
    }
    if seen["collapses"]:  # the length of one sentence for all says nothing more
        seen["short"] = seen["long"] = ""
    way = f"{source} to {target}" if source != target else f"Summarising {target}"
    return [
        Finding(kind, way, what, _mend(kind, learner, summary=source == target))
        for kind, what in seen.items()
        if what
    ]


def diagnosis(
    health: Health, source: str, target: str, learner: Learner | None = None
) -> list[str]:
    """Return what `findings` says as sentences."""
    return [str(one) for one in findings(health, source, target, learner)]


def _copies(health: Health) -> str:
    if health.copied <= COPIES:
        return ""
    return f"{formats.percent(health.copied)} of the outputs are their source"


def _collapses(health: Health) -> str:
    if health.commonest > COLLAPSES and round(health.commonest * health.sources) >= FEWEST_ALIKE:
        share = formats.percent(health.commonest)
        return f"{share} of different sources have one and the same output"
    if health.distinct < FEW_DISTINCT and health.empty <= 0.5:
        share = formats.percent(health.distinct)
        return f"there are only {share} as many different outputs as sources"
    return ""


def _other_language(health: Health, target: str) -> str:
    if health.in_language is None or health.in_language >= IN_LANGUAGE or health.copied > COPIES:
        return ""  # what copies is in another language for that reason
    return f"{formats.percent(1 - health.in_language)} of the outputs are not {target}"


def _short(health: Health) -> str:
    if health.empty > EMPTY:
        return f"{formats.percent(health.empty)} of the outputs are empty"
    return _length(health) if health.length_ratio < TOO_SHORT else ""


def _long(health: Health) -> str:
    if health.repeated > REPEATS:
        return f"{formats.percent(health.repeated)} of the outputs repeat themselves"
    return _length(health) if health.length_ratio > TOO_LONG else ""


def _length(health: Health) -> str:
    return f"the outputs have {health.length_ratio:.2f} times the expected length"


def _mend(kind: str, learner: Learner | None, *, summary: bool) -> str:
    """Return what to try, of what there is: a recipe has no options of the search."""
    if kind == "copies" and summary:
        return "Look whether the summaries that were learned are their texts."
    if learner is None:
        return _OF_ANY[kind]
    if kind == "copies" and learner.denoises:
        return (
            "Try to drop and shuffle more words (ae.noise), and to let the coefficient of ae fall "
            "as training goes on."
        )
    if kind == "language" and learner.denoises:
        return f"{_OF_RECIPE[kind]} A greater weight of ae teaches more of the language itself."
    if kind == "collapses":
        start = (
            "pretrain init longer" if learner.initial else "start from a pretrained model (init)"
        )
        return f"{_OF_RECIPE[kind]} Try a lower learning rate, or {start}."
    return _OF_RECIPE[kind]


_OF_ANY = {
    "copies": "Look for translations that are their source in what was learned; where the system "
    "learns by denoising, try more noise and less weight of it; check that it is told which "
    "language to write.",
    "collapses": "The decoder does not listen to the encoder. Try a lower learning rate, a longer "
    "pretraining, or a checkpoint before it.",
    "language": "Try to allow only tokens that text of the target language has, and look for text "
    "of other languages in what was learned.",
    "short": "Try a greater length penalty or minimum length in the search, and look for empty or "
    "cut lines in the training data.",
    "long": "Try more training, a beam instead of greedy search, a ban on repeated word groups, or "
    "a smaller limit of length.",
}
_OF_RECIPE = {
    "copies": "Look for translations that are their source in the training data.",
    "collapses": "The decoder does not listen to the encoder.",
    "language": "Look for text of other languages in the training data of the target language.",
    "short": "Look for empty or cut lines in the training data, and train longer.",
    "long": "Train longer, and look for lines that repeat themselves in the training data; xlmkit "
    "translate --set no_repeat_ngram=3 forbids repetition where the model is used.",
}
