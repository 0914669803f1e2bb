"""Which of several models is best for some tasks and languages, and what it costs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xlmkit.evaluate.comparing_notes import (
    differing_labels,
    labels_of_some,
    seeds_note,
    undefined_scores,
    unequal_sizes,
    unshared_languages,
)
from xlmkit.evaluate.contenders import Contender
from xlmkit.evaluate.outcomes import Outcomes
from xlmkit.evaluate.paired import (
    Difference,
    bootstrap_p,
    difference,
    holm,
    resampled_differences,
)
from xlmkit.evaluate.resampling import per_example, statistic
from xlmkit.evaluate.score import interval
from xlmkit.evaluate.shared_tasks import (
    SharedTask,
    defined_alike,
    has_languages,
    shared_names,
    shared_task,
)
from xlmkit.evaluate.standings import Standing, judged, ranked, speed_notes

AVERAGE = ""
"""Stands for the mean over languages, in place of a language."""

LEVEL = 0.05
"""A difference with a corrected p below this is taken as shown."""

_RIGHT_OR_WRONG = ("accuracy", "exact_match")


@dataclass(frozen=True, slots=True)
class Pair:
    """The best model beside another one, in a language of a task.

    Attributes:
        task: the task's name.
        language: the language, or `AVERAGE`.
        other: title of the other model.
        difference: the best model's metric less the other's, of the first seed of both; None where
            they were not tested on the same examples.
        corrected: p after Holm's correction over all tests of single languages; that of an average
            is corrected over all averages.
    """

    task: str
    language: str
    other: str
    difference: Difference | None
    corrected: float | None

    @property
    def shown(self) -> int:
        """1 where the best is shown to be better, -1 where worse, 0 where it may be chance."""
        if self.difference is None or self.corrected is None or self.corrected >= LEVEL:
            return 0
        return 1 if self.difference.value > 0 else -1


@dataclass(frozen=True, slots=True)
class Comparison:
    """Models side by side: standings the best first, tasks, pairs with the best, and notes."""

    standings: tuple[Standing, ...]
    tasks: tuple[SharedTask, ...]
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]

    def decisive(self, other: str) -> list[Pair]:
        """Return the tests of the best against a model that were made on what is averaged."""
        return [pair for task in self.tasks for pair in _decisive(self.pairs, task, other)]


def compare(
    contenders: Sequence[Contender], tasks: Sequence[str] = (), languages: Sequence[str] = ()
) -> Comparison:
    """Compare models over the tasks and languages that they share.

    Args:
        contenders: two models or more.
        tasks: the tasks that matter; by default all that are shared.
        languages: the languages that matter; by default all that are shared, and the average is
            over those that gave no labels, see `SharedTask`.

    Raises:
        UserError: nothing is shared, or what is asked for is not, or no metric is defined alike.
    """
    notes: list[str] = []
    names = shared_names(contenders, tasks, notes)
    if not tasks and len(names) > 1:
        names = [name for name in names if has_languages(contenders, name, languages, notes)]
    shared = [shared_task(contenders, name, languages) for name in names]
    shared = defined_alike(shared, notes)
    names = [task.name for task in shared]
    notes += [note for name in names for one in contenders if (note := seeds_note(one, name))]
    for task in shared if not languages else ():
        notes += undefined_scores(contenders, task.name, task.metric)
        notes += unshared_languages(contenders, task.name, task.averaged)
        notes += labels_of_some(contenders, task.name, task.averaged)
    notes += differing_labels(contenders, names)
    averages = {one.title: [task.average(one.title) for task in shared] for one in contenders}
    standings = ranked(contenders, names, averages)
    notes += speed_notes(standings)
    pairs = list(_corrected(_with_the_best(contenders, standings, shared, notes)))
    surely_better = {
        (standings[0].title, pair.other)
        for task in shared
        for one in standings[1:]
        for pair in _decisive(pairs, task, one.title)
        if pair.shown > 0
    }
    return Comparison(
        standings=tuple(judged(standings, surely_better)),
        tasks=tuple(shared),
        pairs=tuple(pairs),
        notes=tuple(dict.fromkeys(notes)),
    )


def _decisive(pairs: Iterable[Pair], task: SharedTask, other: str) -> list[Pair]:
    """Return the test of a task's average, or of the one language that stands for it."""
    language = AVERAGE if len(task.averaged) > 1 else task.averaged[0]
    where = task.name, language, other
    tested = [pair for pair in pairs if pair.difference and pair.corrected is not None]
    return [pair for pair in tested if (pair.task, pair.language, pair.other) == where]


