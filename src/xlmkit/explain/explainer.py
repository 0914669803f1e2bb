"""A finetuned model that explains what it says about a text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import torch
from torch import Tensor

from xlmkit.checkpoint.ready import model_type_of
from xlmkit.core.errors import UserError
from xlmkit.evaluate.scoring import Scoring
from xlmkit.explain.attention import chosen_layers, word_attention
from xlmkit.explain.explanation import (
    TOLERANCE,
    Attention,
    Explained,
    Explanation,
    Kind,
)
from xlmkit.explain.gradients import attribute
from xlmkit.explain.plain_subject import PlainSubject
from xlmkit.explain.reading import Head, Reading
from xlmkit.explain.subject import Asked, Subject

Baseline = Literal["pad", "mask"]

_STEPS = (50, 100, 200, 400, 800)
_OUTSIDE = "O"  # the tag of what is no entity


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that was said: its name, probability, head, and the word that it is said of."""

    label: str
    probability: float | None
    head: Head
    word: int | None = None
    row: int = 0


class Explainer:
    """Explains predictions by integrated gradients, and shows attention.

    Args:
        subject: the model.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Open a finetuned model of xlmkit, or of another family of `transformers`.

        Raises:
            UserError: the folder is none, or its head says nothing about a text.
        """
        from xlmkit.explain.other_families import FamilySubject

        path = Path(folder)
        if (family := model_type_of(path)) != "xlm":
            return cls(FamilySubject.open(path, family))
        return cls(PlainSubject.open(path))

    def explain(
        self,
        text: str,
        lang: str,
        *,
        second: str | None = None,
        choices: Sequence[str] = (),
        question: str | None = None,
        question_lang: str | None = None,
        labels: Sequence[str] = (),
        words: Sequence[str] = (),
        spaces: bool = False,
        steps: int | None = None,
        baseline: Baseline | None = None,
        attention: str | None = None,
    ) -> Explanation:
        """Explain what the model says.

        Args:
            text: the text; of a question, the context.
            lang: its language.
            second: the second text of a pair.
            choices: texts to choose from.
            question: what the text answers.
            question_lang: the language of the question, where it is not that of the text.
            labels: what to explain; by default what the model says.
            words: of a tagger, the words whose tags are explained; by default all that are tagged
                as anything but O.
            spaces: of a tagger, that spaces alone part words.
            steps: points of the integral; by default as many as make the attributions add up to
                the change of the output, up to 800.
            baseline: the token that stands for "no word"; by default `pad` for xlmkit's models,
                `mask` for others that have one.
            attention: numbers of layers from 1, such as `1,6`, or `all`.

        Raises:
            UserError: the model does not read such texts, a name is unknown, or captum is missing.
        """
        asked = Asked(
            text=text, language=lang, second=second, choices=choices, question=question,
            question_language=question_lang, spaces=spaces,
        )  # fmt: skip
        return self._explained(asked, labels, words, steps, baseline, attention)

    def _explained(
        self,
        asked: Asked,
        labels: Sequence[str],
        words: Sequence[str],
        steps: int | None,
        baseline: Baseline | None,
        attention: str | None,
    ) -> Explanation:
        kind = self.subject.kind
        asked.check(kind, self.subject.scoring.pairs)
        named: str = next(iter(self.subject.blanks)) if baseline is None else baseline
        if named not in self.subject.blanks:
            raise UserError(f"This model has no {named} token; take --baseline pad.")
        layers = chosen_layers(attention, self.subject.n_layers) if attention else []
        reading = self.subject.read(asked)
        if not reading.words:
            raise UserError("The text has no words to explain; give another --text.")
        if reading.cut and kind == "answer":
            raise UserError(
                "Question and context are longer than the model reads at once; give the part of "
                "the context that has the answer."
            )
        with torch.no_grad():
            given = reading.scores(reading.ids).float()[None]
        targets = self._targets(kind, given, reading, asked, labels, words)
        blank = reading.blank(self.subject.blanks[named])
        explained = [_explained(reading, target, blank, steps) for target in targets]
        return Explanation(
            kind=kind,
            texts=asked.texts,
            language=asked.language,
            words=reading.words,
            tokens=reading.tokens,
            explained=explained,
            baseline=named,
            attention=self._attention(reading, layers, targets[0].row) if layers else None,
            notes=list(_notes(reading, explained, self.subject.scoring.append)),
        )

    def _targets(
        self,
        kind: Kind,
        given: Tensor,
        reading: Reading,
        asked: Asked,
        labels: Sequence[str],
        words: Sequence[str],
    ) -> list[Target]:
        if words and kind != "tags":
            raise UserError("Only a tagger says something of single words; leave out --word.")
        if labels and kind in ("number", "choice", "answer"):
            raise UserError("This model has no labels to choose from; leave out --label.")
        numbers = [self._number(label) for label in labels]
        names = self.subject.labels
        match kind:
            case "classes":
                return _classes(given, names, numbers)
            case "several":
                return _several(given, names, numbers)
            case "number":
                return [_value(given, self.subject.scoring)]
            case "choice":
                return [_choice(given, asked.choices)]
            case "tags":
                return _tags(given, names, numbers, reading, words)
            case "answer":
                return [_answer(self.subject, given, reading, asked.text)]

    def _number(self, label: str) -> int:
        names = self.subject.labels
        if label not in names:
            raise UserError(f"The model has no label {label!r}, only {', '.join(names)}.")
        return names.index(label)

    def _attention(self, reading: Reading, layers: list[int], row: int) -> Attention:
        weights = self.subject.attention(reading, row)[[number - 1 for number in layers]]
        real = reading.lengths[row]
        kept = weights[..., :real, :real].float().cpu().numpy()
        symbols, owners = reading.symbols[row][:real], reading.owners[row, :real]
        return word_attention(kept, owners, symbols, reading.words, layers)


