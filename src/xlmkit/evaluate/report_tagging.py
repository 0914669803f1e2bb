"""What a report says beside the scores of taggers: tags that are not legal, or were never learned.

Below `models.NAME.tasks.TASK.languages.LANGUAGE` of results.json a tagger has `illegal` with `gold`
and `predicted`, where tags are of entities, and `unseen`, from tag to words.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from xlmkit.evaluate import formats
from xlmkit.evaluate.results import Results, language_name, model_title, ordered_languages

_MOST = 5  # tags named


def tagging_notes(results: Results, models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each oddity of a task's tags; none for tasks of other kinds.

    Args:
        results: the content of results.json.
        models: the task's results by model.
    """
    first = next(iter(models.values()))["languages"]
    notes = []
    if gold := _illegal(results, first, "gold"):
        notes.append(f"Test files have I- tags that continue no entity: {gold}.")
    for key, model in models.items():
        if found := _illegal(results, model["languages"], "predicted"):
            title = model_title(results, key)
            notes.append(f"{title} predicted I- tags that continue no entity: {found}.")
    unseen: Counter[str] = Counter()
    for part in first.values():
        unseen.update(part.get("unseen") or {})
    if unseen:
        named = [f"{tag} ({formats.count(n)} words)" for tag, n in unseen.most_common(_MOST)]
        notes.append(f"Tags that were never learned count as wrong: {formats.listed(named)}.")
    return notes


def _illegal(results: Results, languages: Mapping[str, Mapping[str, Any]], which: str) -> str:
    """Return how many illegal tags each language has, empty for none."""
    counts = {
        code: (languages[code].get("illegal") or {}).get(which, 0)
        for code in ordered_languages(results, languages)
    }
    named = [
        f"{formats.count(n)} in {language_name(results, code)}" for code, n in counts.items() if n
    ]
    return formats.listed(named) if named else ""
