"""Averages over languages in a comparison of models: what they are over, and what they show."""

import json

import pytest

from xlmkit.evaluate.compare_report import task_table
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


def learn_from(run, **sources):
    """Write from labels in which languages each model learned."""
    path = run / "results.json"
    results = json.loads(path.read_text("utf-8"))
    for key, codes in sources.items():
        results["models"][key]["tasks"]["topic"]["source_languages"] = codes
    path.write_text(json.dumps(results), encoding="utf-8")
    return run


def averaged(run):
    """Return what the average is over, and the notes on it."""
    found = compare(read_contenders([run]))
    notes = [note for note in found.notes if "did not learn" not in note]
    return list(found.tasks[0].averaged), notes


def test_a_zero_shot_model_is_not_averaged_over_the_source_that_all_learned(
    tmp_path, make_run, model
):
    run = make_run(tmp_path / "run", zero=model("Zero", 0.7), joint=model("Joint", 0.8))
    learn_from(run, zero=["en"], joint=["en", "sw", "fr"])
    told = (
        "Every language compared on topic gave labels to some model, so its average is over those "
        "that did not give them to all: sw and fr."
    )
    assert averaged(run) == (["sw", "fr"], [told])
    found = compare(read_contenders([run]))
    table = task_table(found, found.tasks[0], {"en": "English", "sw": "sw", "fr": "fr"}.get)
    assert table.rows[-1].label == "Average without English"


def test_languages_without_labels_for_any_model_are_averaged_where_there_are_some(
    tmp_path, make_run, model
):
    run = make_run(tmp_path / "run", zero=model("Zero", 0.7), joint=model("Joint", 0.8))
    assert averaged(learn_from(run, zero=["en"], joint=["en", "sw"])) == (["fr"], [])
    assert averaged(learn_from(run, joint=["sw"])) == (["fr"], [])
    everything = ["en", "sw", "fr"]
    assert averaged(learn_from(run, zero=everything, joint=everything)) == (everything, [])
