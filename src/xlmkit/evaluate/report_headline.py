"""What a report says first: one finding, a few sentences, a few large numbers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xlmkit.evaluate import formats
from xlmkit.evaluate.report_protocol import seeds_sentence
from xlmkit.evaluate.report_tasks import tasks_sentence
from xlmkit.evaluate.report_translation_headline import translation_headline
from xlmkit.evaluate.results import (
    Results,
    averaged_of,
    best_of,
    is_pretrained,
    language_name,
    learned_average,
    learned_in,
    learned_in_one,
    learned_of,
    main_metric,
    metric_title,
    model_title,
    models_on,
    models_with,
    others_of,
    retrieval_average,
    score,
    source_of,
    sources_of,
    task_average,
    task_names,
    task_title,
)

_ASKED = {
    "multiple_choice": "asks which of several answers is right",
    "question_answering": "asks for the part of a text that answers a question",
    "regression": "gives each text a score",
}


def _name(results: Results, key: str) -> str:
    """Return a model's title so that no line of prose is cut within it."""
    return model_title(results, key).replace(" + ", "\N{NO-BREAK SPACE}+\N{NO-BREAK SPACE}")


@dataclass(frozen=True, slots=True)
class Headline:
    """The head of a report.

    Attributes:
        title: the finding.
        sentences: what was done and what came out.
        figures: (large number, what it is).
    """

    title: str
    sentences: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TaskFinding:
    """What the models did on one task, on average over the languages that gave no labels.

    Where all gave some, as in joint training, it is what they did on average over all.
    """

    task: str
    source: str
    averaged: list[str]
    joint: bool
    averages: dict[str, float]
    best: str
    floor: str | None

    @property
    def gain(self) -> float:
        """Main metric of the best model above the floor; not a number without a floor."""
        if self.floor is None:
            return math.nan
        return self.averages[self.best] - self.averages[self.floor]


def task_finding(results: Results, task: str) -> TaskFinding | None:
    """Return the finding on a task, None where nothing has a value."""
    models = models_on(results, task)
    joint = not any(others_of(results, one) for one in models.values())
    average, over = (learned_average, learned_of) if joint else (task_average, averaged_of)
    averages = {key: average(results, one) for key, one in models.items()}
    best = best_of(averages)
    if best is None or not over(results, models[best]):
        return None
    first = next(iter(models))
    floor = first if first != best and math.isfinite(averages[first]) else None
    return TaskFinding(
        task=task,
        source=source_of(results, models[best]),
        averaged=over(results, models[best]),
        joint=joint,
        averages=averages,
        best=best,
        floor=floor,
    )


def headline(results: Results) -> Headline:
    """Return the head of the report for whatever was measured."""
    sentences: list[str] = []
    figures: list[tuple[str, str]] = []
    titles: list[str] = []
    names = task_names(results)
    if len(names) > 1 and (said := tasks_sentence(results)):
        titles.append(said)
    for name in names if len(names) == 1 else ():
        finding = task_finding(results, name)
        if finding is not None:
            titles.append(_task_title(results, finding))
            sentences += _task_sentences(results, finding)
            figures += _task_figures(results, finding)
    titles += _retrieval(results, sentences, figures)
    titles += translation_headline(results, sentences, figures)
    if not titles:
        sentences += _pretraining_sentences(results)
    seconds = sum((results.get("durations") or {}).values())
    if seconds:
        figures.append((formats.duration(seconds), "for all stages together"))
    title = titles[0] if titles else _plain_title(results)
    return Headline(title=title, sentences=tuple(sentences), figures=tuple(figures))


def _task_title(results: Results, finding: TaskFinding) -> str:
    where = _where(results, finding)
    share = formats.percent(finding.averages[finding.best])
    best = models_on(results, finding.task)[finding.best]
    learned = f"Learned from labels in {learned_in(results, best)}, "
    if learned_in_one(results, best):
        learned = f"Learned from {language_name(results, finding.source)} labels alone, "
    elif finding.joint and len(finding.averaged) == len(sources_of(results, best)):
        learned = f"Learned from labels in all {formats.words(len(finding.averaged))} languages, "
    metric = main_metric(best)
    if metric != "accuracy":
        return f"{learned}{metric_title(metric)} is {share} {where}"
    return f"{learned}right on {share} of {best.get('unit', 'texts')} {where}"


def _where(results: Results, finding: TaskFinding) -> str:
    number = len(finding.averaged)
    if finding.joint:
        return "on average" if number > 1 else f"in {language_name(results, finding.averaged[0])}"
    return f"in {formats.words(number)} other language{'s' if number > 1 else ''}"


