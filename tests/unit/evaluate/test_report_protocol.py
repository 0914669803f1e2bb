"""What the report says of how a task's numbers came about."""

from xlmkit.evaluate.report_protocol import trials_table


def test_trials_without_a_score_say_why(results):
    tried = [
        {"lr": 10.0, "score": None, "step": None, "diverged": "not finite", "chosen": False},
        {"lr": 0.1, "score": None, "step": 4, "chosen": False},  # as a correlation with a constant
        {"lr": 0.01, "score": 0.5, "step": 8, "chosen": True},
    ]
    trials = [{**one, "tokens_per_batch": None} for one in tried]
    results["models"]["mlm"]["tasks"]["application"]["trials"] = trials
    rows = trials_table(results, "application").rows
    assert [row.label for row in rows] == ["rate 10", "rate 0.1", "rate 0.01"]
    cells = [row.cells[0] for row in rows]
    assert [(cell.text, cell.detail) for cell in cells] == [
        ("diverged", ""), ("–", "step 4"), ("50.0", "step 8")
    ]  # fmt: skip
    assert [cell.best for cell in cells] == [False, False, True]
