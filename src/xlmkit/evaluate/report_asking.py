"""What a report says of questions that are asked in another language than that of their contexts.

A task that has some keeps `models.NAME.tasks.TASK.asked_in.CONTEXT.QUESTION` in results.json: of
the questions in each language about the contexts in each, `f1`, `exact_match` and `n` (the general
cross-lingual transfer of Lewis et al. 2020).
"""

from collections.abc import Mapping
from typing import Any

from xlmkit.evaluate import formats
from xlmkit.evaluate.results import Results, language_name, model_title, ordered_languages


def asking_notes(results: Results, models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each model and language of questions; none for other tasks.

    Args:
        results: the content of results.json.
        models: the task's results by model.
    """
    notes = []
    for key, model in models.items():
        found: Mapping[str, Mapping[str, Any]] = model.get("asked_in") or {}
        contexts = ordered_languages(results, found)
        for asked in ordered_languages(results, {code for one in found.values() for code in one}):
            scores = [
                f"{formats.percent(found[code][asked]['f1'])} in {language_name(results, code)}"
                for code in contexts
                if asked in found[code]
            ]
            questions = f"Of questions in {language_name(results, asked)}, by language of context"
            title = model_title(results, key)
            notes.append(f"{questions}, {title} has F1 {formats.listed(scores)}.")
    return notes
