"""A sweep whose trials have no value to be chosen by."""

from xlmkit.build import sweeping
from xlmkit.evaluate import formats
from xlmkit.evaluate.report_protocol import trials_table


def test_a_trial_without_a_value_is_worse_than_any_and_written_as_null() -> None:
    told = {"lr": 0.1, "tokens_per_batch": None, "step": 2}
    found = [{**told, "score": score} for score in (None, -0.5, None)]
    assert [one["chosen"] for one in sweeping._with_choice(found)] == [False, True, False]
    tried = sweeping._with_choice([{**told, "score": None}] * 2)
    assert [one["chosen"] for one in tried] == [True, False]
    task = {"trials": tried, "languages": {"en": {}}}
    results = {"models": {"m": {"title": "M", "tasks": {"t": task}}}}
    table = trials_table(results, "t")
    assert table is not None
    assert table.rows[0].cells[0].text == formats.MISSING
