"""What a reader of a task's table should not take at its word."""

from typing import Any

import pytest

from xlmkit.evaluate.report import print_summary, render_report
from xlmkit.evaluate.report_bias import falls
from xlmkit.evaluate.report_doubts import doubt_notes
from xlmkit.evaluate.report_errors import left_out_notes
from xlmkit.evaluate.report_tables import transfer_table
from xlmkit.evaluate.results import models_on


def scored(value: float | None, metric: str = "spearman") -> dict[str, Any]:
    """Return a score as results.json has it."""
    return {"value": value, "low": value, "high": value, "n": 9, "signature": f"{metric}|n:9"}


def regression(results: Any, **values: float | None) -> None:
    """Turn the task into one of numbers that every model was measured on alike."""
    for model in results["models"].values():
        model["tasks"]["application"] = {
            "kind": "regression",
            "metrics": ["spearman", "pearson"],
            "source_language": "en",
            "languages": {
                code: {"spearman": scored(value), "pearson": scored(value), "n": 9}
                for code, value in values.items()
            },
            "average": {"over": []},
        }


def test_a_correlation_without_any_value_is_shown_and_told(
    results: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    regression(results, de=None)
    note = "Spearman has no value in German: all its labels (or the model's numbers) are the same."
    assert doubt_notes(results, models_on(results, "application")) == [note]
    table = transfer_table(results, "application")
    assert all(len(row.cells) == len(table.columns) == 3 for row in table.rows)
    print_summary(results)
    assert note in " ".join(capsys.readouterr().out.split())
    assert render_report(results).count("Spearman has no value in German") == 1


def test_a_model_and_several_languages_without_value_are_named(results: Any) -> None:
    regression(results, en=0.5, de=0.4, fr=0.3)
    models = models_on(results, "application")
    assert doubt_notes(results, models) == []
    for code in ("fr", "de"):
        models["mlm"]["languages"][code]["spearman"]["value"] = None
    assert doubt_notes(results, models) == [
        "Spearman of MLM has no value in French and German: all labels of each (or the model's "
        "numbers) are the same."
    ]


def test_one_answer_for_all_texts_of_a_language_is_told(
    results: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    models = models_on(results, "application")
    for code, answer in (("fr", 1), ("zh", 1), ("de", 3)):
        row = [250 * (place == answer) for place in range(4)]
        models["mlm"]["languages"][code]["confusion"] = [row] * 4
    alone = [[0] * 4, [0, 250, 0, 0], [0] * 4, [0] * 4]  # it is what all of them are
    models["mlm"]["languages"]["es"]["confusion"] = alone
    notes = [
        "MLM calls every text in French and Chinese pretix.",
        "MLM calls every text in German django.",
    ]
    assert doubt_notes(results, models) == notes
    print_summary(results)
    printed = " ".join(capsys.readouterr().out.split())
    assert all(note in printed for note in notes)
    assert all(render_report(results).count(note) == 1 for note in notes)
    models["mlm"]["kind"] = "tagging"
    assert doubt_notes(results, models)[0].startswith("MLM calls every word in French")


def test_languages_without_entities_are_told(results: Any) -> None:
    models = models_on(results, "application")
    for model in models.values():
        model["kind"] = "tagging"
        model["languages"]["en"]["types"] = {"PER": {"support": 3}}
        model["languages"]["de"]["types"] = {"PER": {"support": 0}}
    assert doubt_notes(results, models) == [
        "German has no entity in its test file: F1 is 0 by definition there."
    ]
    next(iter(models.values()))["left_out"] = {"sw": {"b-per": 2}}
    (note,) = left_out_notes(results, models)
    assert note == (
        "Words of languages none of whose tags were learned are left out: 2 in sw (all; b-per 2)."
    )


@pytest.mark.parametrize(
    ("kind", "metric", "told"),
    [
        ("multilabel", "macro_f1", "MLM gives no text any class in French."),
        ("question_answering", "f1", "MLM gives no question an answer in French."),
    ],
)
def test_a_model_that_says_nothing_is_told_and_not_praised(
    results: Any, kind: str, metric: str, told: str
) -> None:
    models = models_on(results, "application")
    for model in models.values():
        model |= {"kind": kind, "metrics": [metric]}
        for part in model["languages"].values():
            part.pop("confusion", None)
            part |= {metric: scored(0.4, metric), "answered": 9}
    assert doubt_notes(results, models) == []
    french = models["mlm"]["languages"]["fr"]
    french["answered"] = 0
    assert doubt_notes(results, models) == [told]
    assert [one.code for one in falls(results, results["models"]["mlm"], models["mlm"])] == [
        code for code in models["mlm"]["languages"] if code not in ("en", "fr")
    ]
    french[metric] = scored(1.0, metric)  # nothing is what was right
    assert doubt_notes(results, models) == []
