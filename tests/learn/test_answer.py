"""Both heads find the span between the two letters that a question names, in unseen contexts."""

from typing import Any

import numpy as np
import pytest
import torch

from xlmkit.data.questions import Answer, Question
from xlmkit.data.window_batches import encode_questions
from xlmkit.evaluate.answering import PlainAnswerer
from xlmkit.evaluate.answers import Answering
from xlmkit.model.config import Architecture
from xlmkit.model.question_answering import BeamAnswerer, SimpleAnswerer
from xlmkit.objectives.answer import QuestionAnswering, beam_loss, simple_loss
from xlmkit.tasks.answer_places import answer_places
from xlmkit.tasks.question_answering import QuestionAnsweringConfig, QuestionAnsweringData

SETTINGS = Answering(max_length=16, max_question=2, stride=4, max_answer=8, n_best=5)


def questions(n: int, seed: int) -> list[Question]:
    """Return questions such as "b e" to "a b c d e f": what stands from b to e?"""
    random = np.random.default_rng(seed)
    letters = list("αβγδεζηθικλμ")
    made = []
    for number in range(n):
        words = random.permutation(letters).tolist()  # longer than a window
        first = int(random.integers(0, len(words) - 1))
        last = int(random.integers(first + 1, min(first + 4, len(words))))
        answer = Answer(" ".join(words[first : last + 1]), 2 * first)
        asked = f"{words[first]} {words[last]}"
        made.append(Question(str(number), "el", asked, " ".join(words), (answer,)))
    return made


@pytest.mark.parametrize("head", ["simple", "beam"])
def test_a_span_is_found(cipher: Any, learn: Any, head: str) -> None:
    _, tokenizer, _ = cipher
    learned, held_out = questions(1500, 0), questions(200, 1)
    windows = encode_questions(tokenizer, learned, SETTINGS.shape)
    assert len(windows.parts) > len(learned)
    beam = head == "beam"
    objective = QuestionAnswering(
        windows,
        answer_places(windows.parts, learned),
        tokens=512,
        seed=0,
        loss=beam_loss if beam else simple_loss,
    )
    torch.manual_seed(0)
    shape = Architecture(
        n_words=14 + 48,
        n_langs=2,
        n_layers=2,
        emb_dim=32,
        n_heads=2,
        max_position_embeddings=16,
        dropout=0.0,
        attention_dropout=0.0,
        embed_init_std=32**-0.5,
    )
    model = BeamAnswerer(shape, start_n_top=3, end_n_top=3) if beam else SimpleAnswerer(shape)
    learn(model, [objective], steps=300, lr=5e-3)
    answerer = PlainAnswerer(model, tokenizer, ["el"], SETTINGS)
    data = QuestionAnsweringData(learned, [], {"el": held_out})
    source = {"path": "a.json", "language": "el"}
    config = QuestionAnsweringConfig.model_validate(
        {"kind": "question_answering", "train": [source], "test": [source], "head": head}
    )
    measured = data.measured(answerer, config, ["el"])
    assert measured["languages"]["el"]["exact_match"]["value"] > 0.9
