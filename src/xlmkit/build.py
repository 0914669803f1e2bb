"""How the stages with models are built from the recipe; here all layers meet."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import SEQUENCE_CLASSIFIER
from xlmkit.core.device import choose_device, choose_dtype, tune_allocator
from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json, write_json
from xlmkit.core.log import say
from xlmkit.core.machine import package_versions
from xlmkit.core.process import Processes
from xlmkit.core.stages import Stage
from xlmkit.core.tables import table
from xlmkit.data.corpus import read_corpus
from xlmkit.data.permutation import key_of
from xlmkit.data.shards import Shards
from xlmkit.evaluate.classification import measure_classification
from xlmkit.evaluate.language_modeling import measure_language_modeling
from xlmkit.evaluate.retrieval import measure_retrieval
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel, SequenceClassifier
from xlmkit.objectives.base import Objective
from xlmkit.objectives.classify import SequenceClassification
from xlmkit.objectives.clm import CausalLanguageModeling
from xlmkit.objectives.mlm import MaskedLanguageModeling
from xlmkit.plan import FIGURES_FILE, RunPlan
from xlmkit.prepare import Build, check_text
from xlmkit.recipe import FinetuneConfig, PretrainedModel
from xlmkit.tasks.classification import ClassificationData, load_classification
from xlmkit.tasks.features import encode_rows
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.train.loop import Plan
from xlmkit.train.session import Session
from xlmkit.train.state import STATE_FILE
from xlmkit.train.validation import Validation


class Builder:
    """Builds the stages of a plan."""

    def __init__(self, plan: RunPlan) -> None:
        self.plan, self.recipe = plan, plan.recipe
        self.device = choose_device()
        self.versions = package_versions()
        self._data: dict[str, ClassificationData] = {}
        tune_allocator()
        # Processes of one machine share its cores, unless the recipe says how many each takes.
        sharing = 1 if self.recipe.threads else plan.processes.on_this_machine
        torch.set_num_threads(max(1, plan.threads // sharing))

    def check(self) -> None:
        """See that every objective has text and every task labels, before hours of training.

        Raises:
            UserError: one sentence about the first that has not.
        """
        plan, shards = self.plan, Shards(self.plan.shards.folder)
        for name, model in plan.models().items():
            if not plan.pretrained(name).finished:
                for objective, section in model.objectives.items():
                    check_text(f"pretrain.models.{name}.{objective}", section, shards)
        for task in self.recipe.finetune:
            if not all(plan.finetuned(name, task).finished for name in plan.models()):
                self._task_data(task)

    def stages(self, verb: str) -> Iterator[tuple[str, Stage, Build]]:
        """Yield title, stage and builder of each stage of a verb."""
        plan = self.plan
        for name, model in plan.models().items():
            title = model.title or name
            if verb == "pretrain":
                yield f"Pretraining {title}", plan.pretrained(name), self._pretrain(name)
            elif verb == "finetune":
                for task in self.recipe.finetune:
                    stage = plan.finetuned(name, task)
                    yield f"Finetuning {title}: {task}", stage, self._finetune(name, task)
            elif verb == "evaluate":
                yield f"Measuring {title}", plan.measured(name), self._measure(name)

    def _pretrain(self, name: str) -> Build:
        def build(folder: Path) -> None:
            self.plan.processes.barrier()  # the first process has made the folder
            config, recipe = self.plan.models()[name], self.recipe
            tokenizer = Tokenizer.load(self.plan.shards.folder / "tokenizer")
            architecture = Architecture.build(
                recipe.model,
                n_words=len(tokenizer),
                n_langs=len(recipe.languages),
                causal=config.clm is not None,
            )
            torch.manual_seed(key_of(recipe.seed, "initial weights") >> 1)
            model = LanguageModel(architecture)
            figures: dict[str, Any] = {}
            weights: dict[str, Any] = dict(model.state_dict())
            if config.trained:
                figures, weights = self._train_language_model(name, model, folder)
            if self.plan.processes.first:
                provenance = {**self._provenance(), "pretraining": figures}
                Bundle(architecture, tokenizer, weights, provenance=provenance).save(folder)
                write_json(folder / FIGURES_FILE, figures)
                (folder / STATE_FILE).unlink(missing_ok=True)

        return build

    def _train_language_model(
        self, name: str, model: LanguageModel, folder: Path
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        config, settings = self.plan.models()[name], self.recipe.pretrain
        shards = Shards(self.plan.shards.folder)
        objectives, weights = self._objectives(config, shards, "train")
        title = config.title or name
        for objective in objectives:
            self._print_mixture(title, objective)
        plan = Plan(objectives, weights, settings.steps, settings.accumulate, self.recipe.seed)
        session = Session(
            title=f"pretraining {title}",
            plan=plan,
            optimizer=settings.optimizer,
            dtype=choose_dtype(self.recipe.precision, self.device),
            folder=folder,
            key=self.plan.pretrained(name).key,
            checkpoint_seconds=60 * settings.checkpoint_minutes,
            points=settings.points,
            estimated_tokens=settings.steps * settings.accumulate * settings.tokens_per_batch,
        )
        held_out = self._objectives(config, shards, "valid", required=False)[0]
        validation = Validation(held_out, batches=4) if held_out else None
        state, tensors = session.run(model.to(self.device), self.plan.processes, validation)
        shares = {o.name: w / sum(weights) for o, w in zip(objectives, weights, strict=True)}
        figures = {
            "steps": state.step,
            "tokens": state.tokens,
            "seconds": round(state.seconds, 2),
            "tokens_per_second": round(state.tokens / max(state.seconds, 1e-9), 1),
            "skipped": state.skipped,
            "rollbacks": state.rollbacks,
            "objectives": shares,
            "curve": state.curve,
        }
        return figures, tensors

    def _objectives(
        self, config: PretrainedModel, shards: Shards, split: str, *, required: bool = True
    ) -> tuple[list[Objective], list[float]]:
        """Return a model's objectives over a split, and their weights.

        Without `required`, an objective for which the split has no text is left out.
        """
        makers: dict[str, Callable[..., Objective]] = {
            "mlm": MaskedLanguageModeling.mlm,
            "tlm": MaskedLanguageModeling.tlm,
            "clm": CausalLanguageModeling,
        }
        objectives, weights = [], []
        for name, section in config.objectives.items():
            try:
                objective = makers[name](
                    section,
                    shards,
                    split=split,
                    tokens=self.recipe.pretrain.tokens_per_batch,
                    seed=(self.recipe.seed, split),
                )
            except UserError:
                if required:
                    raise
                continue
            objectives.append(objective)
            weights.append(section.weight)
        return objectives, weights

    def _print_mixture(self, title: str, objective: Any) -> None:  # noqa: ANN401 - any sampled one
        if self.plan.processes.first:
            sampler, name = objective.sampler, objective.name.upper()
            rows = [
                [g.name, len(g.lengths), int(g.lengths.sum()), f"{100 * share:.1f} %"]
                for g, share in zip(sampler.groups, sampler.mixture.shares, strict=True)
            ]
            columns = ["language", "sequences", "tokens", "share of sequences"]
            table(f"{title}: what {name} draws", columns, rows)
            drawn = {code for group in sampler.groups for code in group.name.split("-")}
            if silent := [code for code in self.recipe.languages if code not in drawn]:
                say(f"{title}: {name} has too little text in {', '.join(silent)} to learn from.")

    def _finetune(self, name: str, task: str) -> Build:
        def build(folder: Path) -> None:
            config, data = self._task_config(task), self._task_data(task)
            pretrained = Bundle.load(self.plan.pretrained(name).folder)
            rows, labels = encode_rows(data.train, pretrained.tokenizer)
            objective = SequenceClassification(
                rows,
                labels,
                max_length=config.max_length,
                tokens=config.tokens_per_batch,
                seed=(self.recipe.seed, task),
            )
            steps = max(1, round(config.epochs * objective.batches_per_epoch))
            model = self._classifier(pretrained, config, len(data.labels))
            session = Session(
                title=f"finetuning {self.plan.models()[name].title or name}",
                plan=Plan([objective], [1.0], steps, seed=(self.recipe.seed, task)),
                optimizer=config.optimizer,
                dtype=choose_dtype(self.recipe.precision, self.device),
                folder=folder,
                key=self.plan.finetuned(name, task).key,
                checkpoint_seconds=60 * self.recipe.pretrain.checkpoint_minutes,
                points=self.recipe.pretrain.points,
                estimated_tokens=steps * config.tokens_per_batch,
            )
            state, weights = session.run(model.to(self.device), Processes())
            figures = {"steps": state.step, "seconds": state.seconds, "curve": state.curve}
            replace(
                pretrained,
                weights=weights,
                head=SEQUENCE_CLASSIFIER,
                labels=data.labels,
                summary_type=config.summary_type,
                provenance={**self._provenance(), "finetuning": figures},
            ).save(folder)
            write_json(folder / FIGURES_FILE, figures)
            (folder / STATE_FILE).unlink(missing_ok=True)

        return build

    def _task_config(self, task: str) -> FinetuneConfig:
        """Return a task's section, its texts no longer than the models can read."""
        config, most = self.recipe.finetune[task], self.recipe.model.max_position_embeddings
        return config.model_copy(update={"max_length": min(config.max_length, most)})

    def _task_data(self, task: str) -> ClassificationData:
        """Return a task's examples, read once for all models."""
        if task not in self._data:
            config, plan = self.recipe.finetune[task], self.plan
            try:
                self._data[task] = load_classification(
                    config, plan.corpus.folder, plan.base, self.recipe.languages
                )
            except UserError as error:
                raise UserError(f"finetune.{task}: {error}") from None
            if config.test and not self._data[task].test:
                raise UserError(
                    f"finetune.{task}: no text of its test files has a label that is among those "
                    f"of its train files ({', '.join(self._data[task].labels[:5])})."
                )
        return self._data[task]

    def _classifier(
        self, pretrained: Bundle, config: FinetuneConfig, n_classes: int
    ) -> SequenceClassifier:
        """Return a fresh classifier on a pretrained Transformer."""
        torch.manual_seed(key_of(self.recipe.seed, "classifier") >> 1)
        architecture = replace(
            pretrained.architecture, dropout=config.dropout, attention_dropout=config.dropout
        )
        model = SequenceClassifier(
            architecture, n_classes, dropout=config.dropout, summary_type=config.summary_type
        )
        model.transformer.load_state_dict(pretrained.language_model().transformer.state_dict())
        return model

    def _measure(self, name: str) -> Build:
        def build(folder: Path) -> None:
            settings, corpus = self.recipe.evaluate, self.plan.corpus.folder
            bundle = Bundle.load(self.plan.pretrained(name).folder)
            model = bundle.language_model().to(self.device)
            figures: dict[str, Any] = {
                "parameters": sum(p.numel() for p in model.parameters()),
                "tasks": {},
            }
            if settings.language_modeling and self.plan.models()[name].trained:
                shards = Shards(self.plan.shards.folder)
                figures["language_modelling"] = measure_language_modeling(model, shards, "test")
            if settings.retrieval:
                figures["retrieval"] = measure_retrieval(
                    model.transformer,
                    bundle.tokenizer,
                    list(read_corpus(corpus, "valid")),
                    list(read_corpus(corpus, "test")),
                    settings.retrieval,
                )
            for task in self.recipe.finetune:
                stage = self.plan.finetuned(name, task).folder
                config, data = self._task_config(task), self._task_data(task)
                sources = list(config.source_languages or self.recipe.languages[:1])
                measured = measure_classification(Bundle.load(stage), data, config, sources)
                curve = read_json(stage / FIGURES_FILE)["curve"]
                figures["tasks"][task] = {**measured, "curve": curve}
            write_json(folder / FIGURES_FILE, figures)

        return build

    def _provenance(self) -> dict[str, Any]:
        recipe = self.recipe.model_dump(mode="json")
        return {"recipe": recipe, "versions": self.versions, "seed": self.recipe.seed}
