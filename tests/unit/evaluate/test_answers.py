from pathlib import Path

import numpy as np
import pytest
import torch

from xlmkit.data.questions import Question
from xlmkit.data.window_batches import WindowInputs
from xlmkit.data.windows import make_window
from xlmkit.evaluate.answering import beam_candidates, simple_candidates
from xlmkit.evaluate.answers import Answering, Answers, Found, join_windows
from xlmkit.model.span_heads import Spans

CONTEXT = "Aa bB  cC dd"
SPANS = np.array([[0, 2], [3, 5], [5, 9], [10, 12]], np.int32)
QUESTIONS = [Question("0", "en", "a", CONTEXT), Question("1", "en", "b", CONTEXT)]
LOW = -np.inf


def test_the_best_span_of_all_windows_is_cut_from_the_text() -> None:
    windows = [
        make_window(0, 5, SPANS[:2], (True, False)),
        make_window(0, 5, SPANS[1:], (False, True)),
        make_window(1, 4, SPANS, (True, True)),
    ]
    rows = np.array(
        [
            [[2, 0, 0], [-1, 5, 6], [-3, 6, 6]],
            [[-1, 0, 0], [-0.5, 5, 6], [-2, 5, 5]],
            [[4, 0, 0], [LOW, 4, 4], [LOW, 5, 4]],
        ],
        np.float32,
    )
    first, second = join_windows(windows, rows, QUESTIONS, n_best=3)
    assert [span.text for span in first.spans] == ["bB  cC", "Aa bB", "bB"]
    assert first.spans[2].score == -2  # found twice, the better score counts
    assert first.spans[0].start == 3
    assert first.no_answer == -1
    assert second == Answers((), 4.0)
    assert (first.best(None), first.best(-2), second.best(None)) == ("bB  cC", "", "")


def test_probabilities_leave_room_for_no_answer() -> None:
    spans = (Found("a", 0, 1, -1.0), Found("b", 2, 3, -2.0))
    answers = Answers(spans, 1.0)
    given = 1 / (1 + np.e)
    share = 1 / (1 + np.exp(-1))
    assert answers.probabilities(None) == pytest.approx([share, 1 - share])
    assert answers.probabilities(5) == pytest.approx([share * given, (1 - share) * given])
    told = answers.to_json(0.5)
    assert told["answer"] == ""
    assert told["start"] is None
    assert told["probability"] == pytest.approx(1 - given, abs=1e-5)
    assert answers.to_json(2.0)["end"] == 1
    assert len(answers.probabilities(None)) == 2
    assert Answers((), 3.0).to_json(None)["answer"] == ""


def inputs(context: torch.Tensor) -> WindowInputs:
    return WindowInputs(None, context)  # type: ignore[arg-type]


def test_a_simple_head_gives_the_best_of_all_spans() -> None:
    torch.manual_seed(0)
    scores = torch.randn(3, 9, 2)
    context = torch.zeros(3, 9, dtype=torch.bool)
    context[0, 3:8], context[1, 2:9], context[2, 4:5] = True, True, True
    found = simple_candidates(scores, inputs(context), n_best=4, max_answer=3)
    assert found.shape == (3, 5, 3)
    for row in range(3):
        places = [0, *context[row].nonzero().flatten().tolist()]
        start, end = (scores[row, places, i].log_softmax(dim=0) for i in range(2))
        wanted = sorted(
            (
                (float(start[i] + end[j]), a, b)
                for i, a in enumerate(places)
                for j, b in enumerate(places)
                if a and a <= b < a + 3
            ),
            reverse=True,
        )[:4]
        usable = found[row, 1:][found[row, 1:, 0].isfinite()]
        np.testing.assert_allclose(usable, np.array(wanted), rtol=1e-5)
        nothing = float(start[0] + end[0]) - wanted[0][0]
        assert float(found[row, 0, 0]) == pytest.approx(nothing, abs=1e-5)


def test_spans_of_a_beam_that_are_none_score_infinitely_low() -> None:
    context = torch.tensor([[False, False, True, True, True, True]])
    spans = Spans(
        start_probability=torch.tensor([[0.5, 0.25]]),
        start=torch.tensor([[3, 0]]),
        end_probability=torch.tensor([[0.5, 0.4, 0.125, 0.1]]),  # by end, then by start
        end=torch.tensor([[4, 4, 2, 3]]),
        answerable=torch.tensor([1.5]),
    )
    found = beam_candidates(spans, inputs(context), size=5, max_answer=3)
    assert found.shape == (1, 6, 3)
    assert float(found[0, 0, 0]) == 1.5
    usable = found[0, 1:][found[0, 1:, 0].isfinite()]
    np.testing.assert_allclose(usable, [[np.log(0.25), 3, 4]], rtol=1e-6)


def test_settings_are_kept_and_fit_a_model(tmp_path: Path) -> None:
    settings = Answering(stride=100, null_threshold=0.5)
    settings.save(tmp_path)
    assert Answering.load(tmp_path) == settings
    assert Answering.load(tmp_path / "none") == Answering()
    assert settings.within(512) == settings
    small = settings.within(64)
    assert small.max_length == 64
    assert small.stride < small.max_length - small.max_question - 4
