"""Averages over languages in a comparison of models: what they are over, and what they show."""

import pytest

from xlmkit.evaluate.comparing import AVERAGE, compare
from xlmkit.evaluate.contenders import read_contenders
from xlmkit.evaluate.outcomes import Outcomes, load_outcomes, save_outcomes

pytestmark = pytest.mark.unit


def answer_alike(run, key, *, but=0):
    """Let a model answer in French as in Swahili, text by text, except for some texts less."""
    path = run / "evaluate" / key / "outcomes" / "topic.npz"
    kept = load_outcomes(path)
    columns = {name: column[but:] for name, column in kept["sw"].columns.items()}
    save_outcomes(path, kept | {"fr": Outcomes(kept["fr"].ids[but:], columns)})


def test_translations_of_an_example_are_drawn_together(tmp_path, make_run, model):
    run = make_run(tmp_path / "run", a=model("A", 0.75), b=model("B", 0.7))
    for key in "ab":
        answer_alike(run, key)
    found = compare(read_contenders([run]))
    tested = {pair.language: pair.difference for pair in found.pairs}
    # The second language says nothing new, so it makes nothing surer.
    for end in ("low", "high"):
        assert getattr(tested[AVERAGE], end) == pytest.approx(getattr(tested["sw"], end))
    assert found.notes == ()


def test_languages_with_unequal_numbers_of_examples_are_told(tmp_path, make_run, model):
    run = make_run(tmp_path / "run", a=model("A", 0.55), b=model("B", 0.5))
    for key in "ab":
        answer_alike(run, key, but=1)
    found = compare(read_contenders([run]))
    tested = {pair.language: pair.difference for pair in found.pairs}
    width = {code: one.high - one.low for code, one in tested.items()}
    assert width[AVERAGE] < 0.85 * width["sw"]
    (note,) = found.notes
    assert note == (
        "In the average of topic, languages with unequal numbers of examples are taken as "
        "independent; where they are translations of one another, its p is too small."
    )
