"""How the recipe's translators are trained, the best kept, and the result measured."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from xlmkit.build.setting import Setting
from xlmkit.build.translation_judge import ROUND_TRIP, Judge
from xlmkit.build.translation_measure import (
    TranslationValidation,
    best_step,
    check_criterion,
    measurements_since_best,
    progress_line,
)
from xlmkit.build.translation_texts import Watched, identifier_of, learned_directions, watched
from xlmkit.build.translator_init import initial_translator
from xlmkit.build.translator_objectives import translator_objectives
from xlmkit.build.truecasing import learn_truecaser
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.names import ENCODER_PREDICTION, TRANSLATOR
from xlmkit.core.files import atomic_write, write_json
from xlmkit.core.log import say
from xlmkit.core.process import Processes
from xlmkit.core.tables import table
from xlmkit.data.permutation import key_of
from xlmkit.evaluate.comparable import SUMMARIES, TRANSLATION
from xlmkit.evaluate.outcomes import FOLDER as OUTCOMES
from xlmkit.evaluate.outcomes import save_outcomes
from xlmkit.evaluate.rouge import check_rouge
from xlmkit.evaluate.score import RESAMPLES
from xlmkit.evaluate.translation_diagnosis import Learner, together
from xlmkit.evaluate.translation_metrics import TITLES, translation_metric
from xlmkit.evaluate.translation_watch import hopeless_measurements
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.directions import DIRECTIONS, LENGTH, SPLIT
from xlmkit.generate.summarizer import of_summaries
from xlmkit.generate.translator import Translator
from xlmkit.objectives.summarize import Summarization
from xlmkit.plan import FIGURES_FILE, RunPlan
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.train.kept import KeptSteps
from xlmkit.train.loop import Plan
from xlmkit.train.selection import Curve
from xlmkit.train.session import Session, Weights
from xlmkit.train.state import STATE_FILE, TrainingState
from xlmkit.train.translation import TranslationConfig

_BEST_FOLDER = "best"


def train_translator(setting: Setting, name: str, folder: Path) -> None:
    """Train a translator, and save its best weights."""
    plan, recipe, config = setting.plan, setting.recipe, setting.plan.translation
    tokenizer = Tokenizer.load(plan.shards.folder / "tokenizer")
    torch.manual_seed(key_of(recipe.seed, "translator") >> 1)
    model = initial_translator(plan, name, tokenizer)
    reads = _how_it_reads(plan, name)
    bundle = Bundle(model.encoder.architecture, tokenizer, {}, head=TRANSLATOR, provenance=reads)
    judge = _judge(plan, name, tokenizer)
    validation = _validation(plan, name, bundle, judge)
    criterion = config.criterion
    kept = _kept(folder, criterion)

    def enough(state: TrainingState) -> bool:
        since = measurements_since_best(state.curve, criterion)
        return (config.patience is not None and since >= config.patience) or given_up(state)

    def given_up(state: TrainingState) -> bool:
        most = config.give_up_after
        return most is not None and hopeless_measurements(state.curve) >= most

    session = _session(setting, name, folder)
    state, weights = session.run(
        setting.placed(model),
        Processes(),
        partial(_validate, validation, criterion, kept) if validation else None,
        enough,
        kept.on_saved,
    )
    if given_up(state):
        ill = "copied, collapsed or wrote nothing"
        say(f"All directions still {ill} at step {state.step:,}: training ended.")
    best = best_step(state.curve, criterion)
    if best is not None:
        weights = load_file(kept.path(best))
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
    learned = _learned(plan, name, session.plan)
    provenance = {**setting.provenance(), "translation": figures, **reads, **learned}
    Bundle(
        bundle.architecture,
        tokenizer.with_truecaser(learn_truecaser(plan, tokenizer)),
        _for_use(weights),
        head=TRANSLATOR,
        provenance=provenance,
    ).save(folder)
    write_json(folder / FIGURES_FILE, figures)
    (folder / STATE_FILE).unlink(missing_ok=True)
    kept.forget()


def measure_translator(setting: Setting, name: str, folder: Path) -> None:
    """Write a translator's figures on the test texts, and the counts that they are made from."""
    plan = setting.plan
    judge = _judge(plan, name, Tokenizer.load(plan.shards.folder / "tokenizer"))
    write_json(folder / FIGURES_FILE, {"test": _measure(plan, name, folder, judge)})


def _kept(folder: Path, criterion: str) -> KeptSteps:
    """Return where the weights of the best step wait for the end of the training."""

    def wanted(curve: Curve) -> set[int]:
        best = best_step(curve, criterion)
        return set() if best is None else {best}

    return KeptSteps(folder / _BEST_FOLDER, wanted, ending=".safetensors")


def _session(setting: Setting, name: str, folder: Path) -> Session:
    plan, config = setting.plan, setting.plan.translation
    translator = plan.translator(name)
    sections, steps = translator.objectives, translator.steps or config.steps
    schedules = {str(key): schedule for key, schedule in translator.coefficients.items()}
    return Session(
        title=f"training {translator.title or name}",
        plan=Plan(
            translator_objectives(plan, name),
            [section.weight for section in sections.values()],
            steps,
            config.accumulate,
            (setting.recipe.seed, name),
            [schedules.get(key, ((0, 1.0),)) for key in sections],
        ),
        optimizer=config.optimizer,
        dtype=setting.dtype,
        folder=folder,
        key=plan.translated(name).key,
        checkpoint_seconds=60 * setting.recipe.pretrain.checkpoint_minutes,
        points=setting.recipe.pretrain.points,
        estimated_tokens=steps * config.accumulate * config.tokens_per_batch,
        validate_every=config.validate_every,
        tracking=setting.tracking,
        name=f"translation/{name}",
    )