def _log_odds(scores: Tensor, number: int) -> Tensor:
    """Return log p / (1 - p) of one of the last dimension's scores."""
    others = torch.cat([scores[..., :number], scores[..., number + 1 :]], dim=-1)
    return scores[..., number] - others.logsumexp(dim=-1)


def _classes(given: Tensor, names: Sequence[str], numbers: list[int]) -> list[Target]:
    probabilities = given[0, 0].softmax(dim=-1)

    def head(number: int) -> Head:
        return lambda found: _log_odds(found[:, 0], number)

    chosen = numbers or [int(probabilities.argmax())]
    return [Target(names[n], float(probabilities[n]), head(n)) for n in chosen]


def _several(given: Tensor, names: Sequence[str], numbers: list[int]) -> list[Target]:
    probabilities = given[0, 0].sigmoid()

    def head(number: int) -> Head:
        return lambda found: found[:, 0, number]

    said = [n for n in range(len(names)) if probabilities[n] >= 0.5]
    chosen = numbers or said or [int(probabilities.argmax())]
    return [Target(names[n], float(probabilities[n]), head(n)) for n in chosen]


def _value(given: Tensor, scoring: Scoring) -> Target:
    """Name the number as `xlmkit predict` does; what is explained is on the scale of training."""
    value = float(given[0, 0, 0]) * scoring.deviation + scoring.mean
    return Target(f"{value:.3f}", None, lambda found: found[:, 0, 0])


def _choice(given: Tensor, choices: Sequence[str]) -> Target:
    """Explain the best choice, counted from 0 as `xlmkit predict` does."""
    probabilities = given[0, :, 0].softmax(dim=-1)
    best = int(probabilities.argmax())
    head: Head = lambda found: _log_odds(found[:, :, 0], best)  # noqa: E731
    return Target(f"choice {best}: {choices[best]}", float(probabilities[best]), head, row=best)


def _tags(
    given: Tensor,
    names: Sequence[str],
    numbers: list[int],
    reading: Reading,
    words: Sequence[str],
) -> list[Target]:
    read = [] if reading.judged is None else reading.judged.tolist()
    probabilities = given[0, 0].softmax(dim=-1)
    said = {word: int(probabilities[reading.first(word)].argmax()) for word in read}
    if words:
        texts = {reading.words[word].text for word in read}
        if missing := [word for word in words if word not in texts]:
            if missing[0] in {word.text for word in reading.words}:
                raise UserError(
                    f"{missing[0]!r} is read in a later window, and only the first is explained; "
                    "give the part of the text around it as --text."
                )
            raise UserError(
                f"The text has no word {missing[0]!r}; its words are {' '.join(sorted(texts))}."
            )
        chosen = [word for word in read if reading.words[word].text in words]
    else:
        chosen = [word for word in read if names[said[word]] != _OUTSIDE] or read

    def head(place: int, number: int) -> Head:
        return lambda found: _log_odds(found[:, 0, place], number)

    targets = []
    for word in chosen:
        place = reading.first(word)
        for number in numbers or [said[word]]:
            probability = float(probabilities[place, number])
            targets.append(Target(names[number], probability, head(place, number), word))
    return targets


def _answer(subject: Subject, given: Tensor, reading: Reading, context: str) -> Target:
    """Return the likeliest span of the context."""
    places = reading.places(1)
    if not places:
        raise UserError("The context has no words; give another --text.")
    starts_L = subject.start_scores(given, reading)[0]
    best = (-np.inf, 0, 0)
    for start in sorted(places, key=lambda place: -float(starts_L[place]))[: subject.starts]:
        ends_L = subject.end_scores(given, reading, start)[0]
        for end in (place for place in places if 0 <= place - start < subject.settings.max_answer):
            best = max(best, (float(starts_L[start] + ends_L[end]), start, end))
    score, first, last = best

    def head(found: Tensor) -> Tensor:
        starts_NL = subject.start_scores(found, reading)
        return starts_NL[:, first] + subject.end_scores(found, reading, first)[:, last]

    answer = context[reading.spans[0, first, 0] : reading.spans[0, last, 1]]
    return Target(answer, float(np.exp(score)), head)


def _explained(reading: Reading, target: Target, blank: Tensor, steps: int | None) -> Explained:
    """Explain one thing, with more and more steps until the sum is right, or with these."""
    for n in _STEPS if steps is None else (steps,):
        found_RL, output, without = attribute(reading, target.head, blank, n)
        own = reading.owners >= 0
        tokens = found_RL.double().cpu().numpy()[own]
        scores = np.zeros(len(reading.words))
        np.add.at(scores, reading.owners[own], tokens)
        made = Explained(
            target.label,
            target.probability,
            output,
            without,
            scores.tolist(),
            tokens.tolist(),
            n,
            target.word,
        )
        if made.converged:
            break
    return made


def _notes(
    reading: Reading, explained: Sequence[Explained], appended: Sequence[str]
) -> Iterator[str]:
    if appended:
        yield (
            f"The model learned texts with {' and '.join(appended)} behind them; put the same "
            "behind this one, unless it is there."
        )
    if reading.joins:
        yield (
            "The text is longer than the model reads at once, and what it predicts comes from "
            "several windows; only the first window is explained."
        )
    elif reading.cut:
        yield "The text is longer than the model reads; what lies behind was not read."
    if any(not one.converged for one in explained):
        yield (
            f"Some attributions do not add up to the change of the output within {TOLERANCE:.0%}; "
            "more --steps or another --baseline make them more exact."
        )
