"""What is measured of a translator while it learns, and which step that makes the best."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from xlmkit.build.translation_judge import ROUND_TRIP, Judge, both_ways
from xlmkit.build.translation_texts import Watched
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.data.sampler import all_once
from xlmkit.data.translations import DirectedPairs, Direction, TranslationBatch, direction_of
from xlmkit.evaluate.translation_watch import HEALTH, new_findings
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.translator import Translator
from xlmkit.objectives.summarize import Summarization, summary_direction
from xlmkit.objectives.translate import Translation, translation_loss
from xlmkit.text.languages import language as known_language
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.train.hooks import point
from xlmkit.train.state import TrainingState

AVERAGE = "average"

_MOST_SHOWN = 6
_CALLED = {"bleu": "BLEU", "rouge": "ROUGE-L", "loss": "loss", ROUND_TRIP: "round-trip BLEU"}
_WRITTEN = {
    "bleu": ("bleu", "bleu"),
    "rougeL": ("rouge", "rouge"),
    ROUND_TRIP: (ROUND_TRIP, "bleu"),
}
"""Metric -> objective of its points, and what they hold."""

_JUDGED_BY = {
    "bleu": (("bleu",), "bleu", 1.0),
    "rouge": (("rouge",), "rouge", 1.0),
    "loss": ((Translation.name, Summarization.name), "loss", -1.0),
    ROUND_TRIP: ((ROUND_TRIP,), "bleu", 1.0),
}
"""Criterion -> objectives of its points, what they hold, and the sign with which more is better."""

_NEEDED = {
    "bleu": ("translations", "translation.valid"),
    "rouge": ("summaries", "its summary.valid"),
    "loss": ("translations or summaries", "translation.valid or its summary.valid"),
}
"""Criterion -> what it needs, and where that is named."""


class TranslationValidation:
    """Measures a translator in the middle of its training.

    Adds points to the curve: the loss of every language that is written; BLEU, round-trip BLEU and
    the health of every direction; and the means over them, by which the best step is told. What
    is wrong with a direction is said, once.

    Args:
        bundle: the translator's, whose weights do not matter.
        texts: what is translated, by direction.
        most: texts of a direction that are translated.
        tokens: tokens of a batch.
        max_length: pairs with a longer sentence do not count for the loss of translations.
        judge: looks at what is written; None translates nothing.
    """

    def __init__(
        self,
        bundle: Bundle,
        texts: Mapping[str, Watched],
        *,
        most: int,
        tokens: int,
        max_length: int,
        judge: Judge | None,
    ) -> None:
        self.bundle, self.judge = bundle, judge
        self.texts = {name: part.first(most) for name, part in texts.items()}
        self.languages = list(bundle.tokenizer.lang2id)
        self.held_out = [
            (objective.name, pairs, all_once(pairs.groups, tokens))
            for objective, pairs in _pairs(texts, bundle.tokenizer, max_length)
        ]
        """Of which objective the loss is measured, on what, and every pair's batch."""

    @torch.no_grad()
    def __call__(self, model: nn.Module, state: TrainingState) -> None:
        """Append the points of the present step."""
        model.eval()
        for name, pairs, draws in self.held_out:
            self._measure_loss(name, map(pairs.batch, draws), model, state)
        if self.judge is not None:
            self._measure_writing(self.judge, model, state)

    def _measure_loss(
        self,
        name: str,
        batches: Iterable[TranslationBatch],
        model: Any,  # noqa: ANN401 - the `EncoderDecoder` that a session hands on
        state: TrainingState,
    ) -> None:
        """Add the loss of a target word in each language, and over all words."""
        parts = torch.zeros(len(self.languages), 3, dtype=torch.float64)
        for batch in batches:
            parts += translation_loss(model, batch, len(self.languages)).parts.cpu()
        total = parts.sum(dim=0).tolist()
        for language, (loss, count, correct) in zip(
            [*self.languages, AVERAGE], [*parts.tolist(), total], strict=True
        ):
            if count:
                values = {"loss": loss / count, "accuracy": correct / count}
                state.curve.append(point(state, name, language, "valid", values))

    def _measure_writing(self, judge: Judge, model: nn.Module, state: TrainingState) -> None:
        weights = {name: value.float() for name, value in model.state_dict().items()}
        translator = Translator(replace(self.bundle, weights=weights), capitals=False)
        found = judge(translator, self.texts, SearchConfig(beam_size=0))
        for metric, (objective, key) in _WRITTEN.items():
            values = {
                name: one.scores[metric].value
                for name, one in found.items()
                if metric in one.scores
            }
            if values:
                values[AVERAGE] = float(np.mean(list(values.values())))
            for name, value in values.items():
                state.curve.append(point(state, objective, name, "valid", {key: value}))
        for name, one in found.items():
            health = {key: v for key, v in one.health.to_json().items() if v is not None}
            state.curve.append(point(state, HEALTH, name, "valid", health))
        for sentence in new_findings(state.curve, judge.learner):
            say(f"Step {state.step:,}: {sentence}")


