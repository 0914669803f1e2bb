"""What models are compared by: tasks, and, in the same form, retrieval, translation and summaries.

The form is that of a task in results.json: `metrics`, that which decides first, and `languages`
with a score for each metric. Directions ("fr-en") stand in the place of languages, and BLEU and
ROUGE are brought to the scale from 0 to 1 that all others have.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

RETRIEVAL = "retrieval"
"""The name of what is found in the corpus; that of files is `retrievals.NAME`."""
TRANSLATION = "translation"
SUMMARIES = "summaries"
WRITTEN = {TRANSLATION: ("bleu",), SUMMARIES: ("rouge1", "rouge2", "rougeL")}
"""What translators are compared by, and its metrics, that which decides first."""


def comparable_tasks(model: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return all that a model or a translator was measured on, by name.

    Args:
        model: its part of results.json.
    """
    found = dict(_derived(model))
    tasks: Mapping[str, Mapping[str, Any]] = model.get("tasks") or {}
    return {**{name: t for name, t in tasks.items() if t.get("languages")}, **found}


def has_directions(name: str) -> bool:
    """Tell whether a name is of what has directions: retrieval, translation or summaries."""
    return name == RETRIEVAL or name in WRITTEN or name.startswith(f"{RETRIEVAL}s.")


def _derived(model: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    taken = model.get("tasks") or {}
    sets = {RETRIEVAL: model.get("retrieval")}
    sets |= {f"retrievals.{n}": part for n, part in (model.get("retrievals") or {}).items()}
    for name, part in sets.items():
        if name not in taken and (directions := (part or {}).get("directions")):
            scores = {code: {"accuracy": dict(one)} for code, one in directions.items()}
            yield name, _task(("accuracy",), scores)
    measured = {code: part.get("scores") or {} for code, part in (model.get("test") or {}).items()}
    for name, metrics in WRITTEN.items():
        scores = {
            direction: {metric: _share(found.get(metric)) for metric in metrics}
            for direction, found in measured.items()
        }
        if written := {code: found for code, found in scores.items() if all(found.values())}:
            yield name, _task(metrics, written)


def _task(
    metrics: Sequence[str], scores: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> Mapping[str, Any]:
    languages = {code: {**found, "n": found[metrics[0]]["n"]} for code, found in scores.items()}
    return {"metrics": list(metrics), "languages": languages}


def _share(score: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a score of 0 to 100 as one of 0 to 1, {} where there is none."""
    if not score or score.get("value") is None:
        return {}
    ends = {key: score.get(key) for key in ("value", "low", "high")}
    return {**score, **{key: end if end is None else end / 100 for key, end in ends.items()}}
