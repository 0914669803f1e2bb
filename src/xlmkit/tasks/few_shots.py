"""A few labelled examples of languages beside those whose labels are learned: few-shot transfer.

Which ones matters as much as how many (Zhao et al. 2021), so they are drawn by the seed, and
several seeds tell how much. They are learned together with the examples of the source languages.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from xlmkit.core.errors import UserError
from xlmkit.core.log import say
from xlmkit.data.permutation import key_of
from xlmkit.tasks.base import TaskConfig, TaskInputs

Labelled = TypeVar("Labelled")


def few_shots(
    found: Sequence[Labelled],
    config: TaskConfig,
    inputs: TaskInputs,
    describe: Callable[[Labelled], tuple[str, str, str]],
) -> list[Labelled]:
    """Return all examples of the source languages, and a few of each other one.

    Args:
        found: examples of all languages.
        config: the task; without `few_shot` everything is returned.
        inputs: the source languages, and the seed.
        describe: language of an example, its class or any text that is the same for all, and its
            text, by whose hash it is chosen.

    Raises:
        UserError: there is no example of another language.
    """
    if config.few_shot is None:
        return list(found)
    sources = inputs.sources(config)
    order: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for number, example in enumerate(found):
        language, label, text = describe(example)
        if language not in sources:
            key = key_of(inputs.seed, "shot", language, text)
            order.setdefault((language, label), []).append((key, number))
    if not order:
        raise UserError(
            f"few_shot is {config.few_shot}, but its train files have labels in "
            f"{', '.join(sources)} only; add those of other languages."
        )
    chosen = {
        number for part in order.values() for _, number in sorted(part)[: config.few_shot]
    } | {number for number, one in enumerate(found) if describe(one)[0] in sources}
    taken = Counter(describe(found[number])[0] for number in chosen)
    told = ", ".join(f"{code} {n}" for code, n in taken.items() if code not in sources)
    say(f"Examples of other languages that are learned too: {told}.")
    return [example for number, example in enumerate(found) if number in chosen]
