"""The report's tables of translations found in files: sentences, words, and mined pairs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xlmkit.evaluate.mining_scores import METRICS
from xlmkit.evaluate.report_tables import Measure, Table, comparison, retrieval_table
from xlmkit.evaluate.results import (
    Results,
    language_name,
    metric_title,
    model_title,
    model_titles,
    models_with,
    score,
)
from xlmkit.evaluate.score import Score


@dataclass(frozen=True, slots=True)
class SetTable:
    """A table with its heading and what is said below it."""

    title: str
    note: str
    table: Table


def set_tables(results: Results) -> Iterator[SetTable]:
    """Yield the tables of the corpus by margin, and of all named sets."""
    corpus = {
        key: {**model["retrieval"], **margin}
        for key, model in models_with(results, "retrieval").items()
        if (margin := model["retrieval"].get("margin"))
    }
    if corpus:
        yield SetTable(
            "Finding translations, by margin",
            "The same texts, with the nearest by margin: the cosine over how near both texts are "
            "to all others. In percent.",
            retrieval_table(results, corpus),
        )
    for name, parts in _named(results, "retrievals"):
        layers = _layers(results, parts)
        title = f"Finding translations: {_title(name, parts)}"
        note = f"Share of sentences whose nearest is the translation, in percent. {layers}."
        yield SetTable(title, f"{note} By cosine.", retrieval_table(results, parts))
        margins = {key: {**part, **part["margin"]} for key, part in parts.items()}
        yield SetTable(f"{title}, by margin", note, retrieval_table(results, margins))
    for name, parts in _named(results, "lexicons"):
        yield SetTable(
            f"Finding words: {_title(name, parts)}",
            "Share of words with a translation nearest, in percent, by CSLS: static vectors are "
            "the mean of token embeddings, contextual ones the states of the word alone. "
            f"{_layers(results, parts)}.",
            _lexicon_table(results, parts),
        )
    for name, parts in _named(results, "minings"):
        k = next(iter(parts.values()))["neighbours"]
        yield SetTable(
            f"Mining translations: {_title(name, parts)}",
            "Pairs found in texts that are not aligned, against the gold pairs, in percent, by "
            f"margin with {k} neighbours. The threshold was not chosen on what is scored. "
            f"{_layers(results, parts)}.",
            _mining_table(results, parts),
        )


def _named(results: Results, part: str) -> Iterator[tuple[str, dict[str, Mapping[str, Any]]]]:
    """Yield every set's name and what each model has of it."""
    models = models_with(results, part)
    for name in dict.fromkeys(name for model in models.values() for name in model[part]):
        yield name, {key: model[part][name] for key, model in models.items() if name in model[part]}


def _title(name: str, parts: Mapping[str, Mapping[str, Any]]) -> str:
    return str(next(iter(parts.values())).get("title") or name)


def _layers(results: Results, parts: Mapping[str, Mapping[str, Any]]) -> str:
    return ", ".join(
        f"{model_title(results, key)}: layer {part['layer']}" for key, part in parts.items()
    )


def _lexicon_table(results: Results, parts: Mapping[str, Mapping[str, Any]]) -> Table:
    def measure(kind: str) -> Measure:
        def get(model: str, pair: str) -> Score | float | None:
            if not pair:
                return float(parts[model]["average"][kind]["csls"]["1"])
            found = parts[model]["directions"].get(pair)
            return score(found[kind]["csls"], "1") if found else None

        return Measure(kind.capitalize(), get)

    return _by_pair(results, parts, "Direction", [measure("static"), measure("contextual")])


def _mining_table(results: Results, parts: Mapping[str, Mapping[str, Any]]) -> Table:
    def measure(metric: str) -> Measure:
        def get(model: str, pair: str) -> Score | float | None:
            if not pair:
                return float(parts[model]["average"][metric])
            return score(parts[model]["directions"].get(pair), metric)

        return Measure(metric_title(metric), get)

    return _by_pair(results, parts, "Pair", [measure(metric) for metric in METRICS])


def _by_pair(
    results: Results, parts: Mapping[str, Mapping[str, Any]], head: str, measures: Sequence[Measure]
) -> Table:
    """Return measures of models by pair of languages, and on average."""
    pairs = dict.fromkeys(pair for part in parts.values() for pair in part["directions"])
    rows = [(pair, language_name(results, pair), "") for pair in pairs]
    rows.append(("", "Average", "summary"))
    return comparison(head, model_titles(results, parts), rows, measures)
