from typing import Any

from xlmkit.evaluate.report import render_report
from xlmkit.evaluate.report_input import bad_input_notes, unknown_notes
from xlmkit.evaluate.results import models_on


def test_what_is_wrong_in_the_files_is_told_once(results: Any) -> None:
    models = models_on(results, "application")
    *_, last = models.values()  # others were measured before it was counted
    last["bad_input"] = {
        "train": {"en": {"no label": 1}},
        "test": {"": {"too few columns": 7}, "de": {"no label": 2, "an empty text": 1200}},
    }
    notes = bad_input_notes(results, models)
    assert notes == [
        "Damaged or odd in the train files: 1 in English (no label: 1).",
        "Damaged or odd in the test files: 1,202 in German (an empty text: 1,200; no label: 2) and "
        "7 in no known language (too few columns: 7).",
    ]
    page = render_report(results)
    assert all(page.count(note) == 1 for note in notes)


def test_of_many_reasons_the_commonest_are_named(results: Any) -> None:
    models = models_on(results, "application")
    for model in models.values():
        model["bad_input"] = {"test": {"en": {f"reason {n}": n for n in range(1, 8)}}}
    (note,) = bad_input_notes(results, models)
    assert "28 in English (reason 7: 7; " in note
    assert note.endswith("reason 3: 3; ...).")


def test_languages_that_a_model_hardly_reads_are_told(results: Any) -> None:
    models = models_on(results, "application")
    assert unknown_notes(results, models) == []
    models["mlm"]["languages"]["de"]["unknown_share"] = 0.2
    models["mlm"]["languages"]["fr"]["unknown_share"] = 0.1999
    results["models"]["mlm"]["unknown_languages"] = ["fr", "xx"]
    notes = unknown_notes(results, models)
    assert notes == [
        "MLM may never have seen text in French, which it does not name among its languages.",
        "Of the tokens of the test texts 20.0% in German are unknown to MLM, so that its scores "
        "there mean little.",
    ]
    page = render_report(results)
    assert all(note in page for note in notes)


def test_results_from_before_have_no_notes(results: Any) -> None:
    models = models_on(results, "application")
    assert bad_input_notes(results, models) == unknown_notes(results, models) == []