def _judge(plan: RunPlan, name: str, tokenizer: Tokenizer) -> Judge:
    """Return who judges what a translator writes; without translations, by the way back, too."""
    back = plan.translation.criterion == ROUND_TRIP or plan.translator(name).bt is not None
    translator = plan.translator(name)
    learner = Learner(initial=translator.init is not None, denoises=translator.ae is not None)
    folded = tokenizer.lowercase_and_remove_accent
    return Judge(identifier_of(plan, tokenizer), folded, back, learner)


def _validation(
    plan: RunPlan, name: str, bundle: Bundle, judge: Judge
) -> TranslationValidation | None:
    """Return what watches the training, None where no text is held out and nothing asks for it.

    Raises:
        UserError: there is no text for the criterion, or sacrebleu is missing.
    """
    config, texts = plan.translation, watched(plan, name, "valid")
    place = f"translation.models.{name}"
    if not texts and not _asked_for(config):
        say(f"No text is held out to validate {place} on; its last step will be kept.")
        return None
    check_criterion(config.criterion, texts, place)
    _check_metrics(texts)
    lengths = [s.length for s in (plan.translator(name).mt, plan.translator(name).bt) if s]
    return TranslationValidation(
        bundle,
        texts,
        most=config.max_valid,
        tokens=config.tokens_per_batch,
        max_length=max(lengths, default=bundle.architecture.max_position_embeddings),
        judge=None if config.criterion == "loss" else judge,
    )


def _asked_for(config: TranslationConfig) -> bool:
    """Tell whether the recipe names what only a validation can do."""
    ends = (config.patience, config.give_up_after)
    return "criterion" in config.model_fields_set or any(most is not None for most in ends)


def _check_metrics(texts: Mapping[str, Watched]) -> None:
    """See before hours of training that what is measured after them can be."""
    for direction, part in texts.items():
        target = direction.partition("-")[2]
        if part.summary is None:
            translation_metric("bleu", target)
        else:
            check_rouge(target)


def _validate(
    validation: TranslationValidation,
    criterion: str,
    kept: KeptSteps,
    model: nn.Module,
    state: TrainingState,
    weights: Weights,
) -> None:
    """Measure, and keep the weights if they are the best so far."""
    validation(model, state)
    if line := progress_line(state.curve, criterion):
        say(line)
    if best_step(state.curve, criterion) == state.step:
        tensors = {name: value.cpu() for name, value in weights().items()}
        with atomic_write(kept.path(state.step), binary=True) as stream:
            stream.write(save(tensors))
    kept.on_measured(state)


def _how_it_reads(plan: RunPlan, name: str) -> Mapping[str, Any]:
    """Return how long the sentences are that it learns, if any, and whether texts stay whole."""
    translator, made = plan.translator(name), dict[str, Any]()
    lengths = [s.length for s in (translator.mt, translator.bt, translator.ae) if s is not None]
    if lengths:
        made[LENGTH] = max(lengths)
    if not plan.translation.split_sentences:
        made[SPLIT] = False
    return made


def _learned(plan: RunPlan, name: str, trained: Plan) -> Mapping[str, Any]:
    """Return in which directions it translates and summarises, and how long such texts are."""
    translator, made = plan.translator(name), {}
    if translator.mt or translator.bt or translator.summary:  # who only denoises may try them all
        made[DIRECTIONS] = learned_directions(plan, name)
    if (summary := translator.summary) is not None:
        learned = [part for part in trained.objectives if isinstance(part, Summarization)]
        directions = [group.name for part in learned for group in part.pairs.groups]
        made |= of_summaries(summary.length, summary.summary_length, directions)
    return made


def _for_use(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Leave out the encoder's word prediction, which has done its part."""
    return {
        name: value for name, value in weights.items() if not name.startswith(ENCODER_PREDICTION)
    }


def _measure(plan: RunPlan, name: str, folder: Path, judge: Judge) -> dict[str, Any]:
    """Return what is written on the test texts and what it is worth, {} without any texts."""
    texts = watched(plan, name, "test")
    if not texts:
        return {}
    search = SearchConfig(beam_size=plan.translation.beam_size)
    trained = plan.translated(name).folder
    translator = Translator.from_pretrained(trained, capitals=False)  # as references are folded
    translator.directions = None  # test texts may be of others, to see what became of them
    found = judge(translator, texts, search, resamples=RESAMPLES, thorough=True)
    title = plan.translator(name).title or name
    rows = [
        [direction, TITLES[metric], f"{score.value:.1f}", len(one.outputs)]
        for direction, one in found.items()
        for metric, score in one.scores.items()
    ]
    table(f"{title} on the test texts", ["direction", "metric", "score", "texts"], rows)
    for task in (TRANSLATION, SUMMARIES):
        of_task = {d: one for d, one in found.items() if one.task == task}
        if outcomes := {d: kept for d, one in of_task.items() if (kept := one.outcomes(d))}:
            save_outcomes(folder / OUTCOMES / f"{task}.npz", outcomes)
    for sentence in together(f for d, one in found.items() for f in one.findings(d, judge.learner)):
        say(sentence)
    return {direction: one.to_json(direction, judge.learner) for direction, one in found.items()}
