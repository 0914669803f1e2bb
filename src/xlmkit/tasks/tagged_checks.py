"""Test sentences that say nothing of a tagger: none of their tags was learned, or all are O."""

from collections import Counter
from collections.abc import Collection, Sequence

from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.evaluate.spans import OUTSIDE
from xlmkit.tasks.tagged_reading import TaggedSentence

_TOLD = 5  # tags named


def without_unlearned(
    tested: Sequence[TaggedSentence], learned: Collection[str], what: str, task: str = ""
) -> tuple[list[TaggedSentence], dict[str, dict[str, int]]]:
    """Leave out the languages none of whose tags, but O, were learned, and say so.

    Args:
        tested: sentences of all languages.
        learned: the tags that are.
        what: files they are of, test or valid.
        task: its name.

    Returns:
        The sentences of the other languages; of those left out, language to tag to words.

    Raises:
        UserError: no language is left.
    """
    tags: dict[str, Counter[str]] = {}
    for sentence in tested:
        tags.setdefault(sentence.language, Counter()).update(sentence.tags)
    left_out = {
        code: dict(rest)
        for code, counts in tags.items()
        if (rest := Counter({tag: n for tag, n in counts.items() if tag != OUTSIDE}))
        and not rest.keys() & set(learned)
    }
    told = f"learned are {', '.join(sorted(learned)[:_TOLD])}"
    named = "; ".join(f"{_commonest(rest)} in {code}" for code, rest in left_out.items())
    if len(left_out) == len(tags):
        raise UserError(
            f"no tag of its {what} files was learned: {named}; {told}. Give tags the same names "
            "in all files, or name the right column."
        )
    if left_out:
        before = f"finetune.{task}: " if task else ""
        say(
            f"{before}Languages of the {what} files none of whose tags were learned are left out: "
            f"{named}; {told}."
        )
    return [sentence for sentence in tested if sentence.language not in left_out], left_out


def _commonest(counts: dict[str, int]) -> str:
    listed = [f"{tag} ({n})" for tag, n in Counter(counts).most_common(_TOLD)]
    return ", ".join(listed) + (", ..." if len(counts) > _TOLD else "")


def tell_without_entities(tested: Sequence[TaggedSentence], what: str) -> None:
    """Say which languages have no entity.

    Args:
        tested: sentences of all languages.
        what: files they are of, test or valid.
    """
    languages = dict.fromkeys(sentence.language for sentence in tested)
    some = {s.language for s in tested if any(tag != OUTSIDE for tag in s.tags)}
    for code in languages:
        if code not in some:
            say(
                f"{code} has no entity in its {what} file, so its F1 is 0 by definition; are "
                "`token` and `tag` the right columns?"
            )
