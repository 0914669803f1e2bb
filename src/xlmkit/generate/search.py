"""One way to search for sentences: greedy, by beams, or by drawing words.

Shapes: B sentences, N hypotheses of each, K beams, L words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from xlmkit.generate.beam import beam_search
from xlmkit.generate.config import SearchConfig
from xlmkit.generate.constraints import Constraints
from xlmkit.generate.found import Found
from xlmkit.generate.steps import Steps
from xlmkit.generate.walk import Greedy, Sampling, walk


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the sentences of one batch, beyond the section.

    Attributes:
        allowed: True at words that may be written, (V,); None allows all.
        prefixes: the words that each sentence begins with.
        numbers: by which each sentence's draws are told apart; by default its place.
        never: what is no word and is written only where a prefix has it.
    """

    allowed: Tensor | None = None
    prefixes: Sequence[Sequence[int]] | None = None
    numbers: Sequence[Sequence[int]] | None = None
    never: Sequence[int] = ()


@torch.inference_mode()
def search_sentences(
    steps: Steps, limits_B: Tensor, search: SearchConfig, asked: Asked | None = None
) -> Found:
    """Search for the sentences of a batch.

    Args:
        steps: the decoding, before its first step.
        limits_B: most words of each sentence with `</s>` at both ends, on the model's device, (B,).
        search: how.
        asked: what else.

    Returns:
        The `n_best` best hypotheses of every sentence, as wide as the longest of them.
    """
    asked = asked or Asked()
    constraints = Constraints.of(limits_B, search, asked.allowed, asked.prefixes, asked.never)
    if search.sample:
        numbers = asked.numbers or [[i] for i in range(len(limits_B))]
        found = walk(steps, constraints, search, Sampling(search, numbers)).sorted()
    elif search.beam_size == 0:
        found = walk(steps, constraints, search, Greedy())
    else:
        found = beam_search(steps, constraints, search)
    return found.best(search.n_best)
