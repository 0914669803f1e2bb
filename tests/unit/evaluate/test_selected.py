"""Scores by who chose the step compare only over the same languages."""

import csv

import pytest

from xlmkit.evaluate.report_protocol import seeds_table, selection_table
from xlmkit.evaluate.results_csv import write_csv
from xlmkit.evaluate.seeds import over_seeds
from xlmkit.evaluate.selected import selected


def measured(**values):
    return {
        "metrics": ["accuracy"],
        "languages": {
            code: {"accuracy": {"value": value, "n": 9, "signature": "accuracy"}}
            for code, value in values.items()
        },
        "average": {"over": [code for code in values if code != "en"]},
    }


def by_rule(own, **values):
    steps = {"source_selected": 1, "own_selected": dict.fromkeys(own, 2)}
    return selected(measured(**values), {2: measured(**own)}, steps)


def test_both_rules_are_averaged_over_the_languages_that_chose():
    found = by_rule({"en": 0.9, "de": 0.81}, en=0.9, de=0.8, sw=0.4)
    assert found["source_selected"]["average"] == 0.8
    assert found["own_selected"]["average"] == 0.81
    assert all(part["over"] == ["de"] for part in found.values())
    assert list(found["source_selected"]["languages"]) == ["en", "de", "sw"]


def test_a_language_that_is_undefined_by_one_rule_counts_in_neither():
    found = by_rule({"de": 0.8, "sw": 0.5}, en=0.9, de=0.7, sw=None)
    assert [part["average"] for part in found.values()] == [0.7, 0.8]


def test_where_only_the_source_chooses_its_average_is_over_all():
    found = by_rule({"en": 0.9}, en=0.9, de=0.8, sw=0.4)
    assert found["source_selected"]["average"] == pytest.approx(0.6)
    assert found["own_selected"]["average"] is None


@pytest.fixture
def chosen(results):
    """The results of three models, each with two seeds, where French and German chose as well."""
    for model in results["models"].values():
        task = model["tasks"]["application"]
        others = [code for code in task["languages"] if code != "en"]
        task["metrics"] = ["accuracy"]
        task["average"] = {"accuracy": 0.3, "over": others}
        values = dict.fromkeys(task["languages"], 0.3) | {"fr": 0.5, "de": 0.7}
        task |= by_rule({"fr": 0.6, "de": 0.8}, **values)
        task["seeds"] = over_seeds({1: task, 2: task})
    return results


@pytest.mark.parametrize("make", [selection_table, seeds_table])
def test_tables_average_both_over_the_same(chosen, make):
    row = make(chosen, "application").rows[-1]
    assert row.label == "Average of those with a choice"
    assert [cell.text for cell in row.cells] == ["60.0", "70.0"] * 3


def test_the_csv_has_both_averages_beside_that_of_all(chosen, tmp_path):
    write_csv(chosen, tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(encoding="utf-8", newline="") as stream:
        found = {
            row["metric"]: (float(row["value"]), float(row["mean"]))
            for row in csv.DictReader(stream)
            if (row["model"], row["task"], row["language"]) == ("mlm", "application", "average")
        }
    assert found["accuracy by source step"] == pytest.approx((0.6, 0.6))
    assert found["accuracy by own step"] == pytest.approx((0.7, 0.7))
    assert found["accuracy"] == pytest.approx((0.3, 0.3))
