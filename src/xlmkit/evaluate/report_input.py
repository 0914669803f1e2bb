"""What a report says of a task's input: what is wrong in its files, and what a model cannot read.

In results.json a task has `models.NAME.tasks.TASK.bad_input.PART.LANGUAGE.REASON`, how often what
was wrong in the files to learn from (`train`) and to test on, where anything was; and a model has
`models.NAME.unknown_languages`. Results from before have neither.
"""

from collections.abc import Mapping
from typing import Any

from xlmkit.evaluate import formats
from xlmkit.evaluate.protocols import MOST_UNKNOWN
from xlmkit.evaluate.results import Results, language_name, model_title, ordered_languages

BadInput = Mapping[str, Mapping[str, Mapping[str, int]]]

_REASONS = 5  # named of each language


def bad_input_notes(results: Results, models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a sentence about what is wrong in the files of each part of a task, if anything is.

    Args:
        results: the content of results.json.
        models: the task's results by model, for all of which the files are the same.
    """
    found: BadInput = next((one["bad_input"] for one in models.values() if "bad_input" in one), {})
    notes = []
    for part, languages in found.items():
        told = [
            _told(results, code, languages[code]) for code in ordered_languages(results, languages)
        ]
        notes.append(f"Damaged or odd in the {part} files: {formats.listed(told)}.")
    return notes


def _told(results: Results, code: str, reasons: Mapping[str, int]) -> str:
    """Return how much is wrong in a language, and what."""
    most = sorted(reasons.items(), key=lambda one: -one[1])[:_REASONS]
    named = "; ".join(f"{reason}: {formats.count(n)}" for reason, n in most)
    more = "; ..." if len(reasons) > _REASONS else ""
    language = language_name(results, code) if code else "no known language"
    return f"{formats.count(sum(reasons.values()))} in {language} ({named}{more})"


def unknown_notes(results: Results, models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each model about the languages of a task that it can hardly read.

    Args:
        results: the content of results.json.
        models: the task's results by model.
    """
    notes = []
    for key, model in models.items():
        title, codes = model_title(results, key), ordered_languages(results, model["languages"])
        untold = results["models"][key].get("unknown_languages") or ()
        if names := [language_name(results, code) for code in codes if code in untold]:
            told = f"{title} may never have seen text in {formats.listed(names)}"
            notes.append(f"{told}, which it does not name among its languages.")
        shares = {code: model["languages"][code].get("unknown_share") or 0.0 for code in codes}
        if named := [
            f"{formats.percent(share)} in {language_name(results, code)}"
            for code, share in shares.items()
            if share >= MOST_UNKNOWN
        ]:
            told = f"Of the tokens of the test texts {formats.listed(named)} are unknown to {title}"
            notes.append(f"{told}, so that its scores there mean little.")
    return notes
