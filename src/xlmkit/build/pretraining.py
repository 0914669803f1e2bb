"""How the recipe's language models are made: trained from text, or opened and looked at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from xlmkit.build.backbones import open_backbone
from xlmkit.build.mapped_words import MappedWords, map_words_of
from xlmkit.build.setting import Setting
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.errors import UserError
from xlmkit.core.files import write_json
from xlmkit.core.log import say
from xlmkit.core.progress import progress
from xlmkit.core.tables import table
from xlmkit.data.permutation import key_of
from xlmkit.data.shards import Shards
from xlmkit.data.word_mapping import WordMappingConfig
from xlmkit.evaluate.retrieval import check_layer
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.base import Objective
from xlmkit.objectives.clm import CausalLanguageModeling
from xlmkit.objectives.mlm import MaskedLanguageModeling
from xlmkit.plan import FIGURES_FILE
from xlmkit.recipe import PretrainedModel
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.train.loop import Plan
from xlmkit.train.session import Session
from xlmkit.train.state import STATE_FILE
from xlmkit.train.validation import Validation


def look_at_checkpoint(setting: Setting, name: str, folder: Path) -> None:
    """Open a ready model once, so that one that cannot be used is told before any training."""
    if not setting.plan.processes.first:  # there is nothing to share
        return
    backbone = open_backbone(setting.plan, name)
    for place, section in setting.recipe.evaluate.spaces():
        check_layer(backbone, section, place)
    checkpoint = setting.plan.checkpoint(name)
    write_json(folder / FIGURES_FILE, {"checkpoint": checkpoint.to_json()})
    say(f"{checkpoint.name}: {checkpoint.model_type}, {backbone.n_parameters:,} parameters.")


def pretrain(setting: Setting, name: str, folder: Path) -> None:
    """Train a language model and save it; without objectives it is saved as it begins."""
    plan, recipe = setting.plan, setting.recipe
    plan.processes.barrier()  # the first process has made the folder
    config = plan.models()[name]
    tokenizer = Tokenizer.load(plan.shards.folder / "tokenizer")
    architecture = Architecture.build(
        recipe.model,
        n_words=len(tokenizer),
        n_langs=len(recipe.languages),
        causal=config.clm is not None,
    )
    torch.manual_seed(key_of(recipe.seed, "initial weights") >> 1)
    model = LanguageModel(architecture)
    figures: dict[str, Any] = {}
    if config.map_words is not None:
        mapped = _mapped_words(setting, name, tokenizer, config.map_words, architecture.emb_dim)
        with torch.no_grad():
            mapped.put_into(model.transformer.embeddings.weight, architecture.embed_init_std)
        figures["map_words"] = mapped.figures
    weights: dict[str, Any] = dict(model.state_dict())
    if config.trained:
        trained, weights = _train(setting, name, model, folder)
        figures |= trained
    if plan.processes.first:
        provenance = {**setting.provenance(), "pretraining": figures}
        Bundle(architecture, tokenizer, weights, provenance=provenance).save(folder)
        write_json(folder / FIGURES_FILE, figures)
        (folder / STATE_FILE).unlink(missing_ok=True)


def _mapped_words(
    setting: Setting, name: str, tokenizer: Tokenizer, config: WordMappingConfig, width: int
) -> MappedWords:
    """Bring words together; every process does, and the first one shows it."""
    plan = setting.plan
    shards, seed = Shards(plan.shards.folder), key_of(setting.recipe.seed, "mapping of words")
    if not plan.processes.first:
        return map_words_of(shards, tokenizer, config, width, seed, lambda code: None)
    with progress("bringing words together", len(shards.languages), "languages") as bar:
        mapped = map_words_of(
            shards, tokenizer, config, width, seed, lambda code: bar.advance(language=code)
        )
    mapped.show(plan.models()[name].title or name)
    return mapped


def _train(
    setting: Setting, name: str, model: LanguageModel, folder: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    run, settings = setting.plan, setting.recipe.pretrain
    config, shards = run.models()[name], Shards(run.shards.folder)
    objectives, weights = _objectives(setting, config, shards, "train")
    title = config.title or name
    for objective in objectives:
        _print_mixture(setting, title, objective)
    plan = Plan(objectives, weights, settings.steps, settings.accumulate, setting.recipe.seed)
    session = Session(
        title=f"pretraining {title}",
        plan=plan,
        optimizer=settings.optimizer,
        dtype=setting.dtype,
        compiles=settings.compile,
        folder=folder,
        key=run.pretrained(name).key,
        checkpoint_seconds=60 * settings.checkpoint_minutes,
        points=settings.points,
        estimated_tokens=settings.steps * settings.accumulate * settings.tokens_per_batch,
        tracking=setting.tracking,
        name=f"pretrain/{name}",
    )
    held_out = _objectives(setting, config, shards, "valid", required=False)[0]
    validation = Validation(held_out, batches=4) if held_out else None
    placed = setting.placed(model, compiles=settings.compile)
    state, tensors = session.run(placed, run.processes, validation)
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
    setting: Setting,
    config: PretrainedModel,
    shards: Shards,
    split: str,
    *,
    required: bool = True,
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
                shards.part(section.sources),
                split=split,
                tokens=setting.recipe.pretrain.tokens_per_batch,
                seed=(setting.recipe.seed, split),
            )
        except UserError:
            if required:
                raise
            continue
        objectives.append(objective)
        weights.append(section.weight)
    return objectives, weights


def _print_mixture(setting: Setting, title: str, objective: Any) -> None:  # noqa: ANN401 - any sampled one
    if setting.plan.processes.first:
        sampler, name = objective.sampler, objective.name.upper()
        rows = [
            [g.name, len(g.lengths), int(g.lengths.sum()), f"{100 * share:.1f} %"]
            for g, share in zip(sampler.groups, sampler.mixture.shares, strict=True)
        ]
        columns = ["language", "sequences", "tokens", "share of sequences"]
        table(f"{title}: what {name} draws", columns, rows)
        drawn = {code for group in sampler.groups for code in group.name.split("-")}
        if silent := [code for code in setting.recipe.languages if code not in drawn]:
            say(f"{title}: {name} has too little text in {', '.join(silent)} to learn from.")
