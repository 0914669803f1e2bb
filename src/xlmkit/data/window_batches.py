"""Windows of questions and contexts as tensors, and from xlmkit's tokenizer to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.data.batch import ModelInputs, Segment, SegmentRows, Sequences
from xlmkit.data.measures import normalize
from xlmkit.data.normal_spans import aligned_normal
from xlmkit.data.questions import Question
from xlmkit.data.text_windows import special_tokens
from xlmkit.data.windows import Window, WindowShape, cut, make_window
from xlmkit.text.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class WindowInputs:
    """A batch of windows: what the model reads, and where the contexts stand in it.

    Attributes:
        inputs: the sequences.
        context: True at tokens of the context, (B, L).
    """

    inputs: ModelInputs
    context: Tensor

    @property
    def n_tokens(self) -> int:
        """Real tokens, padding not counted."""
        return self.inputs.n_tokens

    @property
    def open(self) -> Tensor:
        """True in the context and at the first token, which means no answer, (B, L)."""
        first = torch.zeros_like(self.context)
        first[:, 0] = True
        return self.context | first

    def to(self, device: torch.device) -> "WindowInputs":
        """Return the same on a device."""
        return WindowInputs(self.inputs.to(device), self.context.to(device))

    def fed_to(self, model: Callable[..., Any]) -> Any:  # noqa: ANN401 - what the model returns
        """Call a model with the sequences."""
        return self.inputs.fed_to(model)


@dataclass(frozen=True)
class Windows:
    """Encoded windows, from which batches are made: `Sequences`.

    Attributes:
        sequences: padded on the right.
        parts: what each is.
    """

    sequences: Sequences
    parts: Sequence[Window]

    @property
    def lengths(self) -> NDArray[np.int32]:
        """Tokens of each window, (windows,)."""
        return self.sequences.lengths

    def batch(self, items: Sequence[int]) -> WindowInputs:
        """Lay out the windows with these numbers."""
        longest = int(self.lengths[list(items)].max())
        context = torch.zeros(len(items), longest, dtype=torch.bool)
        for row, item in enumerate(items):
            part = self.parts[item]
            context[row, part.first : part.first + len(part.spans)] = True
        return WindowInputs(self.sequences.batch(items), context)


def encode_questions(
    tokenizer: Tokenizer, questions: Sequence[Question], shape: WindowShape
) -> Windows:
    """Return the windows of questions, the context behind the question, in their order.

    Both are read in their normal form; characters are those of the context as it was written.
    """

    @cache
    def aligned(context: str, language: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        tokens = tokenizer.align(aligned_normal(context), language)
        return np.array(tokens.ids, np.int32), np.array(tokens.spans, np.int32).reshape(-1, 2)

    rows: list[tuple[Segment, ...]] = []
    parts: list[Window] = []
    for number, question in enumerate(questions):
        asked_in, language = (tokenizer.lang2id[c] for c in (question.asked_in, question.language))
        asked = tokenizer.encode_batch([normalize(question.text)], question.asked_in)[0]
        asked = asked[: shape.max_question]
        ids, spans = aligned(question.context, question.language)
        special = special_tokens(2, shape.form)
        first, room = len(asked) + special - 1, shape.max_length - len(asked) - special
        for start, end in cut(len(ids), room, shape.stride):
            ends = (start == 0, end == len(ids))
            rows.append(((asked, asked_in), (ids[start:end], language)))
            parts.append(make_window(number, first, spans[start:end], ends))
    return Windows(SegmentRows(rows, shape.max_length, shape.form), parts)
