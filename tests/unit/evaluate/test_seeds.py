"""Scores over several seeds, from the numbers to what people read."""

import copy
import csv
import math

import pytest

from xlmkit.evaluate.report import print_summary, render_report
from xlmkit.evaluate.report_headline import headline
from xlmkit.evaluate.report_protocol import seeds_table
from xlmkit.evaluate.results_csv import write_csv
from xlmkit.evaluate.seeds import over_seeds, spread


def _result(english, french, average):
    return {
        "metrics": ["accuracy"],
        "languages": {
            "en": {"accuracy": {"value": english}, "n": 10},
            "fr": {"accuracy": {"value": french}, "n": 10},
        },
        "average": {"accuracy": average, "over": ["fr"]},
    }


def test_mean_and_deviation_are_over_the_seeds_in_every_language_and_on_average():
    found = over_seeds({1: _result(0.8, 0.5, 0.5), 7: _result(0.9, 0.7, 0.7)})
    assert found["seeds"] == [1, 7]
    assert found["languages"]["en"]["accuracy"]["mean"] == pytest.approx(0.85)
    french = found["languages"]["fr"]["accuracy"]
    assert french["values"] == [0.5, 0.7]
    assert french["deviation"] == pytest.approx(math.sqrt(2) / 10)
    assert found["average"]["accuracy"]["mean"] == pytest.approx(0.6)
    assert "own_selected" not in found


def test_what_each_language_chose_has_a_spread_of_its_own():
    results = {}
    for seed, value in ((1, 0.5), (2, 0.7)):
        own = {"languages": {"fr": {"step": 3, "accuracy": {"value": value}}}, "average": value}
        results[seed] = {**_result(0.8, 0.4, 0.4), "own_selected": own}
    own = over_seeds(results)["own_selected"]
    assert own["languages"]["fr"]["accuracy"]["mean"] == pytest.approx(0.6)
    assert own["average"]["accuracy"]["values"] == [0.5, 0.7]


def test_a_value_that_is_undefined_counts_in_neither():
    found = spread([0.2, None, 0.4])
    assert found["mean"] == pytest.approx(0.3)
    assert found["values"] == [0.2, None, 0.4]
    assert spread([0.2, None])["deviation"] is None
    assert spread([None, None]) == {"mean": None, "deviation": None, "values": [None, None]}


@pytest.fixture
def seeded(results):
    """The results of three models, each adapted with two seeds, the second 4 points better."""
    for model in results["models"].values():
        task = model["tasks"]["application"]
        first = {**task, "average": {"accuracy": 0.5, "macro_f1": 0.4, "over": ["fr"]}}
        second = copy.deepcopy(first)
        for part in second["languages"].values():
            part["accuracy"]["value"] += 0.04
        second["average"]["accuracy"] = 0.54
        first["metrics"] = second["metrics"] = ["accuracy", "macro_f1"]
        model["tasks"]["application"] = {**first, "seeds": over_seeds({1: first, 2: second})}
    return results


def test_the_table_has_mean_and_deviation_of_each_model(seeded):
    table = seeds_table(seeded, "application")
    assert table.columns == ("No pretraining", "MLM", "MLM + TLM")
    rows = {row.label: [(c.text, c.detail) for c in row.cells] for row in table.rows}
    off = "\N{PLUS-MINUS SIGN} 2.8"
    assert rows["Average without labels"] == [("52.0", off)] * 3
    value = seeded["models"]["mlm"]["tasks"]["application"]["languages"]["fr"]["accuracy"]["value"]
    assert rows["French"][1] == (f"{100 * value + 2:.1f}", off)


def test_page_terminal_and_headline_tell_of_the_seeds(seeded, capsys):
    assert "Over all seeds" in render_report(seeded)
    print_summary(seeded)
    printed = capsys.readouterr().out
    assert "over all seeds" in printed
    assert "52.0 \N{PLUS-MINUS SIGN} 2.8" in printed
    told = " ".join(headline(seeded).sentences)
    assert "Over two seeds its average is 52.0%, with a standard deviation of 2.8 points" in told


def test_without_seeds_nothing_is_said_of_them(results):
    assert seeds_table(results, "application") is None
    assert "seeds" not in render_report(results)
    assert not any("seeds" in sentence for sentence in headline(results).sentences)


def test_rows_of_the_csv_have_mean_and_deviation(seeded, tmp_path):
    write_csv(seeded, tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(encoding="utf-8", newline="") as stream:
        rows = {
            (r["task"], r["language"], r["metric"]): r
            for r in csv.DictReader(stream)
            if r["model"] == "mlm"
        }
    row = rows["application", "fr", "accuracy"]
    assert float(row["mean"]) == pytest.approx(float(row["value"]) + 0.02)
    assert row["seeds"] == "2"
    average = rows["application", "average", "accuracy"]
    assert float(average["value"]) == 0.5
    assert float(average["deviation"]) == pytest.approx(0.04 / math.sqrt(2))
    assert rows["retrieval", "fr-en", "accuracy"]["mean"] == ""