def _with_the_best(
    contenders: Sequence[Contender],
    standings: Sequence[Standing],
    tasks: Sequence[SharedTask],
    notes: list[str],
) -> list[Pair]:
    """Return the paired tests of the best model with each other one, task by task."""
    by_title = {one.title: one for one in contenders}
    best, *others = (by_title[one.title] for one in standings)
    return [
        pair
        for task in tasks
        for other in others
        for pair in _paired_tests(best, other, task, notes)
    ]


def _paired_tests(
    best: Contender, other: Contender, task: SharedTask, notes: list[str]
) -> list[Pair]:
    """Return the differences in every language, and in their average where all have one."""
    ours, theirs = best.outcomes(task.name), other.outcomes(task.name)
    pairs, samples = [], {}
    for code in task.languages:
        found = None
        if code not in ours or code not in theirs:
            lacking = best if code not in ours else other
            notes.append(
                f"{lacking.title} has no single answers for {task.name}, so there is no paired "
                "test; xlmkit evaluate --force keeps them, in the folder of the run."
            )
        elif not ours[code].same_examples(theirs[code]):
            notes.append(
                f"{best.title} and {other.title} were tested on different examples of {task.name} "
                f"in {code}, so there is no paired test."
            )
        elif drawn := _tested(task.metric, ours[code], theirs[code]):
            found, samples[code] = drawn
        else:
            notes.append(f"No paired test is known for {task.metric} of {task.name}.")
        pairs.append(Pair(task.name, code, other.title, found, None))
    if len(task.averaged) > 1 and all(code in samples for code in task.averaged):
        pairs.append(_averaged(best, other, task, samples))
        notes += unequal_sizes(task.name, [len(ours[code].ids) for code in task.averaged])
    return pairs


def _tested(
    metric: str, ours: Outcomes, theirs: Outcomes
) -> tuple[Difference, NDArray[np.float64]] | None:
    """Return the difference in one language, and its bootstrap samples.

    Examples stay in the order of the test file, so that translations of one example, which have the
    same number in the files of all languages, are drawn together.
    """
    one, two = ours.columns, theirs.in_order_of(ours).columns
    first, second = statistic(metric, one), statistic(metric, two)
    n = len(ours.ids)
    if first is None or second is None or not n:
        return None
    samples = resampled_differences(first, second, n)
    right = None
    if metric in _RIGHT_OR_WRONG:
        values = per_example(metric, one), per_example(metric, two)
        if values[0] is not None and values[1] is not None and _whole(values[0], values[1]):
            right = values[0], values[1]
    return difference(first, second, n, samples, right), samples


def _whole(*sides: NDArray[np.float64]) -> bool:
    """Tell whether everything is right or wrong, and nothing is shared among ties."""
    return all(np.isin(values, (0, 1)).all() for values in sides)


def _averaged(
    best: Contender,
    other: Contender,
    task: SharedTask,
    samples: Mapping[str, NDArray[np.float64]],
) -> Pair:
    """Return the difference of the averages, from what each language had in the same resample."""
    drawn = np.mean([samples[code] for code in task.averaged], axis=0)
    low, high = interval(drawn)
    n = sum(task.scores[best.title][code].n for code in task.averaged)
    value = task.first_average(best.title) - task.first_average(other.title)
    found = Difference(value, low, high, bootstrap_p(drawn), n, "bootstrap")
    return Pair(task.name, AVERAGE, other.title, found, None)


def _corrected(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Correct the p-values of single languages for their number, and those of averages for theirs.

    An average is no further language: it is a question of its own, and its tests are a family of
    their own.
    """

    def family(*, average: bool) -> Iterator[float]:
        kept = [pair for pair in pairs if (pair.language == AVERAGE) == average]
        return iter(holm([pair.difference.p for pair in kept if pair.difference]))

    families = {average: family(average=average) for average in (False, True)}
    for pair in pairs:
        tested = pair.difference is not None
        yield replace(pair, corrected=next(families[pair.language == AVERAGE])) if tested else pair
