"""The tasks that all of several models were measured on, and what each ranks by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from xlmkit.core.errors import UserError
from xlmkit.evaluate.comparable import has_directions
from xlmkit.evaluate.contenders import Contender
from xlmkit.evaluate.results import metric_title, score
from xlmkit.evaluate.score import Score, definition
from xlmkit.evaluate.seeds import Spread


@dataclass(frozen=True, slots=True)
class SharedTask:
    """A task that all models were measured on.

    Attributes:
        name: its name in the recipes.
        metric: what decides.
        languages: the languages that all models share.
        averaged: those of them that the average is over: those asked for, else what gave labels to
            no model; without any, what did not give them to every model; without any, all.
        source: the language of the labels, where it is the same for all, else "".
        scores: title of a model to language to score, of the first seed.
        spreads: title of a model that was adapted with several seeds to language to mean and
            deviation over them, as results.json has them.
    """

    name: str
    metric: str
    languages: tuple[str, ...]
    averaged: tuple[str, ...]
    source: str
    scores: Mapping[str, Mapping[str, Score]]
    spreads: Mapping[str, Mapping[str, Spread]]

    def mean(self, title: str, language: str) -> float:
        """Return what a model ranks by in a language: the mean over its seeds, if any."""
        mean = self.spreads.get(title, {}).get(language, {}).get("mean")
        return self.scores[title][language].value if mean is None else float(mean)

    def average(self, title: str) -> float:
        """Return a model's mean over the averaged languages, and over its seeds."""
        return fmean(self.mean(title, code) for code in self.averaged)

    def first_average(self, title: str) -> float:
        """Return the same of its first seed alone, whose answers are tested."""
        return fmean(self.scores[title][code].value for code in self.averaged)


def shared_names(
    contenders: Sequence[Contender], asked: Sequence[str], notes: list[str]
) -> list[str]:
    """Return the names of the tasks that all models have.

    Args:
        contenders: the models.
        asked: the tasks that matter, if any.
        notes: gets what was left out.

    Raises:
        UserError: nothing is shared, or what is asked for is not.
    """
    everywhere = [name for name in contenders[0].tasks if all(name in c.tasks for c in contenders)]
    known = dict.fromkeys(name for one in contenders for name in one.tasks)
    if missing := [name for name in asked if name not in everywhere]:
        raise UserError(
            f"Not all models were measured on {missing[0]!r}; "
            f"they share {', '.join(everywhere) or 'no task'}."
        )
    if not everywhere:
        own = "; ".join(f"{one.title}: {', '.join(one.tasks)}" for one in contenders)
        raise UserError(
            f"The models share no task ({own}); give the task the same name in every recipe."
        )
    if not asked and (left := [name for name in known if name not in everywhere]):
        notes.append(f"Left out, since not all models have them: {', '.join(left)}.")
    return [name for name in everywhere if not asked or name in asked]


def has_languages(
    contenders: Sequence[Contender], name: str, asked: Sequence[str], notes: list[str]
) -> bool:
    """Tell whether what has directions, and nobody asked for, has the languages that matter."""
    if not has_directions(name):
        return True
    for one in contenders:
        found = one.tasks[name]["languages"]
        if any(not any(_is_in(code, direction) for direction in found) for code in asked):
            notes.append(f"Left out, since it was not measured in all these languages: {name}.")
            return False
    return True


def shared_task(contenders: Sequence[Contender], name: str, asked: Sequence[str]) -> SharedTask:
    """Return a task of all models, in the languages that matter.

    Raises:
        UserError: they have no metric or language in common, or not one that is asked for.
    """
    first = contenders[0]
    metrics = [m for m in first.metrics(name) if all(m in c.metrics(name) for c in contenders)]
    if not metrics:
        raise UserError(f"The models have no metric of {name} in common; is it the same task?")
    scores = {
        one.title: {
            code: found
            for code, part in one.tasks[name]["languages"].items()
            if (found := score(part, metrics[0])) is not None
        }
        for one in contenders
    }
    shared = [code for code in scores[first.title] if all(code in of for of in scores.values())]
    if missing := [code for code in asked if not any(_is_in(code, one) for one in shared)]:
        raise UserError(
            f"Not all models were measured in {missing[0]!r} on {name}; "
            f"they share {', '.join(shared) or 'no language'}."
        )
    if not shared:
        raise UserError(f"The models share no language of the task {name}.")
    learned = [set(one.sources(name)) for one in contenders]
    chosen = [one for one in shared if not asked or any(_is_in(code, one) for code in asked)]
    by_some, by_all = set.union(*learned), set.intersection(*learned)
    others = ([code for code in chosen if code not in codes] for codes in (by_some, by_all))
    averaged = chosen if asked else next(filter(None, others), chosen)
    source = by_some.pop() if len(by_some) == 1 else ""
    spreads = {
        one.title: {code: found[metrics[0]] for code, found in over["languages"].items()}
        for one in contenders
        if (over := one.tasks[name].get("seeds"))
    }
    return SharedTask(name, metrics[0], tuple(chosen), tuple(averaged), source, scores, spreads)


def defined_alike(tasks: Sequence[SharedTask], notes: list[str]) -> list[SharedTask]:
    """Return the tasks whose metric is defined in the same way for all models.

    Args:
        tasks: all that the models share.
        notes: gets what was left out.

    Raises:
        UserError: there is none.
    """
    reasons = {task.name: reason for task in tasks if (reason := _differs(task))}
    if len(reasons) == len(tasks):
        raise UserError(f"{next(iter(reasons.values()))}.")
    notes += [f"Left out: {reason}." for reason in reasons.values()]
    return [task for task in tasks if task.name not in reasons]


def _differs(task: SharedTask) -> str:
    """Return how the definitions of a task's metric differ between models, "" if they do not."""
    for code in task.languages:
        made = {title: definition(of[code].signature) for title, of in task.scores.items()}
        if len(set(made.values())) > 1:
            told = "; ".join(f"{title}: {text}" for title, text in made.items())
            return (
                f"{metric_title(task.metric)} of {task.name} is not defined alike ({told}); "
                "give the recipes the same settings of it and measure again"
            )
    return ""


def _is_in(code: str, shared: str) -> bool:
    """Tell whether a language is the one that was measured, or in the direction that was."""
    return shared == code or shared.startswith(f"{code}-") or shared.endswith(f"-{code}")
