import json

import pytest
from typer.testing import CliRunner

from xlmkit.cli.app import app

pytestmark = pytest.mark.unit

NAMES = ["Ann", "Ben", "Carl", "Dora", "Emil", "Fred", "Gina", "Hans", "Ida", "Jan"]
ENGLISH = [
    line.format(name)
    for name in NAMES
    for line in ("The old {} sleeps.", "My {} reads a book.", "Where is the river, {}?")
]
GERMAN = [
    line.format(name)
    for name in NAMES
    for line in ("Der alte {} schläft.", "Meine {} liest ein Buch.", "Wo ist der Fluss, {}?")
]
GOOD = [line.replace("ein Buch", "das Buch") for line in GERMAN]
BAD = [" ".join(reversed(line.split())) for line in GERMAN]


@pytest.fixture
def score(tmp_path, monkeypatch):
    """Call `xlmkit score` in a folder with the texts above."""
    monkeypatch.chdir(tmp_path)
    texts = {"source.en": ENGLISH, "reference.de": GERMAN, "good.de": GOOD, "bad.de": BAD}
    for name, lines in texts.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return lambda *words: CliRunner().invoke(app, ["score", *words])


def test_the_usual_metrics_with_signatures_and_intervals(score):
    result = score("good.de", "reference.de", "--tgt", "de")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == "good.de in German, 30 sentences"
    assert [line.split()[0] for line in lines[2:5]] == ["BLEU", "chrF2", "TER"]
    assert "nrefs:1|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp" in lines[2]
    assert "\N{EN DASH}" in lines[2]


def test_chosen_metrics_as_json(score, tmp_path):
    words = ["-m", "original", "-m", "rouge", "--lowercase", "--json", "out.json"]
    result = score("good.de", "reference.de", "good.de", "-t", "de", *words)
    assert result.exit_code == 0, result.output
    scores = json.loads((tmp_path / "out.json").read_text("utf-8"))["scores"]
    assert list(scores) == ["original", "rouge1", "rouge2", "rougeL", "rougeLsum"]
    assert {round(one["value"], 6) for one in scores.values()} == {100}
    assert "nrefs:2" in scores["original"]["signature"]
    assert "case:lc" in scores["original"]["signature"]


def test_two_systems_are_compared_in_pairs(score, tmp_path):
    result = score("good.de", "reference.de", "-t", "de", "--against", "bad.de", "--json", "o.json")
    assert result.exit_code == 0, result.output
    assert "good.de against bad.de" in result.output
    bleu = json.loads((tmp_path / "o.json").read_text("utf-8"))["against"]["bleu"]
    assert bleu["difference"] == pytest.approx(bleu["value"] - bleu["other"])
    assert bleu["difference"] > 20
    assert bleu["p_value"] < 0.05
    row = next(x for x in result.output.partition("against")[2].splitlines() if "BLEU" in x)
    assert row.split()[-1] == "yes"


def test_systems_that_write_the_same_do_not_differ(score, tmp_path):
    (tmp_path / "same.de").write_bytes((tmp_path / "good.de").read_bytes())
    names = ["-m", "bleu", "-m", "ter", "-m", "rouge"]
    words = [*names, "-t", "de", "--against", "same.de", "--json", "o.json"]
    result = score("good.de", "reference.de", *words)
    assert result.exit_code == 0, result.output
    for made in json.loads((tmp_path / "o.json").read_text("utf-8"))["against"].values():
        assert (made["difference"], made["p_value"]) == (0, 1)
    rows = result.output.partition("against")[2].splitlines()
    assert next(row for row in rows if "BLEU" in row).split()[-1] == "no"


def test_rouge_is_compared_in_pairs_too(score, tmp_path):
    words = ["-t", "de", "-m", "rouge", "-m", "bleu", "--against", "bad.de", "--json", "o.json"]
    result = score("good.de", "reference.de", *words)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "o.json").read_text("utf-8"))
    names = ["bleu", "rouge1", "rouge2", "rougeL", "rougeLsum"]
    assert list(found["against"]) == list(found["scores"]) == names
    for name in names[1:]:
        assert found["against"][name]["value"] == found["scores"][name]["value"]
    assert "test:paired" in found["against"]["rougeL"]["signature"]
    one, longest = found["against"]["rouge1"], found["against"]["rougeL"]
    assert one["low"] <= one["difference"] <= one["high"] < 0  # the same words, but for a third
    assert longest["low"] > 30  # of which those of the other system stand in another order
    assert longest["p_value"] < 0.05
    compared = result.output.partition("against")[2].splitlines()
    assert sum(line.startswith("ROUGE-") for line in compared) == 4


def test_with_the_source_copies_are_noticed(score, tmp_path):
    words = ["-t", "de", "-m", "bleu", "--src-file", "source.en", "--src", "en", "--json", "o.json"]
    result = score("source.en", "reference.de", *words)
    assert result.exit_code == 0, result.output
    assert "English to German copies: 100.0% of the outputs are their source." in result.output
    found = json.loads((tmp_path / "o.json").read_text("utf-8"))
    assert found["health"]["copied"] == 1
    assert len(found["diagnosis"]) == 1
    assert found["health"]["in_language"] < 0.1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["good.de", "none.de", "-t", "de"], "There is no file none.de."),
        (["good.de", "reference.de", "-t", "xx"], "no language with the code 'xx'"),
        (["good.de", "reference.de", "-t", "de", "-m", "blue"], "no metric 'blue'"),
        (["good.de", "reference.de", "-t", "de", "--src-file", "source.en"], "needs --src"),
        (["good.de", "reference.de", "-t", "de", "--tokenizer", "x"], "no tokenizer 'x'"),
    ],
)
def test_mistakes_are_one_sentence(score, words, message):
    result = score(*words)
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("place", ["hypothesis", "against", "source"])
def test_line_counts_must_match(score, tmp_path, place):
    (tmp_path / "short.de").write_text("Wo?\n" * 3, encoding="utf-8")
    words = ["-t", "de"]
    words += ["--against", "short.de"] if place == "against" else []
    words += ["--src", "en", "--src-file", "short.de"] if place == "source" else []
    hypothesis = "short.de" if place == "hypothesis" else "good.de"
    result = score(hypothesis, "reference.de", *words)
    assert result.exit_code == 1
    assert "short.de has 3 lines but reference.de has 30; give the same" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--json", "."], ". is a folder; give --json the name of a file"),
        (["--json", "good.de/out"], "good.de is a file and no folder; give --json another place"),
        (["--src", "en"], "--src is the language of --src-file; name that file too"),
    ],
)
def test_options_are_looked_at_before_anything_is_measured(score, monkeypatch, words, message):
    monkeypatch.delattr("xlmkit.evaluate.score_files._lines")
    result = score("good.de", "reference.de", "--tgt", "de", *words)
    assert result.exit_code == 1
    assert message in result.stderr
