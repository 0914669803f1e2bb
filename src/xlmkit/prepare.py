"""The stages that need no model and no torch: the corpus, the tokenizer and the shards."""

from collections.abc import Callable, Iterator
from pathlib import Path

from xlmkit.core.files import write_json
from xlmkit.core.stages import Stage
from xlmkit.core.tables import table
from xlmkit.data.corpus import prepare_corpus, read_corpus
from xlmkit.data.encode import blocks, encode_corpus
from xlmkit.plan import STATISTICS_FILE, RunPlan
from xlmkit.text.tokenizer import Tokenizer

Build = Callable[[Path], object]
"""Fills a stage's folder."""


def prepare_stages(plan: RunPlan) -> Iterator[tuple[str, Stage, Build]]:
    """Yield title, stage and builder of each stage of preparation."""

    def corpus(folder: Path) -> None:
        recipe = plan.recipe
        report = prepare_corpus(recipe.data, recipe.languages, folder, plan.base, recipe.seed)
        table("Texts read and kept", *report.source_table())
        table("Splits", *report.split_table())
        columns, rows = report.bad_line_table()
        if rows:
            table("Lines that could not be read", columns, rows)

    def shards(folder: Path) -> None:
        tokenizer = Tokenizer.learn(_texts(plan), plan.recipe.tokenizer, plan.recipe.languages)
        tokenizer.save(folder / "tokenizer")
        statistics = encode_corpus(plan.corpus.folder, tokenizer, folder)
        write_json(folder / STATISTICS_FILE, statistics)
        rows = [
            [code, s["texts"], s["words"], s["tokens"], round(s["tokens"] / max(1, s["words"]), 2)]
            for code, s in statistics.items()
        ]
        columns = ["language", "texts", "words", "tokens", "tokens per word"]
        table(f"Training text, {len(tokenizer):,} words in the vocabulary", columns, rows)

    yield "Reading and cleaning", plan.corpus, corpus
    yield "Tokenizer and shards", plan.shards, shards


def _texts(plan: RunPlan) -> Iterator[tuple[str, list[str]]]:
    """Yield language and texts of the training split, a block at a time."""
    for block in blocks(read_corpus(plan.corpus.folder, "train")):
        for language in plan.recipe.languages:
            if texts := [r.texts[language] for r in block if language in r.texts]:
                yield language, texts
