"""How every language's validation score by step is drawn."""

import math

import pytest

from xlmkit.evaluate.report import render_report
from xlmkit.evaluate.report_learning import learning_curves


def _validated(results, model, codes, steps=(100, 200), lower=0.02):
    """Add validated steps to a model's curve; each language lies below that before it."""
    task = results["models"][model]["tasks"]["application"]
    task["curve"] += [
        {
            "step": step,
            "objective": "selection",
            "language": code,
            "split": "valid",
            "value": 0.6 + step / 1000 - lower * number,
        }
        for step in steps
        for number, code in enumerate(codes)
    ]
    return task


def test_every_model_has_a_panel_with_a_line_for_each_language(results):
    assert learning_curves(results, "application") is None
    assert "How each language learns" not in render_report(results)
    task = _validated(results, "mlm", results["languages"])
    _validated(results, "mlm_tlm", ["en", "fr"])
    task["source_selected"] = {"languages": {"en": {"step": 200}, "fr": {"step": 200}}}
    learning = learning_curves(results, "application")
    assert [(panel.title, panel.detail) for panel in learning.panels] == [
        ("MLM", "step 200 is kept"),
        ("MLM + TLM", ""),
    ]
    first, second = (panel.svg for panel in learning.panels)
    assert first.count('class="series"') == 7
    assert second.count('class="series"') == 2
    assert "French: Accuracy, % 68, steps 100" in first
    assert "French: Accuracy, % 78, steps 200" in first
    assert not learning.some
    assert [entry.name for entry in learning.legend][:2] == ["English (labels)", "French"]


def test_languages_whose_labels_are_learned_are_marked(results):
    task = _validated(results, "mlm", results["languages"])
    task["source_languages"] = ["en", "de"]
    svg = learning_curves(results, "application").panels[0].svg
    assert svg.count("stroke-width:3.2") == 2
    assert "German (labels): Accuracy" in svg
    assert "French: Accuracy" in svg


def test_of_many_languages_average_and_extremes_are_drawn(results):
    codes = ["en", *(f"x{number}" for number in range(14))]
    task = _validated(results, "mlm", codes, lower=0.01)
    learning = learning_curves(results, "application")
    assert learning.some
    (panel,) = learning.panels
    assert panel.svg.count('class="series"') == 4
    # The others lie 1 to 14 points below English.
    assert "Average of the others: Accuracy, % 62.5, steps 100" in panel.svg
    names = [entry.name for entry in learning.legend]
    assert names == ["English (labels)", "x0", "x13", "Average of the others"]
    assert "those that end highest and lowest" in render_report(results)
    task["source_languages"] = codes  # then none is left to be the others
    (panel,) = learning_curves(results, "application").panels
    assert panel.svg.count('class="series"') == 3
    assert "Average: Accuracy, % 63, steps 100" in panel.svg


def test_a_score_without_a_value_leaves_a_gap(results):
    task = _validated(results, "mlm", ["en", "fr"], steps=(100, 200, 300))
    points = [point for point in task["curve"] if point.get("language") == "fr"]
    del points[0]["value"]
    points[1]["value"] = math.nan
    svg = learning_curves(results, "application").panels[0].svg
    assert svg.count("French: Accuracy") == 1
    assert svg.count("English (labels): Accuracy") == 3


@pytest.mark.parametrize("seeds", [None, {"seeds": [1, 2]}])
def test_the_page_tells_whose_scores_are_drawn(results, seeds):
    for model in results["models"].values():
        task = model["tasks"]["application"]
        if seeds:
            spread = {"accuracy": {"mean": 0.5, "deviation": 0.1, "values": [0.4, 0.6]}}
            task["seeds"] = {**seeds, "languages": {"fr": spread}, "average": spread}
    _validated(results, "mlm", results["languages"])
    page = render_report(results)
    assert "How each language learns" in page
    assert (", of the first seed" in page) == bool(seeds)
