"""What models are compared by: their tasks, and, in the same form, retrieval and translation.

The form is that of a task in results.json: `metrics`, that which decides first, and `languages`
with a score for each metric. Directions ("fr-en") stand in the place of languages, and BLEU is
brought to the scale from 0 to 1 that all others have.
"""

from collections.abc import Iterator, Mapping
from typing import Any

RETRIEVAL = "retrieval"
"""The name of what is found in the corpus; that of files is `retrievals.NAME`."""
TRANSLATION = "translation"
"""What translators are compared by."""


def comparable_tasks(model: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return all that a model or a translator was measured on, by name.

    Args:
        model: its part of results.json.
    """
    found = dict(_derived(model))
    tasks: Mapping[str, Mapping[str, Any]] = model.get("tasks") or {}
    return {**{name: t for name, t in tasks.items() if t.get("languages")}, **found}


def is_retrieval(name: str) -> bool:
    """Tell whether a name is of retrieval, in the corpus or in files."""
    return name == RETRIEVAL or name.startswith(f"{RETRIEVAL}s.")


def _derived(model: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    taken = model.get("tasks") or {}
    sets = {RETRIEVAL: model.get("retrieval")}
    sets |= {f"retrievals.{n}": part for n, part in (model.get("retrievals") or {}).items()}
    for name, part in sets.items():
        if name not in taken and (directions := (part or {}).get("directions")):
            yield name, _task("accuracy", {code: dict(one) for code, one in directions.items()})
    bleu = {
        direction: _share((part.get("scores") or {}).get("bleu"))
        for direction, part in (model.get("test") or {}).items()
    }
    if written := {direction: one for direction, one in bleu.items() if one}:
        yield TRANSLATION, _task("bleu", written)


def _task(metric: str, scores: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    languages = {code: {metric: one, "n": one["n"]} for code, one in scores.items()}
    return {"metrics": [metric], "languages": languages}


def _share(score: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a score of 0 to 100 as one of 0 to 1, {} where there is none."""
    if not score or score.get("value") is None:
        return {}
    ends = {key: score.get(key) for key in ("value", "low", "high")}
    return {**score, **{key: end if end is None else end / 100 for key, end in ends.items()}}
