"""How a translator is judged by what it writes: BLEU, the way back, and health."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xlmkit.build.translation_texts import Watched
from xlmkit.evaluate.comparable import SUMMARIES, TRANSLATION, WRITTEN
from xlmkit.evaluate.language_identifier import LanguageIdentifier
from xlmkit.evaluate.outcomes import Outcomes, example_ids
from xlmkit.evaluate.rouge import rouge_counts, rouge_scores
from xlmkit.evaluate.score import Score
from xlmkit.evaluate.translation import translation_counts, translation_scores
from xlmkit.evaluate.translation_diagnosis import Finding, Learner, findings
from xlmkit.evaluate.translation_health import Health, round_trip, translation_health
from xlmkit.evaluate.translation_metrics import QUICK_METRICS, thorough_metrics
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.summarizer import Summarizer
from xlmkit.generate.translator import Translator
from xlmkit.text.languages import language as known_language
from xlmkit.text.normalize import lowercase_and_remove_accent

ROUND_TRIP = "round_trip"

SUMMARY_METRICS = WRITTEN[SUMMARIES]
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Written:
    """What a translator wrote in one direction, and what that is worth.

    Attributes:
        texts: what was translated or summarised; its references are None where there are none.
        outputs: the translations or summaries.
        scores: by name of the metric; `round_trip` is that of the way there and back.
        health: how the outputs look.
        folded: whether all of it is lower-cased and without accents.
    """

    texts: Watched
    outputs: list[str]
    scores: dict[str, Score]
    health: Health
    folded: bool = False

    @property
    def task(self) -> str:
        """What the outputs are, by its name in a comparison."""
        return TRANSLATION if self.texts.summary is None else SUMMARIES

    def outcomes(self, direction: str) -> Outcomes | None:
        """Return what the scores of single texts are made from; None without references.

        Of translations the counts of BLEU, of summaries ROUGE's F1.
        """
        references = self.texts.references
        if references is None:
            return None
        target, ids = direction.partition("-")[2], example_ids(self.texts.sources, references)
        if self.texts.summary is not None:
            rouge = rouge_counts(self.outputs, [references], target, SUMMARY_METRICS)
            shares = {name: one.per_sentence[:, 0] / 100 for name, one in rouge.items()}
            return Outcomes(ids, shares)
        made = translation_counts(
            self.outputs, [references], target, ("bleu",), lowercase=self.folded
        )
        return Outcomes(ids, {"bleu": made["bleu"].per_sentence.astype(np.int64)})

    def findings(self, direction: str, learner: Learner) -> list[Finding]:
        """Return what is wrong with what `learner` wrote."""
        source, target = (known_language(code).name for code in direction.split("-"))
        return findings(self.health, source, target, learner)

    def to_json(self, direction: str, learner: Learner) -> dict[str, Any]:
        """Return plain values for JSON, with a few examples spread over the texts."""
        found = self.findings(direction, learner)
        n = len(self.outputs)
        shown = sorted({n * i // _EXAMPLES for i in range(_EXAMPLES)})
        references = self.texts.references
        return {
            "n": n,
            "scores": {name: score.to_json() for name, score in self.scores.items()},
            "health": self.health.to_json(),
            "diagnosis": [str(one) for one in found],
            "findings": [one.to_json() for one in found],
            "examples": [
                {
                    "source": self.texts.sources[i],
                    "output": self.outputs[i],
                    "reference": references[i] if references else None,
                }
                for i in shown
            ],
        }


@dataclass(frozen=True, slots=True)
class Judge:
    """Lets a translator write, and looks at it.

    Attributes:
        identifier: tells the languages apart; None where there is but one.
        folded: whether the model's text is lower-cased and without accents; then so are references.
        back: whether outputs are translated back, in directions that are learned both ways.
        learner: who learns, for the advice.
    """

    identifier: LanguageIdentifier | None
    folded: bool
    back: bool
    learner: Learner

    def __call__(
        self,
        translator: Translator,
        texts: Mapping[str, Watched],
        search: SearchConfig,
        *,
        resamples: int = 0,
        thorough: bool = False,
    ) -> dict[str, Written]:
        """Translate every direction's texts and measure what comes.

        Args:
            translator: who translates.
            texts: what is translated, by direction.
            search: how translations are searched for.
            resamples: by how many the intervals are made; 0 makes none.
            thorough: measure by TER and the original's BLEU, too, which take longer.
        """
        return {
            direction: self._judged(
                translator,
                direction,
                self._folded(part),
                search,
                resamples,
                thorough=thorough,
                back=self.back and _both_ways(direction, texts),
            )
            for direction, part in texts.items()
        }

    def _folded(self, texts: Watched) -> Watched:
        if not self.folded:
            return texts
        references = texts.references
        return replace(
            texts,
            sources=[lowercase_and_remove_accent(text) for text in texts.sources],
            references=references and [lowercase_and_remove_accent(one) for one in references],
        )

    def _judged(
        self,
        translator: Translator,
        direction: str,
        texts: Watched,
        search: SearchConfig,
        resamples: int,
        *,
        thorough: bool,
        back: bool,
    ) -> Written:
        source, target = direction.split("-")
        outputs = _written(translator, texts, source, target, search)
        known = self.identifier
        if known is not None and target not in known.languages:
            known = None
        scores = self._scores(texts, outputs, target, resamples, thorough=thorough)
        if back:
            scores[ROUND_TRIP] = round_trip(
                texts.sources,
                lambda _: outputs,
                lambda sent: translator.translate(sent, target, source, search),
                source,
                target,
                identifier=known,
                resamples=resamples,
            ).bleu
        if self.folded:  # which no metric knows
            scores = {
                name: replace(score, signature=f"{score.signature}|accents:removed")
                for name, score in scores.items()
            }
        health = translation_health(
            texts.sources, outputs, source, target, references=texts.references, identifier=known
        )
        return Written(texts, outputs, scores, health, self.folded)

    def _scores(
        self, texts: Watched, outputs: list[str], target: str, resamples: int, *, thorough: bool
    ) -> dict[str, Score]:
        if texts.references is None:
            return {}
        references = [texts.references]
        if texts.summary is not None:
            return rouge_scores(outputs, references, target, SUMMARY_METRICS, resamples=resamples)
        metrics = thorough_metrics(target) if thorough else QUICK_METRICS
        return translation_scores(
            outputs, references, target, metrics, resamples=resamples, lowercase=self.folded
        )


def _written(
    translator: Translator, texts: Watched, source: str, target: str, search: SearchConfig
) -> list[str]:
    if texts.summary is None:
        return translator.translate(texts.sources, source, target, search)
    summarizer = Summarizer(translator, texts.summary.length, texts.summary.summary_length)
    return summarizer.summarize(texts.sources, source, target, search)


def _both_ways(direction: str, texts: Mapping[str, Watched]) -> bool:
    back = "-".join(reversed(direction.split("-")))
    return back in texts and texts[direction].summary is None and texts[back].summary is None


def both_ways(texts: Mapping[str, Watched]) -> bool:
    """Tell whether any direction can be gone back."""
    return any(_both_ways(direction, texts) for direction in texts)
