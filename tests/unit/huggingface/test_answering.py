"""Windows of other families' tokenizers, and a run with their own heads."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("transformers")

from xlmkit.core.errors import UserError
from xlmkit.data.questions import Answer, Question
from xlmkit.data.windows import WindowShape
from xlmkit.evaluate.answers import Answering
from xlmkit.huggingface.answering import encode_windows
from xlmkit.huggingface.encoders import HuggingFaceBackbone
from xlmkit.tasks.answer_places import answer_places
from xlmkit.tasks.question_answering import QuestionAnsweringConfig

CONTEXT = "The old dog sees the  small cat near <mask> the river . " * 4
QUESTIONS = [
    Question("1", "en", "dog sees the", CONTEXT, (Answer("small cat", 22),)),
    Question("2", "en", "dog " * 30, CONTEXT, (Answer("the  small", 17),)),
    Question("3", "en", "dog", CONTEXT),
]
SHAPE = WindowShape(max_length=40, max_question=6, stride=10)


@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "deberta-v2", "modernbert", "mbart"])
def test_every_family_learns_and_answers(family: str, make_encoder: Any, tmp_path: Path) -> None:
    backbone = HuggingFaceBackbone.open(make_encoder(family, tmp_path / "m"), family, ["en"])
    windows = encode_windows(backbone.encoder, QUESTIONS, SHAPE, types=False)
    assert windows.lengths.max() <= 40
    assert {part.question for part in windows.parts} == {0, 1, 2}
    places = answer_places(windows.parts, QUESTIONS)
    for number in range(2):
        held = [i for i, p in enumerate(windows.parts) if p.question == number and places[i, 0]]
        assert held
        for i in held:
            start, end = windows.parts[i].characters(*places[i])
            assert CONTEXT[start:end] == QUESTIONS[number].answers[0].text
    source = {"path": "a", "language": "en"}
    section = {
        "train": [source],
        "test": [source],
        "max_length": 40,
        "max_question": 6,
        "stride": 4,
    }
    config = QuestionAnsweringConfig.model_validate({"kind": "question_answering", **section})
    adaptation = backbone.question_answering(QUESTIONS, config, 0)
    output = adaptation.objective.loss(adaptation.model, adaptation.objective.batch(0))
    assert np.isfinite(output.sum.item() / output.count)
    output.sum.backward()
    weights = {n: p.detach() for n, p in adaptation.model.named_parameters(remove_duplicate=False)}
    adaptation.save(tmp_path / "saved", weights, {})
    answerer = backbone.answerer(tmp_path / "saved", Answering(max_length=40, n_best=3))
    found = answerer.answers(QUESTIONS)
    assert [len(one.spans) for one in found] == [3, 3, 3]
    best = found[0].spans[0]
    assert CONTEXT[best.start : best.end] == best.text
    assert found == answerer.answers(QUESTIONS)


def test_what_cannot_be_done_is_said(make_encoder: Any, tmp_path: Path) -> None:
    backbone = HuggingFaceBackbone.open(make_encoder("bert", tmp_path / "m"), "bert", ["en"])
    source = {"path": "a", "language": "en"}
    section = {"kind": "question_answering", "train": [source], "test": [source], "head": "beam"}
    with pytest.raises(UserError, match="set head: simple"):
        backbone.question_answering(QUESTIONS, QuestionAnsweringConfig.model_validate(section), 0)
