"""How a model is measured at finding translations: in the corpus and files, of words, by mining."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xlmkit.core.errors import UserError
from xlmkit.data.corpus import read_corpus
from xlmkit.data.measures import normalize
from xlmkit.data.records import Record
from xlmkit.data.sources import Source
from xlmkit.evaluate.comparable import RETRIEVAL
from xlmkit.evaluate.config import LexiconConfig, MiningConfig, SentenceSetConfig
from xlmkit.evaluate.dictionaries import read_dictionary
from xlmkit.evaluate.lexicons import measure_lexicons
from xlmkit.evaluate.minings import known_pairs, measure_mining
from xlmkit.evaluate.outcomes import FOLDER as OUTCOMES
from xlmkit.evaluate.outcomes import save_outcomes
from xlmkit.evaluate.retrieval import choose_layer, measure_retrieval
from xlmkit.evaluate.text_states import TextStates
from xlmkit.plan import RunPlan
from xlmkit.tasks.base import Backbone
from xlmkit.tasks.reading import read_split


def measure_translations(plan: RunPlan, backbone: Backbone, folder: Path) -> dict[str, Any]:
    """Return the figures of everything that the recipe asks for.

    Args:
        plan: of the run.
        backbone: the model.
        folder: of the stage, where what was found of each sentence is kept.

    Raises:
        UserError: a file is missing, or has nothing to find.
    """
    evaluate = plan.recipe.evaluate
    valid, test = (
        list(read_corpus(plan.corpus.folder, split)) if plan.recipe.data else []
        for split in ("valid", "test")
    )
    figures: dict[str, Any] = {}
    if evaluate.retrieval:
        found = measure_retrieval(backbone, valid, test, evaluate.retrieval)
        figures["retrieval"] = _kept(found, folder, RETRIEVAL)
    figures["retrievals"] = {
        name: _kept(
            _sentences(plan, backbone, valid, config, f"evaluate.retrievals.{name}"),
            folder,
            f"retrievals.{name}",
        )
        for name, config in evaluate.retrievals.items()
    }
    figures["lexicons"] = {
        name: _words(plan, backbone, valid, config, f"evaluate.lexicons.{name}")
        for name, config in evaluate.lexicons.items()
    }
    figures["minings"] = {
        name: _mined(plan, backbone, valid, config, f"evaluate.minings.{name}")
        for name, config in evaluate.minings.items()
    }
    return figures


def _kept(found: dict[str, Any] | None, folder: Path, name: str) -> dict[str, Any] | None:
    """Put the outcomes into a file of their own."""
    if found is not None:
        save_outcomes(folder / OUTCOMES / f"{name}.npz", found.pop("outcomes"))
    return found


def _sentences(
    plan: RunPlan, backbone: Backbone, valid: list[Record], config: SentenceSetConfig, place: str
) -> dict[str, Any]:
    own = list(_read(plan, config.valid)) if config.valid else valid
    found = measure_retrieval(backbone, own, list(_read(plan, config.sources)), config, place)
    if found is None:
        raise UserError(
            f"{place}: no two sentences stand in {config.pivot or plan.recipe.languages[0]} and "
            "in another of the recipe's languages; see the languages of its sources."
        )
    return {"title": config.title, **found}


def _words(
    plan: RunPlan, backbone: Backbone, valid: list[Record], config: LexiconConfig, place: str
) -> dict[str, Any]:
    reader = TextStates(backbone, config.stride, place)
    layer, _ = choose_layer(reader, valid, config, _with_the_first(backbone))
    dictionaries = [read_dictionary(one, plan.base) for one in config.dictionaries]
    try:
        return measure_lexicons(backbone, reader, dictionaries, config, layer)
    except UserError as error:
        raise UserError(f"{place}: {error}") from None


def _mined(
    plan: RunPlan, backbone: Backbone, valid: list[Record], config: MiningConfig, place: str
) -> dict[str, Any]:
    reader = TextStates(backbone, config.stride, place)
    layer, by_layer = choose_layer(reader, valid, config, _with_the_first(backbone))
    if config.layer is None and not by_layer:  # nothing was held out in two languages
        mined = [(pair.source, pair.target) for pair in config.pairs]
        known = list(known_pairs(config, plan.base))
        layer, by_layer = choose_layer(reader, known, config, mined)
    found = measure_mining(reader, config, plan.base, layer)
    return {"title": config.title, "layer": layer, "layers_on_validation": by_layer, **found}


def _with_the_first(backbone: Backbone) -> list[tuple[str, str]]:
    """Return the recipe's first language with each other one."""
    first, *others = backbone.languages
    return [(first, other) for other in others]


def _read(plan: RunPlan, sources: tuple[Source, ...]) -> Iterable[Record]:
    """Yield the records of files, normalised as in pretraining."""
    for record in read_split(sources, "test", plan.task_inputs, labelled=False):
        texts = {language: normalize(text) for language, text in record.texts.items()}
        yield Record(texts, record.source, record.where)
