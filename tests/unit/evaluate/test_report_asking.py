from typing import Any

from xlmkit.evaluate.report import render_report
from xlmkit.evaluate.report_asking import asking_notes
from xlmkit.evaluate.results import models_on


def test_languages_of_questions_are_told_apart(results: Any) -> None:
    assert asking_notes(results, models_on(results, "application")) == []
    scores = {"de": {"en": {"f1": 0.25}}, "en": {"en": {"f1": 0.5}, "de": {"f1": 0.125}}}
    results["models"]["mlm"]["tasks"]["application"]["asked_in"] = scores
    notes = asking_notes(results, models_on(results, "application"))
    assert notes == [
        "Of questions in English, by language of context, MLM has F1 50.0% in English and "
        "25.0% in German.",
        "Of questions in German, by language of context, MLM has F1 12.5% in English.",
    ]
    assert notes[0] in render_report(results)
