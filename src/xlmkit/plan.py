"""The stages of a run: their folders, and what each depends on."""

from functools import cached_property
from pathlib import Path
from typing import Any

from xlmkit import __version__
from xlmkit.checkpoint.ready import Checkpoint, find_checkpoint
from xlmkit.core.config import Config
from xlmkit.core.errors import UserError
from xlmkit.core.machine import usable_cores
from xlmkit.core.process import Processes
from xlmkit.core.stages import Stage, file_inputs
from xlmkit.data.inputs import find_files
from xlmkit.data.readers import local_files
from xlmkit.data.shards import Shards
from xlmkit.data.sources import HubSource, Source
from xlmkit.evaluate.mined_files import check_mined
from xlmkit.objectives.config import MlmConfig
from xlmkit.recipe import PretrainedModel, Recipe, TranslatorsConfig
from xlmkit.tasks.base import TaskConfig, TaskInputs
from xlmkit.tasks.sweep import Trial
from xlmkit.train.translation import TranslatorConfig

FIGURES_FILE = "figures.json"
STATISTICS_FILE = "statistics.json"
_LATER = ("sources", "pairs")


class RunPlan:
    """Everything that a recipe names, as stages.

    Args:
        recipe: what to do.
        base: the recipe's folder, where relative paths start.
        folder: the run's folder.
        processes: of this run; only pretraining uses more than the first.
    """

    def __init__(self, recipe: Recipe, base: Path, folder: Path, processes: Processes) -> None:
        self.recipe, self.base, self.folder = recipe, base, folder
        self.processes = processes
        self.threads = recipe.threads or usable_cores()
        self._found: dict[tuple[str, str | None], Checkpoint] = {}

    def find_files(self) -> None:
        """See that every file and every checkpoint that the recipe names is there.

        Raises:
            UserError: one is missing, or files of mining are plainly no such files.
        """
        self._files(self._sources)
        self._measured_files()
        for name, mining in self.recipe.evaluate.minings.items():
            check_mined(mining, self.base, f"evaluate.minings.{name}")
        for name, model in self.models().items():
            if model.ready:
                self.checkpoint(name)
        if self.recipe.makes_models:
            _ = self.tokenizer_taken
        for task in self.recipe.finetune.values():
            task.files(self.task_inputs)
        for name in self.translators():
            self.initial_folder(name)
            self._files(self._translated_sources(name, "train", "valid", "test"))

    def stages(self, verb: str) -> list[Stage]:
        """Return the stages of a verb; a report has none."""
        models, tasks = self.models(), self.recipe.finetune
        match verb:
            case "prepare":
                return [
                    *([self.corpus] if self.recipe.data else []),
                    *([self.shards] if self.recipe.makes_models else []),
                ]
            case "pretrain":
                return [self.pretrained(name) for name in models]
            case "finetune":
                return [stage for n in models for t in tasks for stage in self.adapted(n, t)]
            case "train-translator":
                return [self.translated(name) for name in self.translators()]
            case "evaluate":
                tested = [self.tested(name) for name in self.translators()]
                return [*(self.measured(name) for name in models), *tested]
        return []

    @cached_property
    def corpus(self) -> Stage:
        """Cleaned records; never made where the recipe has no data."""
        recipe = self.recipe
        inputs = {
            "version": __version__,
            "data": _plain(recipe.data) if recipe.data else None,
            "languages": list(recipe.languages),
            "seed": recipe.seed,
            "files": self._files(self._sources),
        }
        if any(isinstance(one, HubSource) and one.label_column for one in self._sources):
            inputs["classes"] = "by name"  # corpora of before have numbers
        return Stage(self.folder / "corpus", inputs)

    @cached_property
    def shards(self) -> Stage:
        """Tokenizer and token ids; never made where all models are checkpoints."""
        tokenizer: dict[str, Any] = _plain(self.recipe.tokenizer)
        if (taken := self.tokenizer_taken) is not None:
            tokenizer["checkpoint"] = taken.to_json()
        else:
            del tokenizer["checkpoint"]  # a key that came later
        return Stage(self.folder / "shards", {"corpus": self.corpus.key, "tokenizer": tokenizer})

    @cached_property
    def tokenizer_taken(self) -> Checkpoint | None:
        """The model whose tokenizer is taken, where none is learned.

        Raises:
            UserError: there is none of this name, or it has none of XLM's.
        """
        name = self.recipe.tokenizer.checkpoint
        if name is None:
            return None
        found = self._find(name)
        if found.model_type != "xlm":
            raise UserError(
                f"tokenizer.checkpoint: {name} is a model of the family {found.model_type}, whose "
                "tokenizer is of another kind; name one of XLM's."
            )
        return found

    def pretrained(self, name: str) -> Stage:
        """Return the stage of a language model, trained here or ready."""
        recipe, model = self.recipe, self.models()[name]
        if model.ready:
            inputs: dict[str, Any] = {
                "version": __version__,
                "checkpoint": self.checkpoint(name).to_json(),
                "languages": list(recipe.languages),
            }
            return Stage(self.folder / "pretrain" / name, inputs)
        unused = {"models", "checkpoint_minutes", "points"}
        if not recipe.pretrain.compile:  # came later
            unused.add("compile")
        shared = recipe.pretrain.model_dump(mode="json", exclude=unused)
        inputs = {
            "shards": self.shards.key,
            "model": _plain(recipe.model),
            "objectives": _sections(model.model_dump(mode="json", include={"mlm", "tlm", "clm"})),
            "budget": shared if model.trained else None,
            "precision": recipe.precision,
            "threads": self.threads,
            "seed": recipe.seed,
        }
        if model.map_words is not None:
            inputs["map_words"] = _plain(model.map_words)
        return Stage(self.folder / "pretrain" / name, inputs)

    def seeds(self, task: str) -> tuple[int, ...]:
        """Return the seeds with which models are adapted to a task."""
        return self.recipe.finetune[task].seeds_from(self.recipe.seed)

    def adapted(self, name: str, task: str) -> list[Stage]:
        """Return the stages of a model that is adapted to a task, one for each seed."""
        return [self.finetuned(name, task, seed) for seed in self.seeds(task)]

    def finetuned(self, name: str, task: str, seed: int | None = None) -> Stage:
        """Return the stage of a model that is adapted to a task, by default with the first seed."""
        config, first = self.recipe.finetune[task], self.seeds(task)[0]
        seed = first if seed is None else seed
        lr = self.models()[name].finetune_lr
        inputs = {**self._adaptation(name, config, seed), "lr": lr}
        # No task can be called so: its name has no @.
        folder = task if seed == first else f"{task}@{seed}"
        return Stage(self.folder / "finetune" / name / folder, inputs)

    def _adaptation(self, name: str, config: TaskConfig, seed: int) -> dict[str, Any]:
        return {
            "pretrained": self.pretrained(name).key,
            "task": config.inputs(),
            "files": file_inputs(config.files(self.task_inputs), self.base),
            "lr": None,
            "corpus": self.corpus.key if config.needs_corpus else None,
            "precision": self.recipe.precision,
            "threads": self.threads,
            "seed": seed,
        }

    def settings(self, name: str, task: str, trial: Trial | None = None) -> TaskConfig:
        """Return how a model is adapted to a task: with its own learning rate, or a trial's."""
        lr = self.models()[name].finetune_lr
        config = Trial(lr, None).applied(self.recipe.finetune[task])
        return config if trial is None else trial.applied(config)

    def trials(self, task: str) -> tuple[Trial, ...]:
        """Return what a task's sweep tries; nothing without one."""
        sweep = self.recipe.finetune[task].sweep
        return sweep.trials() if sweep else ()

    def side_by_side(self, task: str) -> int:
        """Return how many trials of a task's sweep are trained at a time, sharing the threads."""
        sweep = self.recipe.finetune[task].sweep
        return sweep.side_by_side(self.threads) if sweep else 1

    def trial(self, name: str, task: str, trial: Trial) -> Stage:
        """Return the stage of a trial of a sweep."""
        inputs = {
            **self._adaptation(name, self.settings(name, task, trial), self.seeds(task)[0]),
            "threads": max(1, self.threads // self.side_by_side(task)),
        }
        return Stage(self.folder / "finetune" / name / f"{task}@trials" / trial.name, inputs)

    def translated(self, name: str) -> Stage:
        """Return the stage of a translator."""
        config, init = self.translation, self.translator(name).init
        initial: Any = None
        if init in self.models():
            initial = self.pretrained(init).key
        elif init is not None:
            initial = self._find(init).to_json()
        translator = self.translator(name)
        unused: dict[str, Any] = {
            "title": True,
            "summary": {"test"} if translator.summary else True,
        }
        elsewhere = {"models", *config.only_measures}
        if translator.steps is not None:
            elsewhere.add("steps")  # those of all
        # Keys that came later, and where they are not set leave a stage what it was.
        later = ("steps", "attention_dropout")
        unused |= {key: True for key in later if getattr(translator, key) is None}
        inputs = {
            "shards": self.shards.key,
            "model": _plain(self.recipe.model),
            "init": initial,
            "translator": _sections(translator.model_dump(mode="json", exclude=unused)),
            "training": config.model_dump(mode="json", exclude=elsewhere),
            "files": self._files(self._translated_sources(name, "train", "valid")),
            "precision": self.recipe.precision,
            "threads": self.threads,
            "seed": self.recipe.seed,
        }
        return Stage(self.folder / "translation" / name, inputs)

    def tested(self, name: str) -> Stage:
        """Return the stage of what a translator writes on the test texts, and its worth."""
        config, summary = self.translation, self.translator(name).summary
        inputs = {
            "translated": self.translated(name).key,
            "how": config.model_dump(mode="json", include=set(config.only_measures)),
            "summary": summary.model_dump(mode="json", include={"test"}) if summary else None,
            "files": self._files(self._translated_sources(name, "test")),
        }
        # No model can be called so: its name has no @.
        return Stage(self.folder / "evaluate" / f"{name}@translator", inputs)

    @property
    def translation(self) -> TranslatorsConfig:
        """How translators are trained; asked for only where the recipe has any."""
        if self.recipe.translation is None:
            raise LookupError("the recipe has no translators")
        return self.recipe.translation

    def translators(self) -> dict[str, TranslatorConfig]:
        """Return the translators by name."""
        return self.recipe.translation.models if self.recipe.translation else {}

    def translator(self, name: str) -> TranslatorConfig:
        """Return one translator's section."""
        return self.translators()[name]

    def initial_folder(self, name: str) -> Path | None:
        """Return the folder of the model that a translator begins as.

        Raises:
            UserError: there is none of this name.
        """
        init = self.translator(name).init
        if init is None:
            return None
        if init in self.models():
            ready = self.models()[init].ready
            return self.checkpoint(init).folder if ready else self.pretrained(init).folder
        try:
            return self._find(init).folder
        except UserError as error:
            known = ", ".join(self.models()) or "none"
            raise UserError(
                f"translation.models.{name}.init is neither a model of pretrain.models ({known}) "
                f"nor a folder: {error}"
            ) from None

    def asked(self, name: str, task: str, seed: int) -> Stage:
        """Return the stage of what a model that was adapted to a task answers to its test texts."""
        made = self.finetuned(name, task, seed)
        # No model can be called so: its name has no @.
        folder = self.folder / "evaluate" / f"{name}@tasks" / made.folder.name
        return Stage(folder, {"finetuned": made.key})

    def measured(self, name: str) -> Stage:
        """Return the stage of a model's figures."""
        inputs = {
            "pretrained": self.pretrained(name).key,
            "finetuned": [
                stage.key for task in self.recipe.finetune for stage in self.adapted(name, task)
            ],
            "evaluate": _plain(self.recipe.evaluate),
            "files": self._measured_files(),
            "corpus": self.corpus.key,
        }
        return Stage(self.folder / "evaluate" / name, inputs)

    def models(self) -> dict[str, PretrainedModel]:
        """Return the models by name.

        The default is MLM, with TLM where there are pairs; none where only translators are made.
        """
        if self.recipe.pretrain.models is not None:
            return self.recipe.pretrain.models
        if self.recipe.translation is not None and not self.recipe.finetune:
            return {}
        length = min(MlmConfig().length, self.recipe.model.max_position_embeddings)
        choice: dict[str, Any] = {"title": "MLM", "mlm": {"length": length}}
        if self.shards.finished and any(Shards(self.shards.folder).manifest["pairs"]["train"]):
            choice |= {"title": "MLM + TLM", "tlm": {"length": length}}
        return {"model": PretrainedModel.model_validate(choice)}

    def checkpoint(self, name: str) -> Checkpoint:
        """Return a ready model's checkpoint, which is fetched or read through the first time.

        Raises:
            UserError: it is not to be had.
        """
        model = self.models()[name]
        try:
            return self._find(model.checkpoint or "", model.revision)
        except UserError as error:
            raise UserError(f"pretrain.models.{name}.checkpoint: {error}") from None

    def _find(self, name: str, revision: str | None = None) -> Checkpoint:
        """Return a model that is there already; all of its files are hashed once for a plan."""
        key = name, revision
        if key not in self._found:
            self._found[key] = find_checkpoint(name, revision, self.base)
        return self._found[key]

    @cached_property
    def task_inputs(self) -> TaskInputs:
        """Where the examples of tasks come from."""
        corpus = self.folder / "corpus"
        return TaskInputs(corpus, self.base, self.recipe.languages)

    def _translated_sources(self, name: str, *parts: str) -> tuple[Source, ...]:
        """Return the sources that a translator reads beside the corpus, of some of its parts."""
        sections = (self.translation, self.translator(name).summary)
        found = (getattr(section, part, ()) for section in sections for part in parts)
        return tuple(source for sources in found for source in sources)

    @property
    def _sources(self) -> tuple[Source, ...]:
        return self.recipe.data.sources if self.recipe.data else ()

    def _measured_files(self) -> list[list[str | int]]:
        """Return the same of the files that only measurement reads."""
        evaluate = self.recipe.evaluate
        others = [file for path in evaluate.paths for file in find_files(path, self.base)]
        return [*self._files(evaluate.sources), *file_inputs(others, self.base)]

    def _files(self, sources: tuple[Source, ...]) -> list[list[str | int]]:
        """Return what tells whether the sources' files have changed."""
        files = [path for source in sources for path in local_files(source, self.base)]
        return file_inputs(files, self.base)


def _sections(objectives: dict[str, Any]) -> dict[str, Any]:
    """Leave out keys that came later and have no value: what was made before still holds."""
    return {
        name: {key: v for key, v in section.items() if v is not None or key not in _LATER}
        if isinstance(section, dict)
        else section
        for name, section in objectives.items()
    }


def _plain(config: Config) -> dict[str, Any]:
    return config.model_dump(mode="json")
