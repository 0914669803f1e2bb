"""Questions and long contexts as models read them: in overlapping windows, with their characters.

Every window is the question and as much of the context as there is room for; its neighbour begins
so early that both have some tokens in common (Devlin et al. 2019). The last window may be short, as
those are that the tokenizers of `transformers` make for other families; windows of texts and of
sentences, in `text_windows`, all are of one length.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlmkit.data.text_windows import PairForm


@dataclass(frozen=True, slots=True)
class WindowShape:
    """How contexts are cut.

    Attributes:
        max_length: most tokens of a window, special ones counted.
        max_question: most tokens of a question; longer ones lose their ends.
        stride: tokens that neighbouring windows have in common.
        form: how xlmkit's own models read the question with the context.
    """

    max_length: int
    max_question: int
    stride: int
    form: PairForm = "apart"


@dataclass(frozen=True, slots=True)
class Window:
    """A question with a part of its context.

    Attributes:
        question: number of the question.
        first: place in the sequence of the first token of the context.
        spans: first character, and the one behind the last, of each token of the context in this
            window, (tokens, 2).
        reach: the part of the context that no token outside the window belongs to.
    """

    question: int
    first: int
    spans: NDArray[np.int32]
    reach: tuple[int, int]

    def places(self, answer: tuple[int, int]) -> tuple[int, int] | None:
        """Return the first and the last token of an answer, as places in the sequence.

        Args:
            answer: its first character and the one behind the last.

        Returns:
            None where the answer is not wholly in this window.
        """
        if answer[0] < self.reach[0] or answer[1] > self.reach[1]:
            return None
        start = int(np.searchsorted(self.spans[:, 1], answer[0], side="right"))
        end = int(np.searchsorted(self.spans[:, 0], answer[1], side="left")) - 1
        return (self.first + start, self.first + end) if start <= end else None

    def characters(self, start: int, end: int) -> tuple[int, int]:
        """Return the characters of the context that the tokens at these places came from."""
        return int(self.spans[start - self.first, 0]), int(self.spans[end - self.first, 1])


def make_window(
    question: int, first: int, spans: NDArray[np.int32], ends: tuple[bool, bool]
) -> Window:
    """Return a window; `ends` tells whether it has the beginning and the end of the context."""
    start = 0 if ends[0] else int(spans[0, 0])
    end = np.iinfo(np.int32).max if ends[1] else int(spans[-1, 1])
    return Window(question, first, spans, (start, int(end)))


def cut(tokens: int, room: int, stride: int) -> Iterator[tuple[int, int]]:
    """Yield the first token of each window and the one behind its last; none without tokens.

    Args:
        tokens: of the context.
        room: most tokens of the context in a window.
        stride: tokens that neighbours have in common, fewer than `room`.
    """
    for start in range(0, max(tokens - stride, min(tokens, 1)), room - stride):
        yield start, min(start + room, tokens)