def progress_line(curve: Sequence[Mapping[str, Any]], criterion: str) -> str:
    """Return what the last measurement says by the criterion, as one line; "" without any.

    Such as "Step 500: English to German BLEU 20.4, German to English BLEU 22.0 (best so far)"; of
    many directions it gives the mean.
    """
    found = averages(curve, criterion)
    if not found:
        return ""
    objectives, value, _ = _JUDGED_BY[criterion]
    step = found[-1][0]
    measured = {
        _way(p["language"]): p[value]
        for p in curve
        if (p["step"], p["split"]) == (step, "valid") and p["objective"] in objectives
        if p["language"] != AVERAGE
    }
    if len(measured) > _MOST_SHOWN:
        measured = {f"{len(measured)} directions on average": np.mean(list(measured.values()))}
    digits = 3 if value == "loss" else 1
    shown = [f"{way} {_CALLED[criterion]} {x:.{digits}f}" for way, x in measured.items()]
    best = best_step(curve, criterion)
    end = "best so far" if best == step else f"best at step {best:,}"
    return f"Step {step:,}: {', '.join(shown)} ({end})"


def _way(name: str) -> str:
    """Return what a direction, or the language of a loss, is called."""
    source, _, target = name.partition("-")
    if source == target:
        return f"summaries in {known_language(source).name}"
    return " to ".join(known_language(code).name for code in (source, target) if code)


def check_criterion(criterion: str, texts: Mapping[str, Watched], place: str) -> None:
    """See that a criterion can tell the best step.

    Args:
        criterion: of the recipe.
        texts: on which the translator is validated, by direction.
        place: of the translator in the recipe.

    Raises:
        UserError: there are no texts for it.
    """
    known = [part for part in texts.values() if part.references is not None]
    translated = any(part.summary is None for part in known)
    summarised = any(part.summary is not None for part in known)
    possible = {
        "bleu": translated,
        "rouge": summarised,
        "loss": translated or summarised,
        ROUND_TRIP: both_ways(texts),
    }
    if possible[criterion]:
        return
    if criterion == ROUND_TRIP:
        raise UserError(
            f"translation.criterion is round_trip, but {place} has no direction that it learns "
            "both ways with text held out; let bt or mt learn both, and set data.split.valid."
        )
    what, key = _NEEDED[criterion]
    others = " or ".join(name for name, there in possible.items() if there)
    raise UserError(
        f"translation.criterion is {criterion}, but {place} has no {what} to be validated on; name "
        f"some in {key}" + (f", or set criterion: {others}." if others else ".")
    )


def averages(curve: Sequence[Mapping[str, Any]], criterion: str) -> list[tuple[int, float]]:
    """Return step and value of every measurement of a curve, so that more is better."""
    objectives, value, sign = _JUDGED_BY[criterion]
    found: dict[int, list[float]] = {}
    for p in curve:
        if p["objective"] in objectives and (p["language"], p["split"]) == (AVERAGE, "valid"):
            found.setdefault(p["step"], []).append(sign * p[value])
    return [(step, float(np.mean(values))) for step, values in found.items()]


def best_step(curve: Sequence[Mapping[str, Any]], criterion: str) -> int | None:
    """Return the step of the best measurement, the first of equal ones; None without any."""
    found = averages(curve, criterion)
    return max(found, key=lambda one: one[1])[0] if found else None


def measurements_since_best(curve: Sequence[Mapping[str, Any]], criterion: str) -> int:
    """Return how many measurements came after the best."""
    best = best_step(curve, criterion)
    return sum(step > best for step, _ in averages(curve, criterion)) if best is not None else 0


def _pairs(
    texts: Mapping[str, Watched], tokenizer: Tokenizer, max_length: int
) -> Iterator[tuple[type[Translation], DirectedPairs]]:
    """Yield the tokens of translations and of summaries, if there are any, with the objective."""
    translated, summarised, longest = {}, {}, 0
    for name, part in texts.items():
        if part.references is None:
            continue
        if part.summary is not None:
            longest = part.summary.length
            summarised[name] = summary_direction(
                part.sources, part.references, name, tokenizer, part.summary
            )
        else:
            source, target = name.split("-")
            translated[name] = direction_of(
                tokenizer.encode_batch(part.sources, source),
                tokenizer.lang2id[source],
                tokenizer.encode_batch(part.references, target),
                tokenizer.lang2id[target],
            )
    if translated:
        yield Translation, _short_enough(translated, max_length, "bleu")
    if summarised:
        yield Summarization, _short_enough(summarised, longest, "rouge", alike=False)


def _short_enough(
    directions: Mapping[str, Direction], longest: int, criterion: str, *, alike: bool = True
) -> DirectedPairs:
    """Return the pairs that are not too long; where all are, say so of these, not of training's."""
    try:
        return DirectedPairs(directions, longest, alpha=1.0, alike=alike)
    except UserError:
        what, key = _NEEDED[criterion]
        raise UserError(
            f"There are no {what} of at most {longest} tokens to validate on, which is the length "
            f"that is learned; raise that, or name shorter texts in {key}."
        ) from None
