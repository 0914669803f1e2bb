import pytest

from xlmkit.evaluate.report import print_summary, render_report
from xlmkit.evaluate.report_headline import headline
from xlmkit.evaluate.report_translation import (
    health_table,
    translation_examples,
    translation_section,
    translation_table,
)
from xlmkit.evaluate.report_translation_curves import training_table, translation_charts
from xlmkit.evaluate.translation_diagnosis import findings
from xlmkit.evaluate.translation_health import Health

pytestmark = pytest.mark.unit


def _score(value, name="BLEU"):
    signature = f"{name}|nrefs:1|bs:1000|seed:12345|case:mixed|version:2.6.0"
    return {
        "value": value, "low": value - 1.2, "high": value + 1.3, "n": 1000, "signature": signature
    }  # fmt: skip


def _direction(bleu, copied=0.01, names=("English", "French")):
    health = Health(1000, 990, copied, 0.08, 0.98, 1.04, 0.0, 0.013, 0.001, 0.99)
    return {
        "scores": {"bleu": _score(bleu), "ter": _score(80 - bleu, "TER")},
        "examples": [
            {"source": f"A dog & {i} cats", "output": f"Un chien <{i}>", "reference": "Un chien"}
            for i in range(9)
        ],
        "health": health.to_json(),
        "findings": [one.to_json() for one in findings(health, *names)],
    }


def _curve(direction, bleu, copied):
    points = []
    for i in range(31):
        at = {"step": 100 * i, "seconds": 60.0 * i, "language": direction, "split": "valid"}
        points.append({**at, "objective": "bleu", "bleu": bleu * i / 30})
        points.append({**at, "objective": "round_trip", "bleu": 2 * bleu * i / 30})
        points.append({**at, "objective": "health", "copied": copied})
    average = {"step": 100, "seconds": 60.0, "language": "average", "split": "valid"}
    return [*points, {**average, "objective": "bleu", "bleu": 99.0}]


def _translator(title, test, copied=0.01):
    curve = [
        point for name, part in test.items()
        for point in _curve(name, part["scores"]["bleu"]["value"], copied)
    ]  # fmt: skip
    figures = {"parameters": 5_000_000, "steps": 3000, "best_step": 2900, "tokens": 1_000_000}
    return {"title": title, **figures, "seconds": 1800.0, "curve": curve, "test": test}


@pytest.fixture
def translated(results):
    arabic = {**_direction(9.5, 0.4, ("English", "Arabic"))}
    arabic["examples"] = [{"source": "A river", "output": "نهر", "reference": "النهر"}]
    results["translators"] = {
        "mlm": _translator("MLM", {"en-fr": _direction(24.0), "en-ar": arabic}),
        "mlm_tlm": _translator("MLM + TLM", {"en-fr": _direction(31.5)}),
    }
    return results


def test_without_translation_nothing_is_shown(results, capsys):
    assert translation_section(results) is None
    assert translation_section({"translators": {"mlm": {}}}) is None
    assert "<h2>Translation</h2>" not in render_report(results)
    print_summary(results)
    assert "BLEU" not in capsys.readouterr().out


def test_table_of_directions_and_models(translated):
    made = translation_table(translated)
    assert [row.label for row in made.rows] == ["English → French", "English → Arabic"]
    assert made.groups == (("MLM", 2), ("MLM + TLM", 2))
    assert made.columns == ("BLEU", "TER", "BLEU", "TER")
    first, second = made.rows
    assert [cell.text for cell in first.cells] == ["24.0", "56.0", "31.5", "48.5"]
    assert [cell.best for cell in first.cells] == [False, False, True, True]
    assert first.cells[0].detail == "22.8–25.3"
    assert [cell.text for cell in second.cells] == ["9.5", "70.5", "–", "–"]


def test_curves_have_a_panel_for_each_direction(translated):
    by_minutes, by_steps, back = translation_charts(translated)
    for chart in (by_minutes, by_steps, back):
        assert [panel.title for panel in chart.panels] == ["English → French", "English → Arabic"]
        assert chart.panels[0].svg.count("<polyline") == 2
    assert "MLM: BLEU 24, minutes 30" in by_minutes.panels[0].svg
    assert "MLM: BLEU 24, steps 3000" in by_steps.panels[0].svg
    assert "MLM: Round-trip BLEU 48, steps" in back.panels[0].svg


