"""A task's scores by who chose the step: the source languages, or each language for itself."""

from collections.abc import Mapping
from statistics import fmean
from typing import Any


def languages_by_step(
    steps: Mapping[str, int], measured: Mapping[str, Any]
) -> dict[int, list[str]]:
    """Return of each step the languages that it is the best of, so that no other is measured.

    Args:
        steps: language to its step.
        measured: results of any step, which tell the languages that have test texts.
    """
    found: dict[int, list[str]] = {}
    for code, step in steps.items():
        if code in measured["languages"]:
            found.setdefault(step, []).append(code)
    return found


def selected(
    measured: Mapping[str, Any], others: Mapping[int, Mapping[str, Any]], chosen: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the `source_selected` and `own_selected` parts of a task's results.

    Args:
        measured: results of the step that the source languages choose.
        others: results of the other steps that are the best of a language, by step; each at least
            in the languages whose best it is.
        chosen: the steps: `source_selected`, and `own_selected` by language.

    Returns:
        For both the step and the score of the first metric by language, and the `average` `over`
        the languages that gave no labels and have a step of their own: of both over the same,
        unless there are none. A language without validation texts has no step of its own.
    """
    metric, source_step = measured["metrics"][0], chosen["source_selected"]

    def part(steps: Mapping[str, int]) -> dict[str, Any]:
        return {
            code: {
                "step": step,
                metric: others.get(step, measured)["languages"][code][metric],
            }
            for code, step in steps.items()
            if code in measured["languages"]
        }

    def known(languages: Mapping[str, Any], code: str) -> bool:
        return code in languages and languages[code][metric]["value"] is not None

    parts = {
        "source_selected": part(dict.fromkeys(measured["languages"], source_step)),
        "own_selected": part(chosen["own_selected"]),
    }
    unlabelled = measured["average"]["over"]
    both = [code for code in unlabelled if all(known(part, code) for part in parts.values())]
    found = {}
    for rule, languages in parts.items():
        over = both or [code for code in unlabelled if known(languages, code)]
        values = [languages[code][metric]["value"] for code in over]
        average = fmean(values) if values else None
        found[rule] = {"languages": languages, "average": average, "over": over}
    return found
