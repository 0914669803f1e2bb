"""How the trials of a sweep are trained, side by side where there are cores, and one is chosen.

Each trial is a stage of its own, of which the scores are kept. The model of the best so far waits
beside it until the task's own stage takes it, so that no more than one lies on the disk. Where it
is gone, as after a sweep to which values are added, the chosen trial is trained once more. A trial
that diverges is finished as well, as the worst: rates that are too high are tried on purpose.
"""

import math
import os
import shutil
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import fmean
from typing import Any

from xlmkit.build.adapting import Adapting, forget_training
from xlmkit.build.setting import Setting
from xlmkit.core.errors import DivergedError, UserError
from xlmkit.core.files import read_json, write_json
from xlmkit.core.log import say
from xlmkit.core.machine import package_versions
from xlmkit.core.parallel import map_in_order
from xlmkit.core.stages import Stage
from xlmkit.plan import FIGURES_FILE, RunPlan
from xlmkit.tasks.sweep import Trial
from xlmkit.train.selection import measured_steps

_TRAINED = "trained"
_WAITING = ".model"  # after the name of a trial
_TOLD = ("lr", "tokens_per_batch", "score", "step")  # of a trial, beside the figures of training
_DIVERGED = "diverged"  # why, of a trial without a score


@dataclass(frozen=True, slots=True)
class _Job:
    """A trial that is to be trained, as another process is told of it."""

    plan: RunPlan
    name: str
    task: str
    trial: Trial
    asked_by: int


def sweep(setting: Setting, name: str, task: str) -> list[dict[str, Any]]:
    """Train the trials that are not finished; return what came of all of them.

    Returns:
        `lr`, `tokens_per_batch`, `score`, `step` and whether it is `chosen`, of each trial; of one
        that diverged score and step are None, and `diverged` says why.

    Raises:
        UserError: a trial cannot be trained, or all of them diverge.
    """
    plan = setting.plan
    trials = plan.trials(task)
    stages = {trial: plan.trial(name, task, trial) for trial in trials}
    left = [trial for trial in trials if not stages[trial].finished]
    processes = 1 if setting.device.type == "cuda" else plan.side_by_side(task)
    if left:
        told = f", {processes} at a time" if processes > 1 else ""
        say(f"Sweep of {name} on {task}: {len(left)} of {len(trials)} trials to train{told}.")
    jobs = [_Job(plan, name, task, trial, os.getpid()) for trial in left]
    done = map_in_order(_train, jobs, processes, alone=0, fail_early=True)
    for trial, _ in zip(left, done, strict=True):
        say(f"Trial {trial.name}: {_in_words(_figures(stages[trial]))}")
        _forget_worse([stages[one] for one in trials if stages[one].finished])
    found = [_figures(stages[trial]) for trial in trials]
    if all(_DIVERGED in one for one in found):
        raise UserError(
            f"All trials of the sweep of {name} on {task} diverged; give lower rates to "
            f"finetune.{task}.sweep.lr, or use precision: float32."
        )
    return _with_choice(found)


def chosen(trials: Sequence[Trial], results: Sequence[dict[str, Any]]) -> Trial:
    """Return the trial that is chosen among those that `sweep` tells of."""
    return next(trial for trial, one in zip(trials, results, strict=True) if one["chosen"])


def take_model(stage: Stage, folder: Path) -> dict[str, Any] | None:
    """Copy the model of a finished trial, if it still waits.

    Args:
        stage: of the trial.
        folder: that of the task's own stage.

    Returns:
        The figures of its training; None where there is no model.
    """
    if not (waiting := _waiting(stage)).is_dir():
        return None
    shutil.copytree(waiting, folder, dirs_exist_ok=True)
    return {key: value for key, value in _figures(stage).items() if key not in _TOLD}


def forget_models(folder: Path) -> None:
    """Remove the models of all trials in a folder, those of earlier sweeps among them."""
    for waiting in folder.glob(f"*{_WAITING}"):
        shutil.rmtree(waiting, ignore_errors=True)


def _waiting(stage: Stage) -> Path:
    """Return where the model of a trial waits until it is chosen or another is better."""
    return stage.folder.with_name(f"{stage.folder.name}{_WAITING}")


def _figures(stage: Stage) -> dict[str, Any]:
    figures: dict[str, Any] = read_json(stage.folder / FIGURES_FILE)
    return figures


def _in_words(figures: dict[str, Any]) -> str:
    if _DIVERGED in figures:
        return f"diverged. {figures[_DIVERGED]}"
    if figures["score"] is None:
        return "undefined on the valid texts of the source."
    return f"{figures['score']:.4f} on the valid texts of the source."


def _forget_worse(stages: Sequence[Stage]) -> None:
    """Remove the models of trials, all but the best one's."""
    best = _best([_figures(stage) for stage in stages])
    for number, stage in enumerate(stages):
        if number != best:
            shutil.rmtree(_waiting(stage), ignore_errors=True)


def _best(found: Sequence[dict[str, Any]]) -> int:
    """Return which is best, the first of equal ones; what diverged is worse than any other."""

    def worth(number: int) -> tuple[bool, float, int]:
        score = found[number]["score"]
        return _DIVERGED not in found[number], -math.inf if score is None else score, -number

    return max(range(len(found)), key=worth)


def _with_choice(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    best = _best(found)
    return [
        {**{k: one[k] for k in (*_TOLD, _DIVERGED) if k in one}, "chosen": number == best}
        for number, one in enumerate(found)
    ]


def _train(job: _Job) -> None:
    """Make the stage of a trial; may run in a process of its own."""
    stage = job.plan.trial(job.name, job.task, job.trial)
    if os.getpid() != job.asked_by:
        _stop_with(os.getppid())
    build = partial(_try, job, stage)
    try:
        stage.make(build, versions=package_versions())
    except UserError as error:
        raise UserError(f"Trial {job.trial.name}: {error}") from None


def _try(job: _Job, stage: Stage, folder: Path) -> None:
    """Adapt a model with the values of a trial; keep what it reached, and the model beside it."""
    setting = Setting(job.plan, threads=stage.inputs["threads"])
    work, seed = folder / _TRAINED, job.plan.seeds(job.task)[0]
    work.mkdir(exist_ok=True)
    config = job.plan.settings(job.name, job.task, job.trial)
    title = f"trial {job.trial.name} of {job.name} on {job.task}"
    told = {"lr": job.trial.lr, "tokens_per_batch": job.trial.tokens_per_batch}
    shutil.rmtree(_waiting(stage), ignore_errors=True)  # of other inputs
    try:
        figures = Adapting(setting, job.name, job.task, config, seed, stage, title).run(work)
    except DivergedError as error:
        shutil.rmtree(work)
        failed = {"score": None, "step": None, _DIVERGED: str(error)}
        write_json(folder / FIGURES_FILE, {**told, **failed})
        return
    step = figures["selection"]["source_selected"]
    values = measured_steps(figures["curve"])[step]
    score = fmean(values[code] for code in setting.sources(job.task))
    reached = {"score": score if math.isfinite(score) else None, "step": step}
    write_json(folder / FIGURES_FILE, {**told, **reached, **figures})
    forget_training(work, figures)
    work.replace(_waiting(stage))


@cache  # else a process with several trials would be stopped several times
def _stop_with(parent: int) -> None:
    """Stop this process as a signal does, saving its state, once the one that asked is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
