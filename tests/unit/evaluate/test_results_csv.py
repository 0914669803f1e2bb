import csv

import pytest

from xlmkit.evaluate.results_csv import COLUMNS, write_csv

pytestmark = pytest.mark.unit


def test_every_score_is_one_row(results, tmp_path):
    bleu = {"value": 31.5, "low": 30.0, "high": 33.0, "n": 20, "signature": "BLEU"}
    rouge = {"value": 25.0, "low": None, "high": None, "n": 9, "signature": "rouge1"}
    test = {"en-fr": {"scores": {"bleu": bleu}}, "en-en": {"scores": {"rouge1": rouge}}}
    results["translators"] = {"mt": {"test": test}}
    write_csv(results, tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    found = {(r["model"], r["task"], r["language"], r["metric"]): r for r in rows}
    assert len(found) == len(rows)
    accuracy = results["models"]["mlm"]["tasks"]["application"]["languages"]["fr"]["accuracy"]
    row = found["mlm", "application", "fr", "accuracy"]
    assert float(row["value"]) == accuracy["value"]
    assert float(row["low"]) == accuracy["low"]
    assert int(row["n"]) == accuracy["n"]
    assert found["mlm", "application", "fr", "ece"]["low"] == ""
    assert found["mlm", "retrieval", "fr-en", "accuracy"]["n"] == "1000"
    assert float(found["mlm", "mlm", "zh", "perplexity"]["value"]) > 1
    assert float(found["mt", "translation", "en-fr", "bleu"]["low"]) == 30.0
    assert found["mt", "summaries", "en-en", "rouge1"]["n"] == "9"
    per_model = 7 * 3 + 2 * 6
    assert len(rows) == 3 * per_model + 2 * 7 * 2 + 2


def test_results_without_anything_are_a_head(tmp_path):
    write_csv({}, tmp_path / "results.csv")
    assert (tmp_path / "results.csv").read_text("utf-8") == ",".join(COLUMNS) + "\n"
