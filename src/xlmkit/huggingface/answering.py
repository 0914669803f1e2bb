"""Encoders of other families with their own head that finds answers: starts and ends.

Tokens are placed in the context by the offsets that fast tokenizers tell.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xlmkit.core.errors import UserError
from xlmkit.data.questions import Question
from xlmkit.data.window_batches import WindowInputs, Windows
from xlmkit.data.windows import Window, WindowShape, make_window
from xlmkit.evaluate.answering import find_answers, simple_candidates
from xlmkit.evaluate.answers import Answering, Answers
from xlmkit.huggingface.loading import open_model
from xlmkit.huggingface.scores import Scores
from xlmkit.huggingface.sequences import EncodedTexts, TextEncoder

AUTO_CLASS = "AutoModelForQuestionAnswering"


class SpanScores(Scores):
    """A model of `transformers` that returns the scores of starts and ends alone."""

    def forward(self, **inputs: Tensor) -> Tensor:
        """Return the scores of starts and ends, (B, L, 2)."""
        found = self.model(**inputs)
        return torch.stack([found.start_logits, found.end_logits], dim=2)


@dataclass(frozen=True, slots=True)
class HuggingFaceAnswerer:
    """A finetuned model as a `QuestionAnswerer`.

    Attributes:
        model: starts and ends.
        encoder: its tokenizer.
        languages: that it is asked about.
        settings: how it is asked; no longer windows than it reads.
        types: whether it reads token type ids.
        batch_tokens: tokens of a batch, padding included.
    """

    model: SpanScores
    encoder: TextEncoder
    languages: Sequence[str]
    settings: Answering
    types: bool
    batch_tokens: int | None = None

    def answers(self, questions: Sequence[Question]) -> list[Answers]:
        """Return the answers to questions, in their order."""
        settings = self.settings
        windows = encode_windows(self.encoder, questions, settings.shape, types=self.types)

        def candidates(inputs: WindowInputs) -> Tensor:
            scores_BLS = inputs.fed_to(self.model)
            return simple_candidates(scores_BLS, inputs, settings.n_best, settings.max_answer)

        return find_answers(
            self.model, windows, questions, candidates, settings.n_best, self.batch_tokens
        )


def open_span_model(folder: Path, config: Any) -> Any:  # noqa: ANN401 - their classes
    """Open a family's own model that finds answers; without a head in the folder it is fresh.

    Raises:
        UserError: the family has none, or the weights are damaged.
    """
    from transformers.models.auto.modeling_auto import MODEL_FOR_QUESTION_ANSWERING_MAPPING

    if type(config) not in MODEL_FOR_QUESTION_ANSWERING_MAPPING:
        raise UserError(
            f"transformers has no model of the family {config.model_type!r} that answers "
            "questions; leave the model or the task out."
        )
    shape = copy.deepcopy(config)
    shape.num_labels = 2
    return open_model(AUTO_CLASS, folder, shape)


def encode_windows(
    encoder: TextEncoder, questions: Sequence[Question], shape: WindowShape, *, types: bool
) -> Windows:
    """Return the windows of questions as the tokenizer lays out pairs, in their order.

    Args:
        encoder: the tokenizer.
        questions: what is asked.
        shape: how contexts are cut.
        types: whether the model reads token type ids.

    Raises:
        UserError: the tokenizer does not tell where its tokens stand.
    """
    tokenizer = encoder.tokenizer
    if not tokenizer.is_fast:
        raise UserError(
            f"{type(tokenizer).__name__} does not tell where its tokens stand in a text, which "
            "answers need; take a model with a fast tokenizer (tokenizer.json)."
        )
    ids: list[NDArray[np.int32]] = []
    type_ids: list[NDArray[np.int32]] = []
    parts: list[Window] = []
    for number, question in enumerate(questions):
        encoder.tell_language(question.language)
        made = tokenizer(
            shortened(tokenizer, question.text, shape.max_question),
            question.context,
            truncation="only_second",
            max_length=shape.max_length,
            stride=shape.stride,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_token_type_ids=types,
            split_special_tokens=True,
        )
        count = len(made["input_ids"])
        for i in range(count):
            places = [place for place, part in enumerate(made.sequence_ids(i)) if part == 1]
            if not places:
                continue
            offsets = [made["offset_mapping"][i][place] for place in places]
            spans = np.array([_trimmed(question.context, *span) for span in offsets], np.int32)
            parts.append(make_window(number, places[0], spans, (i == 0, i == count - 1)))
            ids.append(np.array(made["input_ids"][i], np.int32))
            if types:
                type_ids.append(np.array(made["token_type_ids"][i], np.int32))
    sequences = EncodedTexts(
        ids, type_ids if types else None, pad=tokenizer.pad_token_id, left=False
    )
    return Windows(sequences, parts)


def shortened(tokenizer: Any, text: str, tokens: int) -> str:  # noqa: ANN401 - their class
    """Return as much of a question as gives so many tokens."""
    made = tokenizer(
        text, add_special_tokens=False, return_offsets_mapping=True, split_special_tokens=True
    )
    offsets = made["offset_mapping"]
    return text if len(offsets) <= tokens else text[: offsets[tokens - 1][1]]


def _trimmed(context: str, start: int, end: int) -> tuple[int, int]:
    """Leave out the white space that some tokenizers count to the token behind it."""
    while start < end and context[start].isspace():
        start += 1
    while start < end and context[end - 1].isspace():
        end -= 1
    return start, end
