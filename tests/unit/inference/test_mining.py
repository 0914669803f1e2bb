"""`xlmkit mine`: sentences of two files, names, gold pairs."""

import json
from collections.abc import Callable
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from xlmkit.cli.app import app
from xlmkit.inference import mining

SENTENCES = [" ".join(letters) for letters in product("abc", repeat=4)]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The same sentences, which are their own translations, in opposite orders, with gold pairs."""
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"
    one.write_text("\n".join([*SENTENCES, "", SENTENCES[0]]) + "\n", encoding="utf-8")
    other.write_text("\n".join(SENTENCES[::-1]) + "\n", encoding="utf-8")
    pairs = [f"{i}\t{len(SENTENCES) - i + 1}\n" for i in range(1, len(SENTENCES) + 1)]
    (tmp_path / "gold.tsv").write_text("".join([*pairs, "999\t1\n"]), encoding="utf-8")
    return one, other


def call(*arguments: Any) -> Any:
    return CliRunner().invoke(app, ["mine", *map(str, arguments)])


def test_pairs_have_margins_names_and_sentences(
    language_model: Path, files: tuple[Path, Path], tmp_path: Path
) -> None:
    target, numbers = tmp_path / "pairs.tsv", tmp_path / "numbers.json"
    options = ["--src", "en", "--tgt", "en", "--layer", 0, "--gold", tmp_path / "gold.tsv"]
    made = call(language_model, *files, *options, "-o", target, "--json", numbers)
    assert made.exit_code == 0, made.output
    rows = [line.split("\t") for line in target.read_text("utf-8").splitlines()]
    assert [float(row[0]) for row in rows] == sorted((float(row[0]) for row in rows), reverse=True)
    by_text = {(row[3], row[4]): (row[1], row[2]) for row in rows}
    same = [names for (first, second), names in by_text.items() if first == second]
    assert len(same) > len(SENTENCES) / 2
    assert all(int(i) + int(j) == len(SENTENCES) + 1 for i, j in same)
    measured = json.loads(numbers.read_text("utf-8"))
    assert measured["f1"] > 0.5
    assert 0 < measured["gold"] < len(SENTENCES)
    assert "1 line left out" in made.output
    assert "sentences per second" in made.output


def test_ids_stand_before_a_tab_and_a_threshold_cuts(language_model: Path, tmp_path: Path) -> None:
    for name in ("x", "y"):
        rows = [f"{name}-{i}\t{text}" for i, text in enumerate(SENTENCES[:9])]
        (tmp_path / name).write_text("\n".join(rows), encoding="utf-8")
    target = tmp_path / "out"
    options = ["--src", "en", "--tgt", "fr", "--ids", "-o", target]
    assert call(language_model, tmp_path / "x", tmp_path / "y", *options).exit_code == 0
    first = target.read_text("utf-8").splitlines()
    assert all(row.split("\t")[1].startswith("x-") for row in first)
    margin = float(first[2].split("\t")[0])
    again = call(
        language_model, tmp_path / "x", tmp_path / "y", *options, "--threshold", margin + 1e-3
    )
    assert again.exit_code == 0
    assert len(target.read_text("utf-8").splitlines()) < len(first)


def test_a_stride_reads_the_ends_of_long_sentences(language_model: Path, tmp_path: Path) -> None:
    """All sentences begin alike; without windows the model sees no more of them than that."""
    long = "\n".join(" ".join(["a b c d"] * 40 + [text] * 30) for text in SENTENCES[:9])
    for name in ("x", "y"):
        (tmp_path / name).write_text(long, encoding="utf-8")
    target, options = tmp_path / "out", ["--src", "en", "--tgt", "en", "--layer", 0]
    found = {}
    for windows in ([], ["--stride", 4]):
        made = call(
            language_model, tmp_path / "x", tmp_path / "y", *options, *windows, "-o", target
        )
        assert made.exit_code == 0, made.output
        rows = [line.split("\t") for line in target.read_text("utf-8").splitlines()]
        found[bool(windows)] = sum(row[1] == row[2] for row in rows)
        assert ("lose their ends" in made.output) is not bool(windows)
    assert found[True] == 9 > found[False]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tgt", "de"], "does not know the language 'de'"),
        (["--tgt", "en", "--ids"], "has no id and a tab"),
        (["--tgt", "en", "--gold", "nothing.tsv"], "names no pair"),
        (["--tgt", "en", "--gold", "gold.tsv", "--tuning", "1"], "0 to measure"),
    ],
)
def test_mistakes_are_told(
    language_model: Path, files: tuple[Path, Path], tmp_path: Path, options: list[str], message: str
) -> None:
    (tmp_path / "nothing.tsv").write_text("x\ty\n", encoding="utf-8")
    paths = [str(tmp_path / one) if one.endswith(".tsv") else one for one in options]
    made = call(language_model, *files, "--src", "en", *paths)
    assert made.exit_code == 1
    assert message in " ".join(made.output.split())


def test_a_threshold_that_is_given_measures_all_gold_pairs(
    language_model: Path, files: tuple[Path, Path], tmp_path: Path
) -> None:
    numbers = tmp_path / "numbers.json"
    options = ["--src", "en", "--tgt", "en", "--threshold", 0.5, "--json", numbers]
    made = call(language_model, *files, *options, "--gold", tmp_path / "gold.tsv")
    assert made.exit_code == 0, made.output
    measured = json.loads(numbers.read_text("utf-8"))
    assert measured["gold"] == len(SENTENCES)
    interval = measured["f1_interval"]
    assert interval["value"] == pytest.approx(measured["f1"])
    assert interval["low"] <= interval["value"] <= interval["high"]
    assert measured["threshold"] == 0.5


@pytest.mark.parametrize("family", ["bert", "mbart"])
def test_a_model_of_another_family_mines_too(
    make_encoder: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    family: str,
) -> None:
    pytest.importorskip("transformers")
    monkeypatch.setattr(mining, "_CHUNK", 8)
    model = make_encoder(family, tmp_path / "model")
    words = ["old", "dog", "small", "cat", "river", "horse"]
    texts = [f"The {a} sees the {b} near the {c}" for a, b, c in combinations(words, 3)]
    long = "the small cat follows the old dog " * 20
    (tmp_path / "x").write_text("\n".join([*texts, long]), encoding="utf-8")
    (tmp_path / "y").write_text("\n".join([*texts[::-1], long, f"{long}."]), encoding="utf-8")
    target = tmp_path / "out"
    options = ["--src", "en", "--tgt", "en", "--layer", 1, "-o", target]
    made = call(model, tmp_path / "x", tmp_path / "y", *options)
    assert made.exit_code == 0, made.output
    rows = [line.split("\t") for line in target.read_text("utf-8").splitlines()]
    assert sum(row[3] == row[4] for row in rows) > 0.9 * len(texts)
    said = " ".join(made.output.split())
    for cut in ("1 of 21", "2 of 22"):
        assert said.count(f"{cut} sentences in en are longer than 64 tokens") == 1
    assert "--stride reads them in windows" in said
    made = call(model, tmp_path / "x", tmp_path / "y", *options, "--stride", 8)
    assert "lose their ends" not in made.output
    for wrong, message in ((["--pooling", "first"], "leave out"), (["--layer", 9], "but not 9")):
        made = call(model, tmp_path / "x", tmp_path / "y", *options, *wrong)
        assert made.exit_code == 1
        assert message in " ".join(made.output.split())