def test_copies_are_drawn_where_there_were_many(translated):
    test = translated["translators"]["mlm"]["test"]
    translated["translators"]["mlm"] = _translator("MLM", test, copied=0.4)
    *_, copies = translation_charts(translated)
    assert "Copies, % 40" in copies.panels[0].svg


def test_what_training_took(translated):
    (first, _), heads = training_table(translated).rows, training_table(translated).columns
    cells = dict(zip(heads, (cell.text for cell in first.cells), strict=True))
    assert first.label == "MLM"
    assert cells["Best step"] == "2,900"
    assert cells["Time"] == "30 min 00 s"
    assert cells["Tokens per second"] == "–"


def test_health_and_what_is_wrong(translated):
    made = health_table(translated)
    assert made.rows[1].label == "MLM: English → Arabic"
    assert [cell.text for cell in made.rows[1].cells] == [
        "1,000", "40.0", "8.0", "98.0", "1.04", "0.0", "1.3", "99.0"
    ]  # fmt: skip
    section = translation_section(translated)
    assert len(section.warnings) == 1
    assert section.warnings[0].startswith("MLM: English to Arabic copies: 40.0%")


def test_what_several_directions_have_is_told_once(translated):
    test = translated["translators"]["mlm"]["test"]
    test["ar-en"] = _direction(9.5, 0.5, ("Arabic", "English"))
    (sentence,) = translation_section(translated).warnings
    assert sentence.startswith(
        "MLM: Copies: English to Arabic (40.0% of the outputs are their source); Arabic to English "
        "(50.0% of"
    )
    for part in test.values():  # results of earlier versions have whole sentences
        part["diagnosis"] = [part.pop("findings") and "Something is wrong."]
    assert "MLM: Something is wrong." in translation_section(translated).warnings


def test_a_few_examples_of_each_direction(translated):
    made = translation_examples(translated)
    assert [(one.title, len(one.sentences)) for one in made] == [
        ("MLM: English → French", 3),
        ("MLM: English → Arabic", 1),
        ("MLM + TLM: English → French", 3),
    ]
    assert (made[1].source, made[1].target) == ("en", "ar")


def test_the_page(translated):
    page = render_report(translated)
    assert page.count("<h2>Translation</h2>") == 1
    assert "A dog &amp; 0 cats" in page
    assert "Un chien &lt;0&gt;" in page
    assert 'dir="auto" lang="ar">نهر<' in page
    assert "English to Arabic copies" in page
    assert page.count("BLEU|nrefs:1|bs:1000|seed:12345|case:mixed|version:2.6.0") == 1


def test_every_part_may_be_missing(translated):
    bare = {"test": {"en-fr": {"scores": {"bleu": _score(5.0)}}}}
    translated["translators"] = {"other": bare}
    page = render_report(translated)
    assert "<h2>Translation</h2>" in page
    assert "What the outputs look like" not in page
    alone = translation_section({"translators": {"other": {"test": {"en-fr": {"health": None}}}}})
    assert (alone.table, alone.charts, alone.health) == (None, [], None)


def test_summary_in_the_terminal(translated, capsys):
    print_summary(translated)
    text = capsys.readouterr().out
    assert "MLM + TLM: English → French  BLEU     31.5     30.3–32.8" in text
    assert "MLM: English to Arabic copies" in text


def test_the_head_tells_of_the_best_translator(translated):
    translated["models"] = {}
    head = headline(translated)
    assert head.title == "BLEU 31.5, English \N{RIGHTWARDS ARROW} French"
    assert head.figures[0] == ("31.5", "BLEU, English \N{RIGHTWARDS ARROW} French")
    [sentence] = head.sentences
    assert sentence.startswith("MLM + TLM, the best of two, reaches 31.5 BLEU (")
    assert "30 min 00 s of learning with 5 million parameters" in sentence
    del translated["translators"]["mlm_tlm"]
    head = headline(translated)
    assert head.title == "BLEU 16.8, on average over two directions"
    assert "best of" not in head.sentences[0]
    translated["translators"]["mlm"]["test"]["en-ar"]["scores"] = {}
    assert "BLEU" not in headline(translated).title
