"""What must be known beside a comparison: seeds, missing values, and labels that differed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xlmkit.evaluate import formats
from xlmkit.evaluate.contenders import Contender
from xlmkit.evaluate.results import metric_title, score


def seeds_note(one: Contender, task: str) -> str:
    """Return how a model's seeds are compared, nothing where it has one only."""
    over = one.tasks[task].get("seeds")
    if not over:
        return ""
    spread = over["average"][one.metrics(task)[0]]
    told = ""
    if spread["deviation"] is not None:
        deviation = formats.points(spread["deviation"]).lstrip("+")
        told = f", on average {formats.percent(spread['mean'])} ± {deviation}"
    return (
        f"{one.title} was adapted to {task} with {len(over['seeds'])} seeds: it ranks by their "
        f"mean{told}; paired tests are of the first."
    )


def undefined_scores(contenders: Sequence[Contender], task: str, metric: str) -> Iterator[str]:
    """Yield a note for each model whose metric has no value in a language that all have."""
    measured = {one.title: one.tasks[task]["languages"] for one in contenders}
    common = [code for code in contenders[0].tasks[task]["languages"] if _all(measured, code)]
    for title, parts in measured.items():
        if codes := [code for code in common if score(parts[code], metric) is None]:
            yield (
                f"{metric_title(metric)} of {task} has no value for {title} in "
                f"{formats.listed(codes)}, which no model is compared in."
            )


def unshared_languages(
    contenders: Sequence[Contender], task: str, averaged: Sequence[str]
) -> Iterator[str]:
    """Yield a note about languages that some models were measured in and others not, if any.

    Args:
        contenders: the models.
        task: its name.
        averaged: the languages that they are ranked by.
    """
    measured = {one.title: one.tasks[task]["languages"] for one in contenders}
    codes = dict.fromkeys(code for parts in measured.values() for code in parts)
    if not (left := [code for code in codes if not _all(measured, code)]):
        return
    yield f"Left out of {task}, since not all models were measured in them: {', '.join(left)}."
    if all(set(averaged) <= set(one.sources(task)) for one in contenders):
        yield (
            f"Only {formats.listed(list(averaged))} is left of {task}, whose labels were learned: "
            "nothing is said about other languages."
        )


def labels_of_some(
    contenders: Sequence[Contender], task: str, averaged: Sequence[str]
) -> Iterator[str]:
    """Yield a note where some models learned labels of `averaged` languages, and others did not.

    The arguments are those of `unshared_languages`.
    """
    learned = [set(averaged) & set(one.sources(task)) for one in contenders]
    if any(one != learned[0] for one in learned):
        yield (
            f"Every language compared on {task} gave labels to some model, so its average is over "
            f"those that did not give them to all: {formats.listed(list(averaged))}."
        )


def unequal_sizes(task: str, sizes: Sequence[int]) -> Iterator[str]:
    """Yield a note where translations of one example cannot be drawn together by their number.

    Args:
        task: its name.
        sizes: examples of each language that is averaged.
    """
    if len(set(sizes)) > 1:
        yield (
            f"In the average of {task}, languages with unequal numbers of examples are taken as "
            "independent; where they are translations of one another, its p is too small."
        )


def _all(measured: Mapping[str, Mapping[str, Any]], code: str) -> bool:
    return all(code in parts for parts in measured.values())


def differing_labels(contenders: Sequence[Contender], tasks: Sequence[str]) -> Iterator[str]:
    """Yield a note for each task that the models learned from different labels.

    Args:
        contenders: the models.
        tasks: names of the tasks that all of them have.
    """
    for name in tasks:
        learned = {one.title: _labels(one, one.tasks[name], name) for one in contenders}
        if len(set(learned.values())) > 1:
            told = "; ".join(f"{title}: {text}" for title, text in learned.items())
            yield (
                f"The models did not learn {name} from the same labels, which their difference "
                f"may be due to ({told})."
            )


def _labels(one: Contender, measured: Mapping[str, Any], task: str) -> str:
    """Return how many labels a model saw and of which languages, as far as known."""
    if "source_languages" not in measured and "train_examples" not in measured:
        return ""
    examples = measured.get("train_examples")
    said = f"{formats.count(examples)} examples" if examples else "examples"
    said += f" in {formats.listed(one.sources(task))}"
    few = measured.get("few_shot")
    return f"{said}, {few} of each other language" if few else said
