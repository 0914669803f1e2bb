"""The models of several runs, or their translators, as they are to be compared."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json
from xlmkit.evaluate.comparable import WRITTEN, comparable_tasks
from xlmkit.evaluate.outcomes import FOLDER, Outcomes, load_outcomes
from xlmkit.evaluate.results import Results, sources_of, task_metrics

_RESULTS = "results.json"


@dataclass(frozen=True, slots=True)
class Contender:
    """A measured model of a run.

    Attributes:
        title: its name beside the others.
        key: its name in the recipe.
        results: all of its run's results.json.
        folder: the run's folder.
        part: of the results that it is in.
    """

    title: str
    key: str
    results: Results
    folder: Path
    part: Literal["models", "translators"] = "models"

    @property
    def model(self) -> Mapping[str, Any]:
        """Its part of results.json."""
        found: Mapping[str, Any] = self.results[self.part][self.key]
        return found

    @property
    def tasks(self) -> Mapping[str, Mapping[str, Any]]:
        """What it was measured on, by name: tasks, retrieval, translation, summaries."""
        return comparable_tasks(self.model)

    @property
    def device(self) -> tuple[str, int] | None:
        """The processor that it answered on, and how many threads; None where not known."""
        found = self.model.get("device") or {}
        return (str(found["name"]), int(found["threads"])) if found else None

    def sources(self, task: str) -> list[str]:
        """Return all languages that gave a task its labels."""
        return sources_of(self.results, self.tasks[task])

    def metrics(self, task: str) -> list[str]:
        """Return the metrics of a task, that which decides first."""
        return task_metrics(self.tasks[task])

    def outcomes(self, task: str) -> dict[str, Outcomes]:
        """Return its answers by language, none where they were not kept.

        Raises:
            UserError: the file is damaged.
        """
        stage = self.key if self.part == "models" else f"{self.key}@translator"
        path = self.folder / "evaluate" / stage / FOLDER / f"{task}.npz"
        return load_outcomes(path) if path.is_file() else {}

    def texts_per_second(self, tasks: Sequence[str]) -> float | None:
        """Return how many texts it answered in a second over these tasks, None if not known.

        Retrieval and translation are not timed, and do not count.
        """
        texts, seconds = 0, 0.0
        for task in tasks:
            found = self.tasks[task]
            if "seconds" not in found:
                continue
            if not found["seconds"]:
                return None
            seconds += found["seconds"]
            texts += sum(part.get("n") or 0 for part in found["languages"].values())
        return texts / seconds if seconds else None

    def seconds(self, tasks: Sequence[str]) -> float:
        """Return for how long it answered over these tasks, as far as it was timed."""
        return float(sum(self.tasks[task].get("seconds") or 0.0 for task in tasks))

    def size(self, tasks: Sequence[str]) -> int | None:
        """Return the bytes of its weights on disk, as adapted to the largest of these tasks."""
        return max((self.tasks[task].get("bytes") or 0 for task in tasks), default=0) or None


def read_contenders(runs: Sequence[Path], tasks: Sequence[str] = ()) -> list[Contender]:
    """Return all models of some runs that were measured on anything, in order.

    Translators are compared among themselves: where translation or summaries are asked for, or
    where the runs have nothing else.

    Args:
        runs: folders of runs, or their results.json.
        tasks: what is asked for, if anything.

    Raises:
        UserError: a run has no results, is named twice, or there are no two models.
    """
    of_translators = [name for name in tasks if name in WRITTEN]
    if of_translators and len(of_translators) < len(tasks):
        raise UserError(
            f"Translators are compared among themselves; leave out --task {of_translators[0]}, or "
            "the other tasks."
        )
    paths = [_results_file(run) for run in runs]
    for path, times in Counter(path.resolve() for path in paths).items():
        if times > 1:
            raise UserError(f"{path.parent} is named {times} times; name each run once.")
    everything = [one for path in paths for one in _of_run(path)]
    models = [one for one in everything if one.part == "models"]
    found = models
    if of_translators or not models:
        found = [one for one in everything if one.part == "translators"]
    if len(found) < 2:
        which = f"only {found[0].title} was" if found else "no model was"
        raise UserError(
            f"Two models are needed to compare, and {which} measured on a task; name another run."
        )
    return _told_apart(found)


def _results_file(run: Path) -> Path:
    path = run / _RESULTS if run.is_dir() else run
    if not path.is_file():
        hint = f"no {_RESULTS} in it" if run.is_dir() else "no such file or folder"
        raise UserError(
            f"{run} has no results ({hint}); name the folder of a finished run, which xlmkit run "
            "or xlmkit report completes."
        )
    return path


def _of_run(path: Path) -> Iterator[Contender]:
    results = read_json(path)
    if not isinstance(results, Mapping) or not isinstance(results.get("models"), Mapping):
        raise UserError(f"{path} is not the results.json of a run of xlmkit.")
    parts: tuple[Literal["models", "translators"], ...] = ("models", "translators")
    for part in parts:
        for key, model in (results.get(part) or {}).items():
            one = Contender(str(model.get("title") or key), key, results, path.parent, part)
            if one.tasks:
                yield one


def _told_apart(found: list[Contender]) -> list[Contender]:
    """Give models of the same name that of their run, or its folder, as well."""
    for where in (
        lambda one: str(one.results.get("name") or one.folder.name),
        lambda one: one.folder.resolve().name,
        lambda one: str(one.folder),
        lambda one: one.key,
    ):
        times = Counter(one.title for one in found)
        found = [
            replace(one, title=f"{one.title} ({where(one)})") if times[one.title] > 1 else one
            for one in found
        ]
    return found
