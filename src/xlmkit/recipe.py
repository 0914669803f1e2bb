"""The recipe: one YAML file that says what a run reads, learns, adapts and measures."""

import re
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from xlmkit.core.config import Config
from xlmkit.core.device import Precision
from xlmkit.core.errors import UserError
from xlmkit.data.corpus import DataConfig
from xlmkit.data.source_base import LanguageCode
from xlmkit.data.word_mapping import WordMappingConfig
from xlmkit.evaluate.config import EvaluateConfig
from xlmkit.model.config import ModelConfig
from xlmkit.objectives.config import ClmConfig, MlmConfig, TlmConfig
from xlmkit.tasks.kinds import Task
from xlmkit.text.tokenizer import TokenizerConfig
from xlmkit.train.config import OptimizerConfig
from xlmkit.train.trackers import TrackerName
from xlmkit.train.translation import TranslationConfig, TranslatorConfig

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


def _check_name(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise ValueError(
            f"'{name}' cannot name a folder; take letters, digits, '.', '_' and '-', and begin "
            "with a letter or a digit"
        )
    return name


Name = Annotated[str, AfterValidator(_check_name), Field(json_schema_extra={"pattern": _NAME})]
"""What a folder of the results is called by."""


class PretrainedModel(Config):
    """One model: what it is pretrained with, or a ready one. Without either it stays untrained."""

    title: str | None = None
    """What the report calls it."""
    mlm: MlmConfig | None = None
    """Masked language modelling."""
    tlm: TlmConfig | None = None
    """Translation language modelling."""
    clm: ClmConfig | None = None
    """Causal language modelling; not together with the others."""
    map_words: WordMappingConfig | None = None
    """Let words begin near their translations, which are found without any."""
    checkpoint: str | None = Field(None, min_length=1)
    """A ready model in place of objectives: a folder, or a model's name on the Hugging Face Hub."""
    revision: str | None = Field(None, min_length=1)
    """Branch, tag or commit on the hub; by default the newest, as it was when first fetched."""
    finetune_lr: float | None = Field(None, gt=0)
    """Highest learning rate of this model's adaptation, where it is not to be the task's own."""

    @property
    def objectives(self) -> dict[str, MlmConfig | TlmConfig | ClmConfig]:
        """The sections of the objectives that the model has, by name."""
        sections = {"mlm": self.mlm, "tlm": self.tlm, "clm": self.clm}
        return {name: section for name, section in sections.items() if section is not None}

    @property
    def trained(self) -> bool:
        """Whether the model has any objective."""
        return bool(self.objectives)

    @property
    def ready(self) -> bool:
        """Whether the model comes from a checkpoint."""
        return self.checkpoint is not None

    @model_validator(mode="after")
    def _ready_or_trained(self) -> Self:
        if self.ready and self.trained:
            names = " and ".join(self.objectives)
            raise ValueError(f"a checkpoint is ready and cannot be joined with {names}")
        if self.ready and self.map_words is not None:
            raise ValueError("a checkpoint has its own words and cannot be joined with map_words")
        if self.revision is not None and not self.ready:
            raise ValueError("revision belongs to a checkpoint, but there is none")
        return self

    @model_validator(mode="after")
    def _one_direction(self) -> Self:
        if self.clm and (self.mlm or self.tlm):
            raise ValueError("clm reads from left to right and cannot be joined with mlm or tlm")
        return self


class PretrainConfig(Config):
    """How models are pretrained; all of them with the same budget."""

    steps: int = Field(20_000, ge=1)
    """Steps of the optimizer."""
    tokens_per_batch: int = Field(4096, ge=16)
    """Tokens of a batch."""
    accumulate: int = Field(1, ge=1)
    """Batches of a step; several processes share them."""
    optimizer: OptimizerConfig = OptimizerConfig()
    """Rates of learning."""
    compile: bool = False
    """Let torch.compile take the layers as one graph: the first steps take long, for faster ones on
    a GPU. It needs triton there, and a compiler for C++ on a CPU, where it gains nothing."""
    checkpoint_minutes: float = Field(5.0, gt=0)
    """Time between checkpoints from which a stopped run goes on."""
    points: int = Field(40, ge=1)
    """Points of the loss curves."""
    models: dict[Name, PretrainedModel] | None = Field(None, min_length=1)
    """The models by name; by default one, called model, with mlm, and tlm too where there are
    translations, or none where only translators are trained."""


class TranslatorsConfig(TranslationConfig):
    """The translators, and how they are trained and judged."""

    models: dict[Name, TranslatorConfig] = Field(min_length=1)
    """The translators by name."""

    @model_validator(mode="after")
    def _fitting_models(self) -> Self:
        for name, model in self.models.items():
            if not model.learns_within(steps := model.steps or self.steps):
                raise UserError(
                    f"translation.models.{name}.coefficients are 0 for all that it learns in its "
                    f"{steps:,} steps; let one be more, or leave them out."
                )
            if self.criterion == "rouge" and model.summary is None:
                raise UserError(
                    f"translation.criterion is rouge, but translation.models.{name} has no "
                    "summary; take bleu or loss."
                )
            if self.criterion == "bleu" and model.only_summarises:
                raise UserError(
                    f"translation.criterion is bleu, but translation.models.{name} learns to "
                    "summarise; take rouge or loss."
                )
        return self


Learned = TypeVar("Learned", PretrainedModel, TranslatorConfig)


class Recipe(Config):
    """Everything that decides a run's results."""

    name: Name
    """Names the folder of the results: runs/<name> below the folder where the command is called."""
    title: str | None = None
    """The report's title."""
    seed: int = Field(1, ge=0)
    """Decides every random choice."""
    languages: tuple[LanguageCode, ...] = Field(min_length=1)
    """ISO codes; the first is the pivot of translations and, by default, has the labels."""
    data: DataConfig | None = None
    """Texts and translations; needed unless all models are checkpoints and all tasks have files."""
    tokenizer: TokenizerConfig = TokenizerConfig()
    """The joint vocabulary."""
    model: ModelConfig = ModelConfig()
    """The Transformer's shape."""
    precision: Precision = "auto"
    """What models train in: bfloat16 where the hardware has it, with float32 masters."""
    threads: int | None = Field(None, ge=1)
    """Processor threads; by default all cores. Results repeat exactly only with equal threads."""
    tracking: TrackerName | tuple[TrackerName, ...] = ()
    """Where figures of trainings go beside the run's own files: tensorboard, wandb, trackio, one or
    a list. They lie below tracking/ in the run's folder; WANDB_MODE=online sends those of wandb."""
    pretrain: PretrainConfig = PretrainConfig()
    """Pretraining."""
    finetune: dict[Name, Task] = Field(default_factory=dict)
    """Tasks by name."""
    translation: TranslatorsConfig | None = None
    """Encoder-decoders that translate."""
    evaluate: EvaluateConfig = EvaluateConfig()
    """Measurement."""

    @property
    def trackers(self) -> tuple[TrackerName, ...]:
        """The trackers, none, one or several."""
        return (self.tracking,) if isinstance(self.tracking, str) else self.tracking

    @property
    def makes_models(self) -> bool:
        """Whether any model is made here, and so a tokenizer; otherwise all are checkpoints."""
        models = self.pretrain.models
        if models is None or self.translation is not None:
            return True
        return not all(model.ready for model in models.values())

    @model_validator(mode="after")
    def _data_where_needed(self) -> Self:
        if self.data is None:
            models, tasks = self.pretrain.models, self.finetune
            made = [f"pretrain.models.{n}" for n, m in (models or {}).items() if not m.ready]
            needing = made if models else ["pretrain"]
            needing += [f"finetune.{name}" for name, task in tasks.items() if task.needs_corpus]
            needing += ["translation"] if self.translation else []
            if needing:
                raise UserError(
                    f"the recipe needs the key 'data', since {needing[0]} learns from it; only "
                    "checkpoints, and tasks with train and test files, can do without."
                )
        return self

    @model_validator(mode="after")
    def _known_languages(self) -> Self:
        if len(set(self.languages)) < len(self.languages):
            raise ValueError("a language is listed twice")
        used = [(f"finetune.{name}", task.source_languages) for name, task in self.finetune.items()]
        used += [
            (f"data.sources.{number}", source.languages or ())
            for number, source in enumerate(self.data.sources if self.data else ())
        ]
        for model, objectives in (self.pretrain.models or {}).items():
            if objectives.tlm and objectives.tlm.pivot:
                used.append((f"pretrain.models.{model}.tlm", (objectives.tlm.pivot,)))
        for name, translator in (self.translation.models if self.translation else {}).items():
            used += [
                (f"translation.models.{name}.{key}", codes)
                for key, codes in translator.languages_named().items()
            ]
        used += self.evaluate.languages_named()
        for place, codes in used:
            for code in codes:
                if code not in self.languages:
                    raise UserError(
                        f"{place} names the language {code}, which is not among the recipe's "
                        f"languages ({', '.join(self.languages)})."
                    )
        return self

    @model_validator(mode="after")
    def _default_lengths(self) -> Self:
        """Let no length that is not given be more than the model reads."""
        longest, changed = self.model.max_position_embeddings, dict[str, Any]()
        if models := self.pretrain.models:
            pretrained = {name: _within(model, longest) for name, model in models.items()}
            if pretrained != models:
                changed["pretrain"] = self.pretrain.model_copy(update={"models": pretrained})
        if section := self.translation:
            trained = {name: _within(model, longest) for name, model in section.models.items()}
            if trained != section.models:
                changed["translation"] = section.model_copy(update={"models": trained})
        return self.model_copy(update=changed) if changed else self

    @model_validator(mode="after")
    def _fitting_sizes(self) -> Self:
        model = self.model
        if model.emb_dim % model.n_heads:
            raise UserError(
                f"model.emb_dim ({model.emb_dim}) must be a multiple of model.n_heads "
                f"({model.n_heads})."
            )
        for name, task in self.finetune.items() if self.makes_models else ():
            if isinstance(task.freeze, int) and task.freeze > model.n_layers:
                raise UserError(
                    f"finetune.{name}.freeze is {task.freeze}, but the model has {model.n_layers} "
                    "layers."
                )
        learned: list[tuple[str, str, PretrainedModel | TranslatorConfig]]
        learned = [("pretrain", name, m) for name, m in (self.pretrain.models or {}).items()]
        learned += [
            ("translation", name, m)
            for name, m in (self.translation.models if self.translation else {}).items()
        ]
        for part, name, pretrained in learned:
            for objective, section in pretrained.objectives.items():
                if section.length > model.max_position_embeddings:
                    raise UserError(
                        f"{part}.models.{name}.{objective}.length ({section.length}) is more "
                        f"than model.max_position_embeddings ({model.max_position_embeddings})."
                    )
        for place, space in self.evaluate.spaces() if self.makes_models else ():
            if space.layer is not None and space.layer > model.n_layers:
                raise UserError(
                    f"{place}.layer is {space.layer}, but the model's last layer is "
                    f"{model.n_layers}."
                )
        return self


def _within(model: Learned, longest: int) -> Learned:
    """Shorten the lengths of a model's objectives that are defaults and too long."""
    shorter = {
        name: section.model_copy(update={"length": longest})
        for name, section in model.objectives.items()
        if section.length > longest
        and "length" not in section.model_fields_set
        and getattr(section, "summary_length", 0) <= longest
    }
    return model.model_copy(update=shorter) if shorter else model
