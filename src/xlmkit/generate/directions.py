"""What a translator has learned: its directions, and how long its sentences were.

A model writes fluent text in directions that it never learned, which is no translation, and at
positions that it never learned, which is no text. Its folder says what it learned; where nothing is
said, as in converted models, every direction is tried, and every position.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from xlmkit.core.errors import UserError

DIRECTIONS = "directions"
"""Under this key a folder tells of the directions, such as [en-fr, fr-en]."""
SPLIT = "split_sentences"
"""Under this key it tells whether texts are translated sentence by sentence."""
LENGTH = "length"
"""Under this key it tells how many tokens the longest sentences may have had, `</s>` counted."""
SUMMARY = "summary"
"""Under this key it tells in which directions it summarises, and how long both texts were."""


def learned(about: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the directions that a folder tells of; None where it tells of none.

    Raises:
        UserError: what it tells is none.
    """
    found = about.get(DIRECTIONS)
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise UserError(_damaged(DIRECTIONS, found, "a list of directions such as en-fr"))
    return tuple(found)


def learned_to_write(about: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the directions of translations and of summaries; None where it does not tell of both.

    Raises:
        UserError: what it tells is none.
    """
    translated = learned(about)
    if SUMMARY not in about:
        return translated
    summarised = learned(about[SUMMARY])
    return None if translated is None or summarised is None else (*translated, *summarised)


def of_direction(about: Mapping[str, Any], direction: str) -> dict[str, Any]:
    """Return what a folder tells, or its part of summaries, with this direction at most."""
    known = learned(about)
    if known is None:
        return dict(about)
    return {**about, DIRECTIONS: [name for name in known if name == direction]}


def learned_length(about: Mapping[str, Any], longest: int) -> int:
    """Return how long a sentence may be; `longest` where the folder does not tell.

    Raises:
        UserError: what it tells is no length.
    """
    found = about.get(LENGTH, longest)
    if not isinstance(found, int):
        raise UserError(_damaged(LENGTH, found, "a number of tokens"))
    return min(longest, found)


def splits(about: Mapping[str, Any]) -> bool:
    """Tell whether texts are translated sentence by sentence, as usual."""
    return about.get(SPLIT) is not False


def _damaged(key: str, found: object, wanted: str) -> str:
    return f"The translator's folder is damaged: {key} is {found!r} there, and not {wanted}."


def check_learned(
    directions: Sequence[str] | None, src: str, tgt: str, to: str = "translate"
) -> None:
    """See that a direction was learned.

    Args:
        directions: all that were; None allows any.
        src: the language to read.
        tgt: the language to write.
        to: what was learned.

    Raises:
        UserError: it was not.
    """
    if directions is None or f"{src}-{tgt}" in directions:
        return
    _check_any(directions)
    raise UserError(
        f"This model has learned to {to} {', '.join(directions)} only, and not {src}-{tgt}."
    )


def _check_any(directions: Sequence[str] | None) -> None:
    if directions is not None and not directions:
        raise UserError(
            "This model has learned to summarise and not to translate; call xlmkit summarize."
        )


def the_direction(
    directions: Sequence[str] | None, src: str | None, tgt: str | None
) -> tuple[str, str]:
    """Return source and target language; what is not said follows where one direction fits.

    Raises:
        UserError: several fit, or none, or nothing is known of directions, or there are none.
    """
    _check_any(directions)
    if src is not None and tgt is not None:
        return src, tgt
    found = []
    for source, target in (name.split("-") for name in directions or ()):
        if src in (None, source) and tgt in (None, target):
            found.append((source, target))
    if len(found) == 1:
        return found[0]
    known = f" It has learned {', '.join(directions)}." if directions else ""
    raise UserError(f"Name the languages of the translator with --src and --tgt.{known}")
