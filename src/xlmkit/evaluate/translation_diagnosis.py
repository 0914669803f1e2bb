"""What is wrong with a direction of translation, and what to try, in plain sentences."""

from xlmkit.evaluate import formats
from xlmkit.evaluate.translation_health import Health

COPIES = 0.25
"""More outputs than this are their source. Names, numbers and titles stay as they are: up to a
tenth of the sentences of ordinary text, rarely more."""

COLLAPSES = 0.05
"""More of different sources than this have the same output. Real corpora stay below a hundredth
once equal sources are counted once."""

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


def diagnosis(health: Health, source: str, target: str) -> list[str]:
    """Return what is wrong with a direction and what to try; empty where nothing stands out.

    Args:
        health: of the direction's outputs, from `translation_health`.
        source: the source language, as people call it.
        target: the target language, as people call it.
    """
    return list(findings(health, source, target).values())


def findings(health: Health, source: str, target: str) -> dict[str, str]:
    """Return the sentences of `diagnosis`, by what is wrong: a key of `_CHECKS`."""
    if health.sources < FEWEST:
        return {}
    sentences = {kind: check(health, source, target) for kind, check in _CHECKS.items()}
    return {kind: sentence for kind, sentence in sentences.items() if sentence}


def _way(source: str, target: str) -> str:
    """Return what a direction is called; from a language to itself it summarises."""
    return f"{source} to {target}" if source != target else f"Summarising {target}"


def _copies(health: Health, source: str, target: str) -> str:
    if health.copied <= COPIES:
        return ""
    what = (
        f"{_way(source, target)} copies: {formats.percent(health.copied)} of the outputs are their"
    )
    if source == target:
        return f"{what} source. Look whether the summaries that were learned are their texts."
    return (
        f"{what} source. Try to drop and shuffle more words in the denoising objective, to let its "
        f"weight fall as training goes on, and to allow only tokens that {target} text has; check "
        f"that the decoder gets the language embedding of {target}."
    )


def _collapses(health: Health, source: str, target: str) -> str:
    if health.commonest > COLLAPSES:
        what = f"{formats.percent(health.commonest)} of different sources have one and the same"
    elif health.distinct < FEW_DISTINCT and health.empty <= 0.5:
        what = f"there are only {formats.percent(health.distinct)} as many different outputs as"
        return f"{_way(source, target)} collapses: {what} sources. {_COLLAPSE_MEND}"
    else:
        return ""
    return f"{_way(source, target)} collapses: {what} output. {_COLLAPSE_MEND}"


_COLLAPSE_MEND = (
    "The decoder does not listen to the encoder. Try a lower learning rate, a longer pretraining, "
    "or go back to a checkpoint before it; check that the decoder starts from the pretrained model."
)


def _writes_another_language(health: Health, source: str, target: str) -> str:
    if health.in_language is None or health.in_language >= IN_LANGUAGE or health.copied > COPIES:
        return ""  # what copies is in another language for that reason
    wrong = formats.percent(1 - health.in_language)
    return (
        f"{_way(source, target)} writes the wrong language: {wrong} of the outputs are not "
        f"{target}. Try to allow only tokens that the target's own text has, more denoising of "
        f"{target} text, and a look at the {target} corpus for text of other languages."
    )


def _writes_nothing(health: Health, source: str, target: str) -> str:
    short = health.length_ratio < TOO_SHORT
    if health.empty <= EMPTY and not short:
        return ""
    if health.empty > EMPTY:
        what = f"{formats.percent(health.empty)} of the outputs are empty"
    else:
        what = f"the outputs have {health.length_ratio:.2f} times the expected length"
    return (
        f"{_way(source, target)} writes too little: {what}. Try a greater length penalty or "
        "minimum length in the search, and look for empty or cut lines in the training data."
    )


def _runs_on(health: Health, source: str, target: str) -> str:
    if health.repeated > REPEATS:
        what = f"{formats.percent(health.repeated)} of the outputs repeat themselves"
    elif health.length_ratio > TOO_LONG:
        what = f"the outputs have {health.length_ratio:.2f} times the expected length"
    else:
        return ""
    return (
        f"{_way(source, target)} runs on: {what}. Try more training, a beam instead of greedy "
        "search, a ban on repeated word groups, or a smaller limit of length."
    )


_CHECKS = {
    "copies": _copies,
    "collapses": _collapses,
    "language": _writes_another_language,
    "short": _writes_nothing,
    "long": _runs_on,
}