def _task_sentences(results: Results, finding: TaskFinding) -> list[str]:
    models = models_on(results, finding.task)
    best = models[finding.best]
    title, source = _name(results, finding.best), language_name(results, finding.source)
    examples = best.get("train_examples")
    task = task_title(results, finding.task)
    what = f"The task \N{LEFT DOUBLE QUOTATION MARK}{task}\N{RIGHT DOUBLE QUOTATION MARK}"
    what += f" {_asked(best)}"
    seen = f"{formats.count(examples)} labelled examples" if examples else "labels"
    where = f", all in {source}" if learned_in_one(results, best) else ""
    where = where or f" in {learned_in(results, best)}"
    sentences = [f"{what}; the models saw {seen}{where}."]
    average = formats.percent(finding.averages[finding.best])
    names = formats.listed([language_name(results, code) for code in finding.averaged])
    level = _level(finding)
    rank = f", the best of {formats.words(len(models))} models," if len(models) > 1 else ""
    if level:
        rank = f", level with {formats.listed([_named(results, key) for key in level])},"
    among = f"on average over {names}" if len(finding.averaged) > 1 else f"in {names}"
    metric = main_metric(best)
    right = metric == "accuracy"
    reached = "is right on" if right else "reaches"
    text = f"{title}{rank} {reached} {average} "
    unit = best.get("unit", "texts")
    text += f"of held-out {unit} {among}" if right else f"in {metric_title(metric)} {among}"
    home = None if finding.joint else score(best["languages"].get(finding.source), metric)
    on = "on " if right else ""
    text += f", and {on}{formats.percent(home.value)} in {source}." if home else "."
    sentences.append(text)
    if seeds := seeds_sentence(results, finding.task, finding.best):
        sentences.append(seeds)
    compared = _compared(results, finding)
    if compared:
        sentences.append(compared)
    return sentences


def _asked(task: Mapping[str, Any]) -> str:
    """Return what a task asks of the models, from its kind."""
    kind, classes = task.get("kind"), len(task.get("labels") or ())
    if kind == "tagging":
        if main_metric(task) == "entity_f1":
            return "is to find entities"
        return f"gives each word one of {formats.words(classes)} tags"
    if kind == "multilabel":
        return f"gives each text any of {formats.words(classes)} classes"
    if kind in _ASKED:
        return _ASKED[kind]
    if classes > 1:
        return f"has {formats.words(classes)} classes"
    return "gives each text a score" if classes else "is to classify texts"


def _level(finding: TaskFinding) -> list[str]:
    """Return the models whose average reads the same as that of the best."""
    best = formats.percent(finding.averages[finding.best])
    others = {key: one for key, one in finding.averages.items() if key != finding.best}
    return [key for key, one in others.items() if formats.percent(one) == best]


def _compared(results: Results, finding: TaskFinding) -> str:
    """Return how the best model stands to each of the others, in their order."""
    parts = []
    for key, average in finding.averages.items():
        if key in (finding.best, *_level(finding)) or not math.isfinite(average):
            continue
        gain = formats.points(finding.averages[finding.best] - average).lstrip("+")
        parts.append(f"{gain} points above {_named(results, key)} ({formats.percent(average)})")
    return f"That is {formats.listed(parts)}." if parts else ""


def _named(results: Results, key: str) -> str:
    if not _untrained(results, key):
        return _name(results, key)
    return "the same classifier without pretraining"


def _task_figures(results: Results, finding: TaskFinding) -> list[tuple[str, str]]:
    average = formats.percent(finding.averages[finding.best])
    title = _name(results, finding.best)
    metric = main_metric(models_on(results, finding.task)[finding.best])
    what = "right" if metric == "accuracy" else metric_title(metric)
    figures = [(average, f"{what} {_where(results, finding)}, with {title}")]
    if finding.floor is not None:
        untrained = _untrained(results, finding.floor)
        than = "no pretraining" if untrained else _name(results, finding.floor)
        figures.append((formats.points(finding.gain), f"points over {than}"))
    return figures


def _retrieval(results: Results, sentences: list[str], figures: list[tuple[str, str]]) -> list[str]:
    """Add what retrieval found; return a title for the report."""
    parts = {key: m["retrieval"] for key, m in models_with(results, "retrieval").items()}
    averages = {key: retrieval_average(part) for key, part in parts.items()}
    best = best_of(averages)
    if best is None:
        return []
    candidates = parts[best].get("candidates")
    among = f"among {formats.count(candidates)} candidates" if candidates else "first"
    share = formats.percent(averages[best])
    text = (
        f"Given a held-out text, {_name(results, best)} finds its translation {among} "
        f"in {share} of cases"
    )
    first = next(iter(averages))
    if first != best and math.isfinite(averages[first]):
        named = f"with {_name(results, first)}"
        before = "before pretraining" if _untrained(results, first) else named
        text += f"; {before}, it is {formats.percent(averages[first])}"
    sentences.append(f"{text}.")
    figures.append((share, f"of translations found {among}"))
    return [f"{share} of translations found {among}"]


def _untrained(results: Results, key: str) -> bool:
    return not is_pretrained(results["models"][key])


def _pretraining_sentences(results: Results) -> list[str]:
    sentences = []
    for key, model in models_with(results, "pretraining").items():
        training: Mapping[str, Any] = model["pretraining"]
        names = formats.listed([name.upper() for name in training.get("objectives") or ()])
        text = f"{_name(results, key)} was pretrained"
        text += f" with {names}" if names else ""
        text += f" on {formats.large(training['tokens'])} tokens" if "tokens" in training else ""
        text += f" in {formats.duration(training['seconds'])}" if "seconds" in training else ""
        sentences.append(f"{text}.")
    return sentences


def _plain_title(results: Results) -> str:
    codes = results.get("languages") or ()
    if not codes:
        return str(results.get("title") or results.get("name") or "Results")
    if len(codes) == 1:
        return f"A language model of {language_name(results, codes[0])}"
    alone = results.get("translators") and not results.get("models")
    what = "Translators" if alone else "One language model"
    return f"{what} of {formats.words(len(codes))} languages"
