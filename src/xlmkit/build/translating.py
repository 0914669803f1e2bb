"""How the recipe's translators are trained, the best kept, and the result measured."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from xlmkit.build.setting import Setting
from xlmkit.build.translation_measure import (
    TranslationValidation,
    best_step,
    measure_bleu,
    measurements_since_best,
)
from xlmkit.build.translator_init import initial_translator
from xlmkit.build.translator_objectives import translator_objectives
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import ENCODER_PREDICTION, TRANSLATOR
from xlmkit.core.device import choose_dtype
from xlmkit.core.files import atomic_write, write_json
from xlmkit.core.process import Processes
from xlmkit.core.tables import table
from xlmkit.data.permutation import key_of
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.translator import Translator
from xlmkit.plan import FIGURES_FILE, RunPlan
from xlmkit.tasks.translation import TranslatedTexts, load_translations
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.train.loop import Plan
from xlmkit.train.session import Session
from xlmkit.train.state import STATE_FILE, TrainingState

_BEST_FILE = "best.safetensors"


def train_translator(setting: Setting, name: str, folder: Path) -> None:
    """Train a translator, save its best weights, and measure them on the test texts."""
    plan, recipe, config = setting.plan, setting.recipe, setting.plan.translation
    tokenizer = Tokenizer.load(plan.shards.folder / "tokenizer")
    torch.manual_seed(key_of(recipe.seed, "translator") >> 1)
    model = initial_translator(plan, name, tokenizer)
    bundle = Bundle(model.encoder.architecture, tokenizer, {}, head=TRANSLATOR)
    validation = _validation(plan, name, bundle)
    criterion = config.criterion

    def enough(state: TrainingState) -> bool:
        since = measurements_since_best(state.curve, criterion)
        return config.patience is not None and since >= config.patience

    state, weights = _session(setting, name, folder).run(
        model.to(setting.device),
        Processes(),
        partial(_validate, validation, criterion, folder) if validation else None,
        enough,
    )
    best = best_step(state.curve, criterion)
    if best is not None:
        weights = load_file(folder / _BEST_FILE)
    figures = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "steps": state.step,
        "best_step": best or state.step,
        "tokens": state.tokens,
        "seconds": round(state.seconds, 2),
        "tokens_per_second": round(state.tokens / max(state.seconds, 1e-9), 1),
        "skipped": state.skipped,
        "rollbacks": state.rollbacks,
        "curve": state.curve,
    }
    provenance = {**setting.provenance(), "translation": figures}
    Bundle(
        bundle.architecture,
        tokenizer,
        _for_use(weights),
        head=TRANSLATOR,
        provenance=provenance,
    ).save(folder)
    figures["test"] = _measure(plan, name, folder)
    write_json(folder / FIGURES_FILE, figures)
    for leftover in (STATE_FILE, _BEST_FILE):
        (folder / leftover).unlink(missing_ok=True)


def held_out(plan: RunPlan, name: str, split: str) -> Mapping[str, TranslatedTexts]:
    """Return the valid or test translations in the directions that a translator learns."""
    config = plan.translation
    sources = config.valid if split == "valid" else config.test
    texts = load_translations(sources, plan.corpus.folder, split, plan.base, plan.recipe.languages)
    learned = plan.translator(name)
    wanted: set[str] = set()
    for section in (learned.mt, learned.bt):
        if section is not None:
            wanted |= set(section.directions or texts)
    return {name: part for name, part in texts.items() if name in wanted or not wanted}


def _session(setting: Setting, name: str, folder: Path) -> Session:
    plan, config = setting.plan, setting.plan.translation
    translator = plan.translator(name)
    sections = translator.objectives
    schedules = {str(key): schedule for key, schedule in translator.coefficients.items()}
    return Session(
        title=f"training {translator.title or name}",
        plan=Plan(
            translator_objectives(plan, name),
            [section.weight for section in sections.values()],
            config.steps,
            config.accumulate,
            (setting.recipe.seed, name),
            [schedules.get(key, ((0, 1.0),)) for key in sections],
        ),
        optimizer=config.optimizer,
        dtype=choose_dtype(setting.recipe.precision, setting.device),
        folder=folder,
        key=plan.translated(name).key,
        checkpoint_seconds=60 * setting.recipe.pretrain.checkpoint_minutes,
        points=setting.recipe.pretrain.points,
        estimated_tokens=config.steps * config.accumulate * config.tokens_per_batch,
        validate_every=config.validate_every,
    )


def _validation(plan: RunPlan, name: str, bundle: Bundle) -> TranslationValidation | None:
    """Return what watches the training, None where no translations are held out."""
    config, texts = plan.translation, held_out(plan, name, "valid")
    if not texts:
        return None
    lengths = [s.length for s in (plan.translator(name).mt, plan.translator(name).bt) if s]
    return TranslationValidation(
        bundle,
        texts,
        most=config.max_valid,
        tokens=config.tokens_per_batch,
        max_length=max(lengths, default=bundle.architecture.max_position_embeddings),
        with_bleu=config.criterion == "bleu",
    )


def _validate(
    validation: TranslationValidation,
    criterion: str,
    folder: Path,
    model: nn.Module,
    state: TrainingState,
) -> None:
    """Measure, and keep the weights if they are the best so far."""
    validation(model, state)
    if best_step(state.curve, criterion) == state.step:
        tensors = {
            name: value.detach().float().cpu().clone() for name, value in model.state_dict().items()
        }
        with atomic_write(folder / _BEST_FILE, binary=True) as stream:
            stream.write(save(tensors))


def _for_use(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Leave out the encoder's word prediction, which has done its part."""
    return {
        name: value for name, value in weights.items() if not name.startswith(ENCODER_PREDICTION)
    }


def _measure(plan: RunPlan, name: str, folder: Path) -> dict[str, Any]:
    """Return BLEU on the test texts, {} without any."""
    texts = held_out(plan, name, "test")
    if not texts:
        return {}
    search = SearchConfig(beam_size=plan.translation.beam_size)
    found = measure_bleu(Translator.from_pretrained(folder), texts, search)
    title = plan.translator(name).title or name
    rows = [[direction, score["bleu"], score["n"]] for direction, score in found.items()]
    table(f"{title}: BLEU on the test texts", ["direction", "BLEU", "texts"], rows)
    return found
