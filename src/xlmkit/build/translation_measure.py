"""How a translator is judged: by its loss, and by BLEU of what it writes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.data.shards import Sentences
from xlmkit.data.translations import DirectedPairs, Direction
from xlmkit.evaluate.translation import translation_scores
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.translator import Translator
from xlmkit.objectives.base import Objective
from xlmkit.objectives.translate import Translation
from xlmkit.tasks.translation import TranslatedTexts
from xlmkit.text.normalize import lowercase_and_remove_accent
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import EOS
from xlmkit.train.hooks import point
from xlmkit.train.state import TrainingState

AVERAGE = "average"


def measure_bleu(
    translator: Translator, texts: Mapping[str, TranslatedTexts], search: SearchConfig
) -> dict[str, dict[str, Any]]:
    """Return BLEU, its signature and the number of texts of every direction.

    Where the model's text is lower-cased and without accents, so are the references.
    """
    folded = translator.tokenizer.lowercase_and_remove_accent
    found = {}
    for name, part in texts.items():
        source, target = name.split("-")
        written = translator.translate(part.sources, source, target, search)
        references = part.references
        if folded:
            references = [lowercase_and_remove_accent(text) for text in references]
        measured = translation_scores(
            written, [references], target, ("bleu",), resamples=0, lowercase=folded
        )["bleu"]
        found[name] = {
            "bleu": round(measured.value, 2),
            "n": len(written),
            "signature": measured.signature,
        }
    return found


class TranslationValidation:
    """Measures a translator in the middle of its training.

    Adds points to the curve: the loss of every language that is written, BLEU of every direction,
    and the means of both, by which the best step is told.

    Args:
        bundle: the translator's, whose weights do not matter.
        texts: translations by direction.
        most: texts of a direction that are translated.
        tokens: tokens of a batch.
        max_length: pairs with a longer sentence do not count for the loss.
        with_bleu: translate at all.
    """

    def __init__(
        self,
        bundle: Bundle,
        texts: Mapping[str, TranslatedTexts],
        *,
        most: int,
        tokens: int,
        max_length: int,
        with_bleu: bool,
    ) -> None:
        self.bundle, self.with_bleu = bundle, with_bleu
        self.texts = {
            name: TranslatedTexts(part.sources[:most], part.references[:most])
            for name, part in texts.items()
        }
        pairs = DirectedPairs(_directions(texts, bundle.tokenizer), max_length, alpha=1.0)
        languages = list(bundle.tokenizer.lang2id)
        self.objective: Objective = Translation(pairs, languages, tokens=tokens, seed="valid")
        read = sum(int(group.lengths.sum()) for group in pairs.groups)
        self.batches = max(1, round(read / tokens))

    @torch.no_grad()
    def __call__(self, model: nn.Module, state: TrainingState) -> None:
        """Append the points of the present step."""
        model.eval()
        objective = self.objective
        parts = torch.zeros(len(objective.groups), 3, dtype=torch.float64)
        for number in range(self.batches):
            parts += objective.loss(model, objective.batch(number)).parts.cpu()
        total = parts.sum(dim=0).tolist()
        for language, (loss, count, correct) in zip(
            [*objective.groups, AVERAGE], [*parts.tolist(), total], strict=True
        ):
            if count:
                values = {"loss": loss / count, "accuracy": correct / count}
                state.curve.append(point(state, "mt", language, "valid", values))
        if self.with_bleu:
            weights = {name: value.float() for name, value in model.state_dict().items()}
            translator = Translator(replace(self.bundle, weights=weights))
            found = measure_bleu(translator, self.texts, SearchConfig(beam_size=0))
            values = {name: score["bleu"] for name, score in found.items()}
            values[AVERAGE] = float(np.mean(list(values.values())))
            for name, value in values.items():
                state.curve.append(point(state, "bleu", name, "valid", {"bleu": value}))


def averages(curve: Sequence[Mapping[str, Any]], criterion: str) -> list[tuple[int, float]]:
    """Return step and value of every measurement of a curve, so that more is better."""
    objective, sign = ("bleu", 1.0) if criterion == "bleu" else ("mt", -1.0)
    return [
        (p["step"], sign * p[criterion])
        for p in curve
        if (p["objective"], p["language"], p["split"]) == (objective, AVERAGE, "valid")
    ]


def best_step(curve: Sequence[Mapping[str, Any]], criterion: str) -> int | None:
    """Return the step of the best measurement, the first of equal ones; None without any."""
    found = averages(curve, criterion)
    return max(found, key=lambda one: one[1])[0] if found else None


def measurements_since_best(curve: Sequence[Mapping[str, Any]], criterion: str) -> int:
    """Return how many measurements came after the best."""
    best = best_step(curve, criterion)
    return sum(step > best for step, _ in averages(curve, criterion)) if best is not None else 0


def _directions(texts: Mapping[str, TranslatedTexts], tokenizer: Tokenizer) -> dict[str, Direction]:
    """Return the texts as tokens."""
    directions = {}
    for name, part in texts.items():
        source, target = name.split("-")
        numbers = np.arange(len(part.sources))
        directions[name] = Direction(
            _sentences(part.sources, source, tokenizer),
            tokenizer.lang2id[source],
            _sentences(part.references, target, tokenizer),
            tokenizer.lang2id[target],
            np.stack([numbers, numbers], axis=1),
        )
    return directions


def _sentences(texts: Sequence[str], language: str, tokenizer: Tokenizer) -> Sentences:
    rows = [np.append(ids, EOS) for ids in tokenizer.encode_batch(list(texts), language)]
    starts = np.cumsum([0, *map(len, rows)])
    return Sentences(np.concatenate(rows), starts)
