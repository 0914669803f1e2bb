"""The special tokens that a tokenizer of another family puts around and between texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_TYPES = "token_type_ids"
_PROBE = "a"


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around one text, or around and between two.

    Attributes:
        special: the special tokens before each text, and those behind the last.
        special_types: their token type ids.
        types: token type id of each text.
    """

    special: Sequence[NDArray[np.int32]]
    special_types: Sequence[NDArray[np.int32]]
    types: Sequence[int]

    @classmethod
    def of(cls, tokenizer: Any, texts: int = 1) -> Self:  # noqa: ANN401 - their class
        """Ask a fast tokenizer how it lays out texts.

        Args:
            tokenizer: their object, told the language if it wants to know.
            texts: 1, or 2 for pairs.
        """
        made = tokenizer(*[_PROBE] * texts, return_token_type_ids=True)
        parts = made.sequence_ids(0)
        ids, types = (np.array(made[name], np.int32) for name in ("input_ids", _TYPES))
        cuts = [0]
        for number in range(texts):
            inner = [place for place, part in enumerate(parts) if part == number]
            if not inner:  # the probe left nothing: it would stand behind the token before
                inner = [cuts[-1] + 1, cuts[-1]]
            cuts += [inner[0], inner[-1] + 1]
        cuts.append(len(ids))
        runs = [slice(cuts[i], cuts[i + 1]) for i in range(0, len(cuts), 2)]
        kinds = [int(types[min(cuts[i], len(types) - 1)]) for i in range(1, len(cuts) - 1, 2)]
        return cls([ids[run] for run in runs], [types[run] for run in runs], kinds)

    @property
    def size(self) -> int:
        """How many special tokens there are."""
        return sum(map(len, self.special))

    def around(
        self, texts: Sequence[NDArray[np.integer]]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the ids of a whole sequence, and its token type ids."""
        ids, types = [self.special[0]], [self.special_types[0]]
        for number, text in enumerate(texts):
            ids += [text.astype(np.int32), self.special[number + 1]]
            types += [
                np.full(len(text), self.types[number], np.int32),
                self.special_types[number + 1],
            ]
        return np.concatenate(ids), np.concatenate(types)
