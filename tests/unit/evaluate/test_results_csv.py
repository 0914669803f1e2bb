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
    average = found["mlm", "application", "average", "accuracy"]
    assert 0 < float(average["value"]) < accuracy["value"]
    source = found["mlm", "application", "en", "accuracy"]
    assert source["gap"] == found["mlm", "retrieval", "fr-en", "accuracy"]["gap"] == ""
    for one in (row, average):
        assert float(one["gap"]) == pytest.approx(float(one["value"]) - float(source["value"]))
    averages = 2 + 1  # accuracy and macro F1 of the task, and retrieval
    per_model = 7 * 3 + 2 * 6 + averages
    assert len(rows) == 3 * per_model + 2 * 7 * 2 + 2


def test_words_sentences_and_own_steps_have_rows(results, tmp_path):
    def one(value):
        return {"value": value, "low": 0.1, "high": 0.9, "n": 50, "signature": "x"}

    model = results["models"]["mlm"]
    kinds = {kind: {"csls": {"1": 0.25, "5": 0.5}} for kind in ("static", "contextual")}
    scored = {kind: {"csls": {"1": one(0.3), "5": one(0.6)}} for kind in kinds}
    model["lexicons"] = {"words": {"directions": {"en-fr": scored}, "average": kinds}}
    by_margin = {"directions": {"fr-en": one(0.8)}, "average": 0.8}
    model["retrievals"] = {
        "tatoeba": {"directions": {"fr-en": one(0.7)}, "average": 0.7, "margin": by_margin}
    }
    model["retrieval"]["margin"] = {"directions": {"en-fr": one(0.65)}, "average": 0.65}
    scores = {metric: one(value) for metric, value in (("f1", 0.6), ("recall", 0.5))}
    mined = {**scores, "threshold": 1.1, "pairs": 9, "gold": 8, "sentences": [20, 30]}
    averages = {"f1": 0.6, "recall": 0.5}
    model["minings"] = {"bucc": {"directions": {"fr-en": mined}, "average": averages}}
    task = model["tasks"]["application"]
    task["own_selected"] = {
        "languages": {"fr": {"step": 30, "accuracy": one(0.55)}},
        "average": 0.55,
    }
    write_csv(results, tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(encoding="utf-8", newline="") as stream:
        rows = [r for r in csv.DictReader(stream) if r["model"] == "mlm"]
    found = {(r["task"], r["language"], r["metric"]): r["value"] for r in rows}
    assert found["lexicons.words", "en-fr", "static precision@1 by csls"] == "0.3"
    assert found["lexicons.words", "average", "contextual precision@5 by csls"] == "0.5"
    assert found["retrieval", "en-fr", "accuracy by margin"] == "0.65"
    assert found["retrieval", "average", "accuracy by margin"] == "0.65"
    assert found["minings.bucc", "fr-en", "recall"] == "0.5"
    assert found["minings.bucc", "average", "f1"] == "0.6"
    assert len([key for key in found if key[0] == "minings.bucc"]) == 4
    assert found["retrievals.tatoeba", "fr-en", "accuracy"] == "0.7"
    assert found["retrievals.tatoeba", "average", "accuracy by margin"] == "0.8"
    assert found["application", "fr", "accuracy by own step"] == "0.55"
    assert found["application", "average", "accuracy by own step"] == "0.55"


def test_results_without_anything_are_a_head(tmp_path):
    write_csv({}, tmp_path / "results.csv")
    assert (tmp_path / "results.csv").read_text("utf-8") == ",".join(COLUMNS) + "\n"
