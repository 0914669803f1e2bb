"""What the verbs do: build the parts that a recipe names, join them, and keep their results.

A run is a chain of stages, each a folder below the run's own: `corpus`, `shards` (with the
tokenizer), `pretrain/<model>`, `finetune/<model>/<task>`, `translation/<translator>`,
`evaluate/<model>@tasks/<task>`, `evaluate/<model>`, `evaluate/<translator>@translator`; then
`results.json`, `results.csv` and `report.html`. A stage whose inputs have not changed is not made
again.
"""

import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from xlmkit.core.config import load_config, to_yaml
from xlmkit.core.device import share_the_processor
from xlmkit.core.errors import UserError
from xlmkit.core.files import atomic_write
from xlmkit.core.log import forget_said, say
from xlmkit.core.machine import package_versions
from xlmkit.core.parallel import kept_processes
from xlmkit.core.process import process_group
from xlmkit.core.progress import format_duration
from xlmkit.core.stages import Stage
from xlmkit.gather import write_results
from xlmkit.plan import RunPlan
from xlmkit.prepare import Build, prepare_stages
from xlmkit.recipe import Recipe
from xlmkit.train.trackers import check_installed

if TYPE_CHECKING:
    from xlmkit.build.builder import Builder

VERBS = ("prepare", "pretrain", "finetune", "train-translator", "evaluate", "report")


def run(recipe: Path, overrides: Sequence[str], output: Path | None, force: bool) -> None:
    """Do all stages."""
    _do(VERBS, recipe, overrides, output, force=force)


def prepare(recipe: Path, overrides: Sequence[str], output: Path | None, force: bool) -> None:
    """Read, clean and split the texts, learn the tokenizer, store the tokens."""
    _do(("prepare",), recipe, overrides, output, force=force)


def pretrain(recipe: Path, overrides: Sequence[str], output: Path | None, force: bool) -> None:
    """Train the language models."""
    _do(("pretrain",), recipe, overrides, output, force=force)


def finetune(recipe: Path, overrides: Sequence[str], output: Path | None, force: bool) -> None:
    """Adapt the pretrained models to the tasks."""
    _do(("finetune",), recipe, overrides, output, force=force)


def train_translator(
    recipe: Path, overrides: Sequence[str], output: Path | None, force: bool
) -> None:
    """Train the translators."""
    _do(("train-translator",), recipe, overrides, output, force=force)


def evaluate(recipe: Path, overrides: Sequence[str], output: Path | None, force: bool) -> None:
    """Measure the models in every language."""
    _do(("evaluate",), recipe, overrides, output, force=force)


def report(recipe: Path, overrides: Sequence[str], output: Path | None, force: bool) -> None:
    """Write tables and pages from what was measured."""
    _do(("report",), recipe, overrides, output, force=force)


def _do(
    verbs: Sequence[str],
    path: Path,
    overrides: Sequence[str],
    output: Path | None,
    *,
    force: bool,
) -> None:
    forget_said()
    share_the_processor()
    recipe = load_config(path, Recipe, overrides)
    folder = output or Path("runs") / recipe.name
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; name a folder for the results with --output.")
    with process_group() as processes:
        plan = RunPlan(recipe, path.resolve().parent, folder, processes)
        stages = _Stages(plan, force=force)
        if processes.first:
            plan.find_files()
            check_installed(recipe.trackers)
            stages.check(verbs[0])  # before anything is written beside results of another recipe
            with atomic_write(folder / "recipe.yaml") as stream:
                stream.write(to_yaml(recipe))
        began = time.monotonic()
        for verb in verbs:
            stages.do(verb)
        if processes.first and len(verbs) > 1:
            say(f"Done in {format_duration(time.monotonic() - began)}: {folder / 'report.html'}")


class _Stages:
    """Makes the stages of a verb, after checking that those before it are there."""

    def __init__(self, plan: RunPlan, *, force: bool) -> None:
        self.plan, self.processes, self.force = plan, plan.processes, force

    def do(self, verb: str) -> None:
        """Do one verb."""
        if self.processes.first:
            self.check(verb)
            if verb in ("pretrain", "train-translator"):
                self._models.check(verb)
        self.processes.barrier()
        if verb == "report":
            if self.processes.first:
                write_results(self.plan)
            return
        with kept_processes():
            for title, stage, build in self._of(verb):
                # Only pretraining is shared by several processes; the others wait for the first.
                if self.processes.first:
                    self._make(title, stage, build)
                elif verb == "pretrain" and (self.force or not stage.finished):
                    build(stage.working)
                self.processes.barrier()

    def _of(self, verb: str) -> Iterator[tuple[str, Stage, Build]]:
        if verb == "prepare":
            return prepare_stages(self.plan)
        return self._models.stages(verb, force=self.force)

    @cached_property
    def _models(self) -> "Builder":
        """What needs torch, loaded when a verb needs it."""
        from xlmkit.build.builder import Builder

        return Builder(self.plan)

    def check(self, verb: str) -> None:
        """See that everything is there that a verb needs.

        Raises:
            UserError: a stage is missing or outdated; the verb that makes it is named.
        """
        for earlier in VERBS[: VERBS.index(verb)]:
            for stage in self.plan.stages(earlier):
                if not stage.finished:
                    raise UserError(
                        f"{stage.folder} is missing or made from other inputs; do xlmkit {earlier} "
                        "first, or xlmkit run, which does what is needed."
                    )

    def _make(self, title: str, stage: Stage, build: Build) -> None:
        if stage.finished and not self.force:
            say(f"{title}: unchanged, kept from before.")
            return
        stage.make(build, versions=package_versions())
