import copy
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from xlmkit.core.errors import UserError
from xlmkit.evaluate import formats
from xlmkit.evaluate.report import print_summary, render_report, write_report
from xlmkit.evaluate.report_data import pretraining_table, signatures
from xlmkit.evaluate.report_figures import model_legend
from xlmkit.evaluate.report_headline import headline
from xlmkit.evaluate.report_tables import (
    language_model_tables,
    retrieval_table,
    transfer_table,
)
from xlmkit.evaluate.results import language_name

pytestmark = pytest.mark.unit

VOID = {"meta", "circle", "line", "rect", "polyline", "path", "br"}


class Page(HTMLParser):
    """The tags, titles and texts of a page, which must nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.headings, self.texts = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data.strip())
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())


def _cells(table):
    """Return {row label: texts}."""
    return {row.label: [cell.text for cell in row.cells] for row in table.rows}


def test_page_has_every_section(results):
    page = Page(render_report(results))
    assert page.headings == [
        "Learned from English labels alone, right on 68.1% of texts in six other languages",
        "From English to the other languages",
        "Which languages fall how far",
        "What is taken for what",
        "Does it know when it may be wrong?",
        "Finding translations",
        "Translations in the shared space",
        "Pretraining",
        "Predicting words",
        "Right and wrong",
        "The data",
        "The tokenizer",
        "How to get these numbers again",
    ]
    figures = [attrs["class"] for tag, attrs in page.tags if tag == "svg" and "role" in attrs]
    assert sorted(figures) == [
        *["figure bars"] * 2,
        *["figure heat"] * 7,
        *["figure lines"] * (4 + 3),
        *["figure points"] * 2,
        *["figure scatter"] * 3,
    ]


def test_page_is_one_small_file_that_asks_for_nothing(results, tmp_path):
    write_report(results, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert len(text.encode()) < 2_000_000
    page = Page(text)
    assert not {"link", "img", "iframe", "object", "base", "form"} & {tag for tag, _ in page.tags}
    for tag, attrs in page.tags:
        assert not {"src", "srcset", "action", "xlink:href"} & set(attrs), tag
        assert attrs.get("href", "#").startswith("#"), tag
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttp", text)
    assert "default-src 'none'" in text
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_page_stays_small_with_much_to_show(results):
    for model in results["models"].values():
        first = model["retrieval"]["map"][:7]
        model["retrieval"]["map"] = [
            {**point, "group": group, "text": "Ein recht langer Satz. " * 30}
            for group in range(1000)
            for point in first
        ]
        if model["pretraining"]:
            model["pretraining"]["curve"] *= 20
    text = render_report(results)
    assert len(text.encode()) < 2_000_000
    assert text.count('<g class="group">') <= 3 * 60


def test_text_from_outside_is_escaped(results):
    hostile = '<script>alert("x")</script>'
    results["title"] = results["recipe"] = hostile
    results["machine"] = {hostile: hostile}
    results["language_names"] = {**results["language_names"], "fr": hostile}
    results["data"]["sources"][0]["name"] = hostile
    model = results["models"]["mlm_tlm"]
    model["title"] = hostile
    model["tasks"]["application"]["examples"]["fr"][0]["text"] = hostile
    model["tasks"][hostile] = model["tasks"]["application"]
    for point in model["retrieval"]["map"]:
        point["text"] = point["language"] = hostile
    text = render_report(results)
    page = Page(text)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert '<script>alert("x")' not in text
    assert "&lt;script&gt;" in text


def test_examples_carry_their_language_and_direction(results):
    page = Page(render_report(results))
    shown = [attrs for tag, attrs in page.tags if tag == "p" and "lang" in attrs]
    assert {attrs["lang"] for attrs in shown} == set(results["languages"])
    assert all(attrs["dir"] == "auto" for attrs in shown)
    verdicts = [attrs["class"] for tag, attrs in page.tags if tag == "li" and "class" in attrs]
    assert verdicts == ["right", "right", "wrong", "wrong"] * 7


def test_transfer_table_has_scores_gaps_and_the_best_of_each_row(results):
    languages = results["models"]["mlm"]["tasks"]["application"]["languages"]
    languages["ar"]["accuracy"]["value"] = 0.9999
    table = transfer_table(results, "application")
    assert table.groups == (("No pretraining", 3), ("MLM", 3), ("MLM + TLM", 3))
    assert table.rows[0].kind == "source"
    assert table.rows[-1].label == "Average of the others"
    assert _cells(table)["Arabic"][3] == "100.0"
    assert _cells(table)["Arabic"][4] == formats.points(0.9999 - 0.84)
    assert _cells(table)["English (labels)"][4] == formats.MISSING
    best = {row.label: [i for i, cell in enumerate(row.cells) if cell.best] for row in table.rows}
    assert best["Arabic"] == [3, 8]
    assert best["French"] == [6, 8]
    score = languages["fr"]["accuracy"]
    expected = f"{score['low'] * 100:.1f}–{score['high'] * 100:.1f}"
    assert table.rows[1].cells[3].detail == expected


def test_values_that_read_the_same_are_best_together(results):
    for key, value in (("none", 0.5), ("mlm", 0.70001), ("mlm_tlm", 0.70004)):
        scores = results["models"][key]["tasks"]["application"]["languages"]["de"]
        scores["accuracy"]["value"] = value
    row = next(row for row in transfer_table(results, "application").rows if row.label == "German")
    assert [cell.best for cell in row.cells[::3]] == [False, True, True]


def test_retrieval_table_has_both_directions(results):
    table = retrieval_table(results)
    assert table.columns[:2] == ("To English", "From English")
    directions = results["models"]["mlm"]["retrieval"]["directions"]
    row = _cells(table)["Russian"]
    assert row[2] == f"{directions['ru-en']['value'] * 100:.1f}"
    assert row[3] == f"{directions['en-ru']['value'] * 100:.1f}"


def test_lower_perplexity_is_better(results):
    table = language_model_tables(results)["mlm"]
    assert table.columns == ("Perplexity", "Accuracy") * 2
    assert [cell.best for cell in table.rows[0].cells] == [False, False, True, True]


def test_a_grouped_table_falls_into_one_for_each_measure(results):
    table = transfer_table(results, "application")
    parts = dict(table.by_measure())
    assert list(parts) == ["Accuracy", "Gap", "Macro F1"]
    assert parts["Gap"].columns == ("No pretraining", "MLM", "MLM + TLM")
    assert _cells(parts["Gap"])["French"] == _cells(table)["French"][1::3]


def test_headline_says_what_was_learned_and_what_it_is_worth(results):
    head = headline(results)
    text = " ".join(head.sentences).replace("\N{NO-BREAK SPACE}", " ")
    assert "has four classes; the models saw 9,120 labelled examples, all in English." in text
    assert "MLM + TLM, the best of three models, is right on 68.1%" in text
    assert "41.0 points above the same classifier without pretraining (27.1%)" in text
    assert "19.6 points above MLM (48.4%)" in text
    assert "among 1,000 candidates in 66.6% of cases; before pretraining, it is 2.0%." in text
    assert [value for value, _ in head.figures] == ["68.1%", "+41.0", "66.6%", "10 min 45 s"]


def test_headline_does_not_praise_pretraining_that_did_not_help(results):
    task = results["models"]["none"]["tasks"]["application"]
    task["average"]["accuracy"] = 0.95
    head = headline(results)
    assert "No pretraining, the best of three models, is right on 95.0%" in " ".join(head.sentences)
    assert not any("over no pretraining" in what for _, what in head.figures)


def test_a_ready_model_is_a_column_like_any_other(results):
    ready = {"name": "some/model", "version": "0a1b", "model_type": "bert"}
    results["models"]["none"].update(title="mBERT", checkpoint=ready)
    results["models"]["none"]["parameters"] = 178_000_000
    text = " ".join(headline(results).sentences)
    assert "41.0 points above mBERT (27.1%)" in text
    assert "in 66.6% of cases; with mBERT, it is 2.0%." in text
    assert "without pretraining" not in text
    row = pretraining_table(results).rows[0]
    assert (row.label, row.cells[0].text, row.cells[1].text) == (
        "mBERT",
        "ready: some/model",
        "178 million",
    )
    alone = {**results, "models": {"none": results["models"]["none"]}}
    assert pretraining_table(alone) is not None
    page = render_report(alone)
    assert "ready: some/model" in page
    assert "Loss on validation texts" not in page
    assert model_legend(results, ["none"])[0].style.color == "var(--series-0)"


def test_average_is_computed_where_it_is_missing(results):
    before = headline(results)
    for model in results["models"].values():
        del model["tasks"]["application"]["average"]
        del model["retrieval"]["average"]
    assert headline(results) == before


def _without(results, *parts):
    for model in results["models"].values():
        for part in parts:
            model.pop(part, None)
    return results


def test_only_pretraining(results):
    results = _without(results, "tasks", "retrieval")
    page = Page(render_report(results))
    assert page.headings[:3] == [
        "One language model of seven languages",
        "Pretraining",
        "Predicting words",
    ]
    assert "was pretrained with MLM and TLM on 2.7 million tokens in 4 min 30 s" in page.text


def test_no_retrieval(results):
    page = Page(render_report(_without(results, "retrieval")))
    assert "Finding translations" not in page.headings
    assert "Translations in the shared space" not in page.headings
    assert "From English to the other languages" in page.headings


def test_only_retrieval(results):
    results = _without(results, "tasks", "pretraining", "language_modelling")
    page = Page(render_report(results))
    assert page.headings[0] == "66.6% of translations found among 1,000 candidates"


def test_one_model(results):
    results["models"] = {"mlm": results["models"]["mlm"]}
    page = Page(render_report(results))
    assert "best of" not in page.text
    assert not any("best" in (attrs.get("class") or "").split() for _, attrs in page.tags)


def test_two_tasks_of_any_name(results):
    for model in results["models"].values():
        model["tasks"]["sentiment of reviews"] = copy.deepcopy(model["tasks"]["application"])
    page = Page(render_report(results))
    assert page.headings.count("From English to the other languages") == 2
    assert page.headings.count("sentiment of reviews") == 0
    assert "sentiment of reviews" in page.text


def test_a_model_without_a_language_that_another_has(results):
    del results["models"]["none"]["tasks"]["application"]["languages"]["zh"]
    del results["models"]["none"]["retrieval"]["directions"]["zh-en"]
    assert _cells(transfer_table(results, "application"))["Chinese"][0] == formats.MISSING
    assert _cells(retrieval_table(results))["Chinese"][0] == formats.MISSING
    Page(render_report(results))


def test_a_score_without_a_value(results):
    scores = results["models"]["mlm"]["language_modelling"]["mlm"]["fr"]
    scores["perplexity"] |= {"value": None, "low": None, "high": None}
    assert _cells(language_model_tables(results)["mlm"])["French"][0] == formats.MISSING
    Page(render_report(results))


@pytest.mark.parametrize("results", [{"name": "empty"}, {"name": "empty", "models": {}}])
def test_nothing_measured(results):
    assert Page(render_report(results)).headings == ["empty"]


def test_steps_stand_in_for_missing_times(results):
    for point in results["models"]["mlm"]["pretraining"]["curve"]:
        del point["seconds"]
    page = render_report(results)
    assert ">steps</text>" in page
    assert ">minutes</text>" not in page


def test_pairs_are_named_by_their_languages():
    results = {
        "languages": ["en", "pt-br"],
        "language_names": {"en": "English", "pt-br": "Brazilian"},
    }
    assert language_name(results, "en-pt-br") == "English–Brazilian"
    assert language_name(results, "pt-br") == "Brazilian"
    assert language_name(results, "sw") == "sw"


def test_signatures_that_differ_in_size_alone_are_one(results):
    found = signatures(results)
    assert "accuracy|n:820–1000|bootstrap:1000|seed:1|v:0.1.0" in found
    assert len(found) == len(set(found)) == 6


def test_summary_in_the_terminal(results, capsys):
    print_summary(results)
    lines = capsys.readouterr().out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Accuracy on application"))
    table = lines[start + 1 : start + 10]
    assert table[0].split() == (
        ["Language", "No", "pretraining", "Gap", "MLM", "Gap", "MLM", "+", "TLM", "Gap"]
    )
    assert [line.split()[0] for line in table[1:]] == [
        *("English", "French", "German", "Spanish", "Russian", "Arabic", "Chinese", "Average")
    ]
    assert all(line.count("*") == 1 for line in table[1:]), "the last model is the best everywhere"
    gaps = [row.cells[-2].text for row in transfer_table(results, "application").rows]
    assert [line.split()[-1] for line in table[1:]] == ["-", *gaps[1:]]
    assert len({line.index("*") for line in table[1:]}) == 1
    assert any(line.startswith("Translations found first") for line in lines)
    assert any(line.startswith("Perplexity with MLM") for line in lines)


def test_tables_of_sets_name_what_they_show_of_each_model(results, capsys):
    for model in results["models"].values():
        model["retrieval"]["margin"] = dict(model["retrieval"])
    print_summary(results)
    assert "Finding translations, by margin, in %: To English\n" in capsys.readouterr().out


def test_summary_of_nothing_prints_nothing(capsys):
    print_summary({"name": "empty"})
    assert capsys.readouterr().out == ""


def test_a_place_that_cannot_be_written_is_named(results, tmp_path):
    with pytest.raises(UserError, match="Cannot write"):
        write_report(results, tmp_path)


def test_metrics_and_report_start_without_torch():
    code = (
        "import sys, xlmkit.evaluate.metrics, xlmkit.evaluate.report as r; r.render_report({});"
        "print(sorted({'torch', 'transformers', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"
