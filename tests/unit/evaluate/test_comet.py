"""COMET through the program of another environment, for which a small one stands in."""

import json
import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from xlmkit.cli.app import app

pytestmark = pytest.mark.unit

SOURCES = ["Where is it?", "The dog sleeps.", "", "A red train."] * 5
REFERENCES = ["Wo ist es?", "Der Hund schläft.", "", "Ein roter Zug."] * 5
GOOD = ["Wo ist es?", "Der\rHund schläft.", "", "Ein Zug."] * 5
BAD = ["Wo?", "Hund", "", "Zug"] * 5

# It takes the options of comet-score 2.2 that xlmkit gives, reads lines as it does, finds the share
# of the reference's words that are written, and leaves the keys of its entries.
PROGRAM = """#!{python}
import argparse, json, sys
parser = argparse.ArgumentParser()
parser.add_argument("-s", "--sources")
parser.add_argument("-t", "--translations", nargs="+")
parser.add_argument("-r", "--references")
parser.add_argument("--model")
parser.add_argument("--quiet", action="store_true")
parser.add_argument("--to_json")
given = parser.parse_args()

def lines(path):
    with open(path, encoding="utf-8") as stream:
        return [line.strip() for line in stream.readlines()]

def share(mt, ref):
    words = ref.split()
    return sum(word in mt.split() for word in words) / len(words) if words else 1.0

sources, references = lines(given.sources), lines(given.references)
found = {{}}
for path in given.translations:
    texts = lines(path)
    assert len(texts) == len(sources) == len(references)
    found[path] = [
        {{"src": src, "mt": mt, "ref": ref, "COMET": share(mt, ref)}}
        for src, mt, ref in zip(sources, texts, references)
    ]
{more}
with open(given.to_json, "w", encoding="utf-8") as stream:
    json.dump(found, stream, ensure_ascii=False, indent=4)
print("Predictions saved in:", given.to_json)
"""


def program(path: Path, more: str = "") -> Path:
    path.write_text(PROGRAM.format(python=sys.executable, more=more), encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def score(tmp_path, monkeypatch):
    """Call `xlmkit score` in a folder with the texts above, COMET on PATH."""
    monkeypatch.chdir(tmp_path)
    texts = {"source.en": SOURCES, "reference.de": REFERENCES, "good.de": GOOD, "bad.de": BAD}
    for name, lines in texts.items():
        (tmp_path / name).write_text("".join(f"{x}\n" for x in lines), "utf-8", newline="\n")
    program(tmp_path / "comet-score")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    files = ["good.de", "reference.de", "-t", "de", "--src-file", "source.en", "-m", "comet"]
    return lambda *words: CliRunner().invoke(app, ["score", *files, *words])


def mean(shares: list[float]) -> float:
    return 100 * sum(shares) / len(shares)


def test_the_mean_over_sentences_with_interval_and_signature(score, tmp_path):
    result = score("-m", "chrf", "--json", "out.json")
    assert result.exit_code == 0, result.output
    assert "Measuring COMET with Unbabel/wmt22-comet-da" in result.stderr
    found = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert list(found["scores"]) == ["chrf", "comet"]
    assert "health" not in found  # which is looked at where --src names the language
    made = found["scores"]["comet"]
    assert made["value"] == pytest.approx(mean([1, 1, 1, 2 / 3]))
    assert made["low"] < made["value"] < made["high"]
    assert made["n"] == len(SOURCES)
    assert made["signature"].startswith("COMET|model:Unbabel/wmt22-comet-da|nrefs:1|n:20|boot")
    assert next(line for line in result.stdout.splitlines() if line.startswith("COMET"))


def test_two_systems_are_compared_in_pairs(score, tmp_path):
    words = ["--against", "bad.de", "--src", "en", "--comet-model", "other", "--json", "out.json"]
    result = score(*words)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "out.json").read_text("utf-8"))
    made = found["against"]["comet"]
    assert made["value"] == found["scores"]["comet"]["value"]
    assert made["other"] == pytest.approx(mean([0, 1 / 3, 1, 0]))  # "Zug" is not "Zug."
    assert 0 < made["low"] < made["difference"] < made["high"]
    assert made["p_value"] < 0.05
    assert made["signature"].startswith("COMET|test:paired|model:other|")
    assert "health" in found


def test_the_program_may_be_named(score, tmp_path):
    (tmp_path / "comet-score").unlink()
    result = score()
    assert result.exit_code == 1
    assert "There is no program comet-score" in result.stderr
    assert "pipx install unbabel-comet" in result.stderr
    (tmp_path / "other").mkdir()
    there = program(tmp_path / "other" / "scorer")
    assert score("--comet-command", str(there)).exit_code == 0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("sys.exit('loading\\nOSError: no model of that name\\n')", "failed: OSError: no model"),
        ("sys.exit(3)", "comet-score failed: exit code 3"),
        ("found = {path: rows[1:] for path, rows in found.items()}", "19 scores for 20 sentences"),
        ("found = {}", "wrote no score for each sentence"),
        ("found = list(found.values())[0]", "wrote no score for each sentence"),
        ("for row in found[path]: del row['COMET']", "wrote no score for each sentence"),
        ("for row in found[path]: row['COMET'] = float('nan')", "wrote no score for each"),
        ("given.to_json = '/dev/null'", "wrote no score for each sentence"),
    ],
)
def test_what_fails_is_one_sentence(score, tmp_path, more, message):
    program(tmp_path / "comet-score", more)
    result = score()
    assert result.exit_code == 1, result.output
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_that_is_no_program_is_one_sentence(score, tmp_path):
    (tmp_path / "comet-score").write_bytes(b"\x7fELF no such thing")
    result = score()
    assert result.exit_code == 1
    assert "comet-score cannot be run: " in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["good.de", "reference.de"], "COMET reads what was translated, too: name it with --src-f"),
        (["good.de", "reference.de", "good.de", "--src-file", "source.en"], "with one reference"),
        (["good.de", "reference.de", "--src-file", "none"], "There is no file none"),
    ],
)
def test_what_comet_needs_is_told_before_it_is_called(score, tmp_path, words, message):
    program(tmp_path / "comet-score", "sys.exit('it was called')")
    result = CliRunner().invoke(app, ["score", *words, "-t", "de", "-m", "comet"])
    assert result.exit_code == 1
    assert message in result.stderr
