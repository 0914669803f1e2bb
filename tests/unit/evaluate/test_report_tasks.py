"""The report of several tasks, and of the kinds of tasks."""

import copy

import pytest

from xlmkit.evaluate import formats
from xlmkit.evaluate.report import print_summary, render_report
from xlmkit.evaluate.report_headline import headline
from xlmkit.evaluate.report_tables import (
    transfer_table,
)
from xlmkit.evaluate.report_tasks import tasks_table

pytestmark = pytest.mark.unit


def two_tasks(results):
    for model in results["models"].values():
        model["tasks"]["mood"] = copy.deepcopy(model["tasks"]["application"])
    results["models"]["none"]["tasks"]["mood"]["average"]["accuracy"] = 0.9
    return results


def test_several_tasks_are_a_table_and_one_sentence(results, capsys):
    head = headline(two_tasks(results))
    assert head.title == "Of two tasks, MLM + TLM is ahead on 1 and No pretraining is ahead on 1"
    assert not any("labelled examples" in sentence for sentence in head.sentences)
    table = tasks_table(results)
    assert [row.label for row in table.rows] == ["application, Accuracy", "mood, Accuracy"]
    assert [[cell.best for cell in row.cells] for row in table.rows] == [
        [False, False, True],
        [True, False, False],
    ]
    assert table.rows[1].cells[0].text == "90.0"
    page = render_report(results)
    assert "All tasks" in page
    print_summary(results)
    assert "mood, Accuracy" in capsys.readouterr().out
    tie = results["models"]["mlm_tlm"]["tasks"]["mood"]["average"]
    tie["accuracy"] = 0.9
    assert headline(results).title.endswith("and the best are level on 1")


def test_one_model_on_several_tasks_is_said(results):
    results["models"] = {"mlm": two_tasks(results)["models"]["mlm"]}
    assert headline(results).title == "MLM on two tasks"


def test_one_task_has_no_table_of_tasks(results):
    assert tasks_table(results) is None
    assert "All tasks" not in render_report(results)


@pytest.mark.parametrize(
    ("kind", "metric", "labels", "said"),
    [
        ("multiple_choice", "accuracy", ["choice"], "asks which of several answers is right"),
        ("question_answering", "f1", ["span"], "asks for the part of a text"),
        ("tagging", "accuracy", ["X", "Y", "Z"], "gives each word one of three tags"),
        ("tagging", "entity_f1", ["O", "B-PER"], "is to find entities"),
        ("regression", "accuracy", ["score"], "gives each text a score"),
    ],
)
def test_a_task_is_told_by_its_kind(results, kind, metric, labels, said):
    for model in results["models"].values():
        task = model["tasks"]["application"]
        task |= {"kind": kind, "labels": labels, "metrics": [metric]}
        for part in task["languages"].values():
            part[metric] = part["accuracy"]
        task["average"][metric] = task["average"]["accuracy"]
    assert said in headline(results).sentences[0]
    assert ("Classes:" in render_report(results)) == (len(labels) > 1)


def test_models_that_read_the_same_are_level(results):
    for key in ("mlm", "mlm_tlm"):
        results["models"][key]["tasks"]["application"]["average"]["accuracy"] = 0.7
    said = " ".join(headline(results).sentences)
    assert "level with" in said
    assert "the best of" not in said
    assert "0.0 points" not in said


def test_the_headline_is_of_the_mean_over_seeds(results):
    task = results["models"]["mlm_tlm"]["tasks"]["application"]
    task["seeds"] = {
        "seeds": [1, 2],
        "languages": {},
        "average": {"accuracy": {"mean": 0.654, "deviation": 0.01, "values": [0.644, 0.664]}},
    }
    assert "65.4" in headline(results).title


def test_a_table_that_is_too_wide_is_parted_by_measure(results):
    assert 'class="parts"' not in render_report(results)
    first = results["models"]["mlm"]
    results["models"] |= {f"more{i}": copy.deepcopy(first) for i in range(3)}
    page = render_report(results)
    assert 'class="parts"' in page
    assert page.count("<details") == page.count("</details>")


def test_that_languages_are_too_few_is_said_once(results):
    for model in results["models"].values():
        task = model["tasks"]["application"]
        task["languages"] = {code: task["languages"][code] for code in ("en", "fr", "de")}
    assert render_report(two_tasks(results)).count("nothing can be said") == 1


def test_a_language_without_a_value_is_not_said_to_be_averaged(results):
    task = results["models"]["mlm_tlm"]["tasks"]["application"]
    task.pop("average", None)
    before = " ".join(headline(results).sentences)
    assert "Arabic" in before
    task["languages"]["ar"]["accuracy"]["value"] = None
    table = transfer_table(results, "application")
    assert table.rows[-1].label == "Average of the others, where there is a value"
    (arabic,) = (row for row in table.rows if row.label == "Arabic")
    assert arabic.cells[6].text == formats.MISSING
    reached = next(s for s in headline(results).sentences if "is right on" in s)
    assert "French" in reached
    assert "Arabic" not in reached


def learn_jointly(results):
    """Let the models learn from labels in all of three languages."""
    for model in results["models"].values():
        task = model["tasks"]["application"]
        task["languages"] = {code: task["languages"][code] for code in ("en", "fr", "de")}
        task |= {"source_languages": ["en", "fr", "de"], "average": {"over": []}}
        for value, part in zip((0.9, 0.8, 0.61), task["languages"].values(), strict=True):
            part["accuracy"]["value"] = value
    return results


def test_joint_training_has_a_headline_of_its_own(results):
    head = headline(learn_jointly(results))
    assert head.title == (
        "Learned from labels in all three languages, right on 77.0% of texts on average"
    )
    assert "of held-out texts on average over English, French and German." in head.sentences[1]
    page = render_report(results)
    assert ">Learned from labels in English, French and German " in page
    assert "to the other languages" not in page
    for model in results["models"].values():  # no test texts in French
        del model["tasks"]["application"]["languages"]["fr"]
    assert headline(results).title == (
        "Learned from labels in English, French and German, right on 75.5% of texts on average"
    )


def test_a_task_of_one_language_has_a_headline(results):
    for model in results["models"].values():
        task = model["tasks"]["application"]
        task |= {"languages": {"en": task["languages"]["en"]}, "average": {"over": []}}
        task["languages"]["en"]["accuracy"]["value"] = 0.9
    title = "Learned from English labels alone, right on 90.0% of texts in English"
    assert headline(results).title == title


def test_joint_training_stands_in_the_table_of_tasks_with_its_mean_over_languages_and_seeds(
    results,
):
    learn_jointly(two_tasks(results))
    assert tasks_table(results).rows[0].cells[2].text == "77.0"
    task = results["models"]["mlm_tlm"]["tasks"]["application"]
    task["seeds"] = {
        "seeds": [1, 2],
        "languages": {code: {"accuracy": {"mean": 0.5}} for code in task["languages"]},
        "average": {"accuracy": {"mean": None, "deviation": None, "values": [None, None]}},
    }
    assert tasks_table(results).rows[0].cells[2].text == "50.0"
