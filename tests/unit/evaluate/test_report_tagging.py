from typing import Any

from xlmkit.evaluate.report import render_report
from xlmkit.evaluate.report_headline import headline
from xlmkit.evaluate.report_tagging import tagging_notes
from xlmkit.evaluate.results import models_on


def tagged(results: Any) -> Any:
    """Make the task of the results one of tags."""
    for key, model in results["models"].items():
        task = model["tasks"]["application"]
        task["unit"] = "words"
        for code, part in task["languages"].items():
            wrong = 1200 if key == "mlm" and code == "fr" else 0
            part["illegal"] = {"gold": 3 * (code == "de"), "predicted": wrong}
            part["unseen"] = {"X": 2} if code in ("de", "fr") else {}
    return results


def test_oddities_are_told(results: Any) -> None:
    changed = tagged(results)
    notes = tagging_notes(changed, models_on(changed, "application"))
    assert notes == [
        "Test files have I- tags that continue no entity: 3 in German.",
        "MLM predicted I- tags that continue no entity: 1,200 in French.",
        "Tags that were never learned count as wrong: X (4 words).",
    ]
    page = render_report(changed)
    assert all(note in page for note in notes)


def test_other_tasks_have_none(results: Any) -> None:
    assert tagging_notes(results, models_on(results, "application")) == []


def test_words_are_what_is_right(results: Any) -> None:
    head = headline(tagged(results))
    assert "of words in" in head.title
    assert "of held-out words" in " ".join(head.sentences)
