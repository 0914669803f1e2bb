"""Which function makes which stage with a model."""

from collections.abc import Iterator
from functools import partial

from xlmkit.build.finetuning import finetune
from xlmkit.build.measuring import ask, measure
from xlmkit.build.pretraining import look_at_checkpoint, pretrain
from xlmkit.build.setting import Setting
from xlmkit.build.translating import measure_translator, train_translator
from xlmkit.build.translation_texts import check_translations
from xlmkit.build.translator_objectives import translator_objectives
from xlmkit.core.stages import Stage
from xlmkit.data.shards import Shards
from xlmkit.evaluate.rouge import check_rouge
from xlmkit.evaluate.translation_metrics import translation_metric
from xlmkit.plan import RunPlan
from xlmkit.prepare import Build, check_text
from xlmkit.train.placing import check_compiler


class Builder:
    """Builds the stages of a plan."""

    def __init__(self, plan: RunPlan) -> None:
        self.plan, self.setting = plan, Setting(plan)

    def check(self, verb: str) -> None:
        """See that a verb's objectives have text and tasks have labels, before hours of training.

        Raises:
            UserError: one sentence about the first that has not.
        """
        plan = self.plan
        for name in plan.translators():
            if not plan.translated(name).finished:
                if plan.translator(name).only_summarises:
                    check_rouge(plan.recipe.languages[0])
                else:
                    translation_metric("bleu", plan.recipe.languages[0])
                translator_objectives(plan, name, tell=False)  # which training does
        if not all(
            plan.tested(name).finished or translator.only_summarises
            for name, translator in plan.translators().items()
        ):
            check_translations(plan)
        if verb != "pretrain":
            return
        self._check_pretraining()
        for task in plan.recipe.finetune:
            stages = [stage for name in plan.models() for stage in plan.adapted(name, task)]
            if not all(stage.finished for stage in stages):
                self.setting.task_data(task)
                self.setting.validation_data(task)

    def _check_pretraining(self) -> None:
        plan = self.plan
        for name, model in plan.models().items():
            if model.trained and not plan.pretrained(name).finished:
                if plan.recipe.pretrain.compile:
                    check_compiler(self.setting.device)
                shards = Shards(plan.shards.folder)
                for objective, section in model.objectives.items():
                    check_text(f"pretrain.models.{name}.{objective}", section, shards)

    def stages(self, verb: str, *, force: bool = False) -> Iterator[tuple[str, Stage, Build]]:
        """Yield title, stage and builder of each stage of a verb.

        Args:
            verb: a verb that needs models.
            force: whether finished stages are made again.
        """
        match verb:
            case "pretrain":
                yield from self._pretraining()
            case "finetune":
                yield from self._finetuning()
            case "train-translator":
                for name, translator in self.plan.translators().items():
                    build = partial(train_translator, self.setting, name)
                    title = translator.title or name
                    yield f"Training {title}", self.plan.translated(name), build
            case "evaluate":
                for name, title in self._titles().items():
                    stage = self.plan.measured(name)
                    if force or not stage.finished:  # which joins what the tasks have
                        yield from self._asking(name, title)
                    yield f"Measuring {title}", stage, partial(measure, self.setting, name)
                for name, translator in self.plan.translators().items():
                    build = partial(measure_translator, self.setting, name)
                    yield f"Measuring {translator.title or name}", self.plan.tested(name), build

    def _pretraining(self) -> Iterator[tuple[str, Stage, Build]]:
        """Yield ready models first: one that cannot be used is told before hours of training."""
        models = self.plan.models()
        for name in sorted(models, key=lambda name: not models[name].ready):
            title, stage = self._titles()[name], self.plan.pretrained(name)
            if models[name].ready:
                yield f"Opening {title}", stage, partial(look_at_checkpoint, self.setting, name)
            else:
                yield f"Pretraining {title}", stage, partial(pretrain, self.setting, name)

    def _finetuning(self) -> Iterator[tuple[str, Stage, Build]]:
        for name, title in self._titles().items():
            for task, seed, told in self._adaptations():
                build = partial(finetune, self.setting, name, task, seed)
                yield f"Finetuning {title}: {told}", self.plan.finetuned(name, task, seed), build

    def _asking(self, name: str, title: str) -> Iterator[tuple[str, Stage, Build]]:
        for task, seed, told in self._adaptations():
            build = partial(ask, self.setting, name, task, seed)
            yield f"Measuring {title}: {told}", self.plan.asked(name, task, seed), build

    def _adaptations(self) -> Iterator[tuple[str, int, str]]:
        """Yield task, seed, and what tells the two, of each adaptation of a model."""
        for task in self.plan.recipe.finetune:
            seeds = self.plan.seeds(task)
            for seed in seeds:
                yield task, seed, f"{task}, seed {seed}" if len(seeds) > 1 else task

    def _titles(self) -> dict[str, str]:
        return {name: model.title or name for name, model in self.plan.models().items()}
