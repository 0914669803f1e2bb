import copy

import numpy as np
import pytest

from xlmkit.evaluate.heat_map import grouped, heat_map, most_frequent
from xlmkit.evaluate.report import render_report
from xlmkit.evaluate.report_errors import (
    calibration_table,
    class_table,
    confusion_panels,
    reliability_panels,
)

pytestmark = pytest.mark.unit


def _task(results):
    return results["models"]["mlm_tlm"]["tasks"]["application"]


def test_every_language_has_a_confusion_matrix_with_its_commonest_mistake(results):
    task = _task(results)
    task["languages"]["fr"]["confusion"] = [[9, 0, 0, 0], [0, 5, 4, 0], [0, 0, 7, 1], [0, 0, 0, 9]]
    panels = {panel.title: panel for panel in confusion_panels(results, task)}
    assert len(panels) == 7
    french = panels["French"]
    assert french.detail == "pretix taken for wagtail, 4 of 9"
    assert "pretix taken for wagtail: 4 of 9 (44%)" in french.svg
    assert french.svg.count('class="cell"') == 16


def test_a_model_without_mistakes_has_no_commonest_one(results):
    task = _task(results)
    task["languages"] = {"fr": {"confusion": np.diag([3, 0, 1, 2]).tolist()}}
    assert [panel.detail for panel in confusion_panels(results, task)] == [""]


def test_many_classes_stay_readable(results):
    task, n = _task(results), 60
    counts = np.diag(np.arange(1, n + 1))
    counts[59, 0] = 7
    task["labels"] = [f"class {i}" for i in range(n)]
    task["languages"] = {"fr": {"confusion": counts.tolist()}}
    (panel,) = confusion_panels(results, task)
    assert panel.svg.count('class="cell"') == 20 * 20
    assert "41 other classes" in panel.svg
    assert panel.detail == "class 59 taken for 41 other classes, 7 of 67"


def test_of_many_languages_the_most_confused_are_drawn(results):
    task = _task(results)
    codes = ["en", *(f"x{i}" for i in range(15))]
    right = {code: 50 if code == "en" else i for i, code in enumerate(codes)}
    task["languages"] = {
        code: {"confusion": [[n, 50 - n, 0, 0], [0] * 4, [0] * 4, [0] * 4]}
        for code, n in right.items()
    }
    titles = [panel.title for panel in confusion_panels(results, task)]
    assert titles[0] == "English"
    assert len(titles) == 12
    assert "x14" not in titles


def test_a_task_without_confusions_has_no_panels(results):
    task = _task(results)
    for part in task["languages"].values():
        del part["confusion"]
    assert confusion_panels(results, task) == []


def test_classes_that_are_put_together_keep_their_counts():
    counts = np.arange(16).reshape(4, 4)
    kept = most_frequent(counts, 2)
    assert kept == [2, 3]
    small, names = grouped(counts, ["a", "b", "c", "d"], kept)
    assert names == ["c", "d", "2 other classes"]
    assert small.tolist() == [[10, 11, 8 + 9], [14, 15, 12 + 13], [2 + 6, 3 + 7, 0 + 1 + 4 + 5]]


def test_names_from_outside_are_escaped():
    drawing = heat_map(np.eye(2, dtype=np.int64), ["<b>", "a&b"], title="x < y")
    assert "<b>" not in drawing
    assert "&lt;b&gt;" in drawing


def test_calibration_stands_beside_every_model(results):
    table = calibration_table(results, "application")
    assert [head for head, _ in table.groups] == ["No pretraining", "MLM", "MLM + TLM"]
    rows = {row.label: [cell.text for cell in row.cells] for row in table.rows}
    # five bins of 100: sure by 0.70 to 0.74, right in 60 of them
    assert rows["English"] == ["12.0", "+12.0"] * 3
    panels = reliability_panels(results, "application")
    assert [panel.title for panel in panels] == ["No pretraining", "MLM", "MLM + TLM"]
    assert "French: share right 0.6, probability given 0.72" in panels[0].svg


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("classification", ""),
        ("tagging", "An answer is the tag of a word."),
        ("multilabel", "An answer is that a text is of a class, or that it is not."),
    ],
)
def test_what_an_answer_is_is_told(results, kind, told):
    for model in results["models"].values():
        model["tasks"]["application"]["kind"] = kind
    page = render_report(results)
    assert told in page
    assert ("An answer is" in page) == bool(told)


def test_bins_with_a_few_answers_are_not_drawn(results):
    few = copy.deepcopy(results)
    for model in few["models"].values():
        for part in model["tasks"]["application"]["languages"].values():
            part["calibration"]["bins"] = [[9, 8.0, 4]] + [[0, 0.0, 0]] * 14
    assert reliability_panels(few, "application") == []  # a diagonal alone says nothing
    render_report(few)


def test_a_single_bin_is_a_point_that_is_seen(results):
    for model in results["models"].values():
        for part in model["tasks"]["application"]["languages"].values():
            part["calibration"]["bins"] = [[90, 80.0, 40]] + [[0, 0.0, 0]] * 14
    assert reliability_panels(results, "application")[0].svg.count('class="series lone"') == 7


def test_a_task_without_probabilities_has_no_calibration(results):
    for model in results["models"].values():
        for part in model["tasks"]["application"]["languages"].values():
            del part["calibration"]
    assert calibration_table(results, "application") is None
    assert reliability_panels(results, "application") == []


def test_where_texts_are_of_several_classes_each_has_its_f1(results):
    assert class_table(results, _task(results)) is None
    for model in results["models"].values():
        for part in model["tasks"]["application"]["languages"].values():
            del part["confusion"]
            part["classes"] = {
                name: {"precision": 0.5, "recall": 0.5, "f1": f1, "support": support}
                for name, f1, support in (("fear", 0.125, 3), ("joy", 0.5, 40))
            }
    table = class_table(results, _task(results))
    assert [row.label for row in table.rows] == ["joy", "fear"]
    assert [cell.text for cell in table.rows[1].cells] == ["12.5"] * len(table.columns)
    page = render_report(results)
    assert "How well each class is found" in page
    many = {f"class {i}": {"f1": 0.5, "support": i} for i in range(60)}
    _task(results)["languages"] = {"fr": {"classes": many}}
    assert len(class_table(results, _task(results)).rows) == 20
