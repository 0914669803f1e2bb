"""The stages that need no model and no torch: the corpus, the tokenizer and the shards.

Whether they suffice for the recipe's objectives is seen here, too.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.core.files import write_json
from xlmkit.core.stages import Stage
from xlmkit.core.tables import table
from xlmkit.data.corpus import DataConfig, prepare_corpus
from xlmkit.data.counted_corpus import CountedCorpus
from xlmkit.data.encode import encode_corpus
from xlmkit.data.shards import Shards
from xlmkit.objectives.config import ClmConfig, MlmConfig, TlmConfig
from xlmkit.plan import STATISTICS_FILE, RunPlan
from xlmkit.text.segment import check_segmenters
from xlmkit.text.tokenizer import CONFIG_FILE, Tokenizer

Build = Callable[[Path], object]
"""Fills a stage's folder."""


def prepare_stages(plan: RunPlan) -> Iterator[tuple[str, Stage, Build]]:
    """Yield title, stage and builder of each stage of preparation that the recipe needs."""
    if plan.recipe.data is not None:
        yield "Reading and cleaning", plan.corpus, partial(_make_corpus, plan, plan.recipe.data)
    if plan.recipe.makes_models:
        yield "Tokenizer and shards", plan.shards, partial(_make_shards, plan)


def _make_corpus(plan: RunPlan, data: DataConfig, folder: Path) -> None:
    recipe = plan.recipe
    if recipe.makes_models:  # before texts are fetched and read
        taken = plan.tokenizer_taken
        own = recipe.tokenizer.all_segmenters
        check_segmenters(
            recipe.languages, Tokenizer.load(taken.folder).segmenters if taken else own
        )
    report = prepare_corpus(data, recipe.languages, folder, plan.base, recipe.seed)
    table("Texts read and kept", *report.source_table())
    table("Splits", *report.split_table())
    columns, rows = report.bad_line_table()
    if rows:
        table("Lines that could not be read", columns, rows)


def _make_shards(plan: RunPlan, folder: Path) -> None:
    counted = CountedCorpus(plan.corpus.folder, folder, plan.recipe.tokenizer.all_segmenters)
    tokenizer = _tokenizer(plan, folder, counted)
    statistics = encode_corpus(plan.corpus.folder, tokenizer, folder, counted)
    write_json(folder / STATISTICS_FILE, statistics)
    counted.remove()
    rows = [
        [code, s["texts"], s["words"], s["tokens"], round(s["tokens"] / max(1, s["words"]), 2)]
        for code, s in statistics.items()
    ]
    columns = ["language", "texts", "words", "tokens", "tokens per word"]
    table(f"Training text, {len(tokenizer):,} words in the vocabulary", columns, rows)


def _tokenizer(plan: RunPlan, folder: Path, counted: CountedCorpus) -> Tokenizer:
    """Learn the tokenizer, or take a model's, and save it; load it if what follows was stopped."""
    place, recipe = folder / "tokenizer", plan.recipe
    if (taken := plan.tokenizer_taken) is not None:
        lang2id = {code: number for number, code in enumerate(recipe.languages)}
        Tokenizer.load(taken.folder).with_languages(lang2id).save(place)
    elif not (place / CONFIG_FILE).is_file():  # which is written last
        words = counted.count()
        Tokenizer.of_counts(words, recipe.tokenizer, recipe.languages).save(place)
    return Tokenizer.load(place)


def check_text(place: str, section: MlmConfig | TlmConfig | ClmConfig, shards: Shards) -> None:
    """See that an objective has something to learn from.

    Args:
        place: where the recipe names it.
        section: the objective.
        shards: the texts.

    Raises:
        UserError: there are no translations, or no text is long enough.
    """
    if isinstance(section, TlmConfig):
        pairs = shards.manifest["pairs"]["train"]
        if not any(section.pivot in (None, *pair) for pair in pairs):
            pivot = f" with {section.pivot}" if section.pivot else ""
            raise UserError(
                f"{place} learns from translations, but no training text has any{pivot}; give "
                "parallel sources in data, or take tlm out."
            )
        return
    if isinstance(section, MlmConfig) and section.form != "stream":
        return
    longest = max(len(shards.sentences("train", code).tokens) for code in shards.languages)
    if longest < section.length:
        raise UserError(
            f"{place} cuts text into streams of {section.length} tokens, but no language has more "
            f"than {longest}; give more text or a smaller length."
        )
