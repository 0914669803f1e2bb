from itertools import pairwise

import numpy as np
import pytest
import torch

from xlmkit.data.questions import Answer, Question
from xlmkit.data.window_batches import encode_questions
from xlmkit.data.windows import WindowShape, cut, make_window
from xlmkit.tasks.answer_places import answer_places
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import EOS, SPECIAL_TOKENS, Vocabulary

CONTEXT = "Der Fluß  fließt (nach) Norden, und\u200b der See liegt im Süden."
QUESTION = Question("1", "de", "Wohin fließt er?", CONTEXT, (Answer("(nach) Norden", 18),))
TOKENIZER = Tokenizer(
    Vocabulary([*SPECIAL_TOKENS, "a</w>"]), Merges(()), {"en": 0, "de": 1}, segmenters={}
)


@pytest.mark.parametrize("tokens", [1, 4, 5, 6, 12, 13, 40])
def test_windows_overlap_and_leave_nothing_out(tokens: int) -> None:
    parts = list(cut(tokens, room=5, stride=2))
    assert parts[0][0] == 0
    assert parts[-1][1] == tokens
    for before, after in pairwise(parts):
        assert before[1] - after[0] == 2
        assert before[1] - before[0] == 5
    assert list(cut(0, room=5, stride=2)) == []


def test_an_answer_is_in_a_window_wholly_or_not_at_all() -> None:
    spans = np.array([[4, 8], [9, 12], [12, 12], [12, 15]], np.int32)
    window = make_window(0, 7, spans, (False, False))
    assert window.places((4, 8)) == (7, 7)
    assert window.places((10, 13)) == (8, 10)
    assert window.places((2, 8)) is None
    assert window.places((9, 16)) is None
    assert window.places((8, 9)) is None  # between two tokens
    assert make_window(0, 7, spans, (True, True)).places((2, 17)) == (7, 10)
    assert window.characters(8, 10) == (9, 15)


def test_windows_of_a_question() -> None:
    shape = WindowShape(max_length=40, max_question=5, stride=8)
    windows = encode_questions(TOKENIZER, [QUESTION], shape)
    assert len(windows.parts) > 1
    assert windows.lengths.max() == 40
    batch = windows.batch(range(len(windows.parts)))
    tokens = batch.inputs.tokens
    assert (tokens[:, 0] == EOS).all()
    assert (tokens[:, [6, 7]] == EOS).all()
    assert (batch.inputs.languages[0] == 1).all()
    assert not batch.context[:, :8].any()
    assert batch.context[:, 8].all()
    assert torch.equal(batch.context.sum(dim=1) + 9, torch.from_numpy(windows.lengths).long())
    assert torch.equal(batch.open.sum(dim=1), batch.context.sum(dim=1) + 1)
    places = answer_places(windows.parts, [QUESTION])
    held = np.flatnonzero(places[:, 0])
    assert 0 < len(held) < len(places)
    for number in held:
        start, end = windows.parts[number].characters(*places[number])
        assert CONTEXT[start:end] == "(nach) Norden"


def test_a_question_may_be_in_another_language() -> None:
    shape = WindowShape(max_length=80, max_question=5, stride=8)
    asked = Question("1", "de", "Where to?", CONTEXT, asked_in="en")
    languages = encode_questions(TOKENIZER, [asked], shape).batch([0]).inputs.languages[0]
    question = 7  # tokens, with </s> on both sides
    assert languages[:question].tolist() == [0] * question
    assert (languages[question:] == 1).all()


def test_case_spaces_and_accents_come_back() -> None:
    shape = WindowShape(200, 10, 20)
    for answer in ("Fluß  fließt", "und\u200b der", "Süden.", "Der"):
        question = Question("1", "de", "Was?", CONTEXT, (Answer(answer, CONTEXT.index(answer)),))
        windows = encode_questions(TOKENIZER, [question], shape)
        ((start, end),) = answer_places(windows.parts, [question])
        first, last = windows.parts[0].characters(start, end)
        assert CONTEXT[first:last].rstrip(".") == answer.rstrip(".")


def test_a_joined_context_stands_behind_one_end_of_the_question() -> None:
    apart, joined = (
        encode_questions(TOKENIZER, [QUESTION], WindowShape(40, 5, 8, form))
        for form in ("apart", "joined")
    )
    assert joined.lengths.max() == 40
    batch, window = joined.batch([0]), joined.parts[0]
    tokens = batch.inputs.tokens[0].tolist()
    assert [place for place, token in enumerate(tokens) if token == EOS] == [0, 6, 39]
    assert batch.inputs.positions[0].tolist() == list(range(40))
    assert batch.context[0].nonzero().flatten().tolist() == list(range(7, 39))
    assert window.characters(7, 7) == apart.parts[0].characters(8, 8) == (0, 1)


def test_a_context_without_a_token_has_no_window() -> None:
    question = Question("1", "en", "a", "\u200b")
    assert encode_questions(TOKENIZER, [question], WindowShape(40, 5, 8)).parts == []
