"""What results say of translators, for the parts of a report that show them.

    results["translators"] = {NAME: {
        "title", "parameters", "steps", "best_step", "tokens", "seconds", "tokens_per_second",
        "curve": [point],                    # of `xlmkit.train.hooks`, with those of validation
        "test": {DIRECTION: {
            "n": texts,
            "scores": {METRIC: score},       # `Score.to_json`, by names of `translation_metrics`
            "examples": [{"source", "output", "reference"}],
            "health": {...},                 # `Health.to_json`
            "diagnosis": [sentence],         # of `translation_diagnosis`
            "findings": [{"kind", "way", "what", "mend"}],  # the same, in parts
        }},
    }}

DIRECTION is "en-de", or of summaries "en-en". Every part may be missing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from xlmkit.evaluate.drawing import Style, style
from xlmkit.evaluate.results import Results, language_name, split_pair

Translator = Mapping[str, Any]
Direction = Mapping[str, Any]


def translators(results: Results) -> Mapping[str, Translator]:
    """Return the translators by name."""
    found: Mapping[str, Translator] = results.get("translators") or {}
    return found


def directions(results: Results) -> Iterator[tuple[str, str, Direction]]:
    """Yield (translator, direction, what was found on its test texts)."""
    for name, translator in translators(results).items():
        for direction, part in (translator.get("test") or {}).items():
            yield name, direction, part


def title(results: Results, name: str) -> str:
    """Return what a translator is called."""
    return str(translators(results)[name].get("title") or name)


def arrow(results: Results, direction: str) -> str:
    """Return "English \N{RIGHTWARDS ARROW} German" for "en-de", and for "en-en" what it is."""
    one, other = split_pair(results, direction)
    if one == other:
        return f"{language_name(results, one)}, summarised"
    names = [language_name(results, code) for code in split_pair(results, direction) if code]
    return " \N{RIGHTWARDS ARROW} ".join(names)


def named(results: Results, name: str, direction: str) -> str:
    """Return a direction, with the translator where there are several."""
    way = arrow(results, direction)
    return f"{title(results, name)}: {way}" if len(translators(results)) > 1 else way


def styles(results: Results) -> dict[str, Style]:
    """Return the look of each translator."""
    return {name: style(number) for number, name in enumerate(translators(results))}
