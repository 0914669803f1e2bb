"""Summaries in a run: from a recipe to a folder that summarises, and what is said of mistakes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from xlmkit.cli.app import app
from xlmkit.core.config import load_config
from xlmkit.core.errors import UserError
from xlmkit.core.process import Processes
from xlmkit.evaluate.outcomes import load_outcomes
from xlmkit.generate.summarizer import Summarizer
from xlmkit.plan import RunPlan
from xlmkit.recipe import Recipe
from xlmkit.run import run

SECTION = """\
pretrain: {models: null}
translation:
  steps: 12
  tokens_per_batch: 256
  optimizer: {lr: 5.0e-3, warmup: 3}
  validate_every: 6
  max_valid: 5
  beam_size: 2
  criterion: rouge
  models:
    topics:
      mt: {directions: [en-zh], length: 32}
      summary:
        train: [{kind: tsv, path: train.tsv, text: 0, second: 2, language_column: 1}]
        valid: [{kind: tsv, path: test.tsv, text: 0, second: 2, language_column: 1}]
        test: [{kind: tsv, path: test.tsv, text: 0, second: 2, language_column: 1}]
        length: 24
        summary_length: 8
"""


def add_summaries(folder: Path) -> Path:
    recipe = folder / "recipe.yaml"
    text = recipe.read_text("utf-8").partition("pretrain:")[0]
    recipe.write_text(f"{text}{SECTION}", encoding="utf-8")
    return recipe


@pytest.fixture(scope="module")
def trained(_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("summaries") / "project"
    shutil.copytree(_project, folder)
    run(add_summaries(folder), [], folder / "out", False)
    return folder


def results(folder: Path) -> Any:
    return json.loads((folder / "out" / "results.json").read_text("utf-8"))


def test_a_run_measures_summaries_in_every_language(trained: Path) -> None:
    made = results(trained)["translators"]["topics"]
    assert list(made["test"]) == ["en-zh", "en-en", "zh-zh", "ar-ar"]
    assert set(made["test"]["en-zh"]["scores"]) == {"bleu", "chrf", "ter", "original"}
    for code in ("en", "zh", "ar"):  # of two there were none to learn from
        part = made["test"][f"{code}-{code}"]
        assert list(part["scores"]) == ["rouge1", "rouge2", "rougeL"]
        score = part["scores"]["rougeL"]
        assert score["low"] <= score["value"] <= score["high"]
        assert {example["reference"] for example in part["examples"]} <= {"animal", "machine"}
    points = {(p["objective"], p["language"], p["split"]) for p in made["curve"]}
    assert {("summary", None, "train"), ("summary", "average", "valid")} <= points
    kept = load_outcomes(trained / "out/evaluate/topics@translator/outcomes/summaries.npz")
    assert list(kept) == ["en-en", "zh-zh", "ar-ar"]
    for direction, one in kept.items():
        value = made["test"][direction]["scores"]["rouge1"]["value"]
        assert 100 * one.columns["rouge1"].mean() == pytest.approx(value, abs=1e-3)
    translated = load_outcomes(trained / "out/evaluate/topics@translator/outcomes/translation.npz")
    assert list(translated) == ["en-zh"]
    assert {("mt", "average", "valid"), ("bleu", "en-zh", "valid")} <= points
    assert {("rouge", "en-en", "valid"), ("rouge", "average", "valid")} <= points
    assert made["best_step"] in (6, 12)
    page = (trained / "out" / "report.html").read_text("utf-8")
    assert "<h2>Translation and summaries</h2>" in page
    assert "Arabic, summarised" in page
    assert "ROUGE-L of summaries of validation texts" in page
    assert ",summaries,ar-ar,rouge2," in (trained / "out" / "results.csv").read_text("utf-8")


def test_its_folder_summarises(trained: Path, tmp_path: Path) -> None:
    folder = trained / "out" / "translation" / "topics"
    summarizer = Summarizer.from_pretrained(folder)
    assert (summarizer.length, summarizer.summary_length) == (24, 8)
    assert summarizer.directions == ("en-en",)
    texts = ["The old dog sees the small cat.", "", "The red train follows the car. " * 9]
    expected = summarizer.summarize(texts, "en")
    call = ["summarize", str(folder), "--language", "en"]
    made = CliRunner().invoke(app, call, input="\n".join(texts) + "\n")
    assert made.exit_code == 0, made.output
    assert made.stdout.split("\n")[:-1] == expected
    parts = [tmp_path / "one", tmp_path / "two"]
    for path, some in zip(parts, (texts[:1], texts[1:]), strict=True):
        path.write_text("\n".join(some), encoding="utf-8")
    assert CliRunner().invoke(app, [*call, *map(str, parts)]).stdout == made.stdout
    made = CliRunner().invoke(app, [*call, "--tgt", "sw"], input="a\n")
    assert made.exit_code == 1
    assert "does not know the language 'sw'" in made.stderr
    for way in (["--tgt", "zh"], ["--language", "zh"]):  # en-zh was learned, but to translate
        made = CliRunner().invoke(app, [*call, *way], input="a\n")
        assert made.exit_code == 1
        assert "has learned to summarise en-en only, and not " in made.stderr


def test_a_stopped_file_goes_on(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, target = trained / "out" / "translation" / "topics", tmp_path / "out"
    lines = [f"The old dog sees the {word} cat." for word in ("red", "small", "quiet")]
    (tmp_path / "texts").write_text("\n".join(lines), encoding="utf-8")
    call = ["summarize", str(folder), str(tmp_path / "texts"), "-l", "en", "-o", str(target)]
    call += ["--beam-size", "0"]

    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Summarizer, "summaries", stopped)
    assert CliRunner().invoke(app, call).exit_code == 130
    monkeypatch.undo()
    (tmp_path / "out.part").write_text("what was there\n", encoding="utf-8")
    made = CliRunner().invoke(app, [*call[:-1], "1", "--resume"])
    assert "begun with another beam_size" in made.stderr
    made = CliRunner().invoke(app, [*call, "--resume"])
    assert made.exit_code == 0, made.output
    assert target.read_text("utf-8").splitlines()[0] == "what was there"
    assert len(target.read_text("utf-8").splitlines()) == 3


def plan(folder: Path, *overrides: str) -> RunPlan:
    recipe = load_config(folder / "recipe.yaml", Recipe, overrides)
    return RunPlan(recipe, folder, folder / "out", Processes())


def test_changed_files_outdate_it_and_nothing_else_is_added_to_the_key(
    trained: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    shutil.copytree(trained, again)
    assert plan(again).translated("topics").finished
    section = plan(again, "translation.models.topics.summary=null", "translation.criterion=bleu")
    assert "summary" not in section.translated("topics").inputs["translator"]
    text = (again / "test.tsv").read_text("utf-8")
    (again / "test.tsv").write_text(text + "A new dog sees it.\ten\tanimal\n", encoding="utf-8")
    assert not plan(again).translated("topics").finished


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["translation.criterion=bleu", "translation.models.topics.mt=null"],
         "criterion is bleu, but translation.models.topics learns to summarise; take rouge"),
        (["translation.models.topics.summary=null"],
         "criterion is rouge, but translation.models.topics has no summary; take bleu"),
        (["translation.models.topics.summary.summary_length=25"], "summary_length is more than"),
        (["translation.models.topics.summary.length=100"], "summary.length .100. is more than"),
        (["translation.models.topics.summary.directions=[en-de]"], "names the language de"),
        (["translation.models.topics.summary.train=[]"], "must have at least 1 item"),
    ],
)  # fmt: skip
def test_mistakes_in_one_sentence(project: Path, overrides: list[str], message: str) -> None:
    add_summaries(project)
    with pytest.raises(UserError, match=message):
        plan(project, *overrides)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("translation.models.topics.summary.train.0.path=gone.tsv", "There is no file"),
        ("translation.models.topics.summary.train=[{kind: tsv, path: train.tsv, text: 0, "
         "language: en}]", "topics.summary: The source 'train.tsv' gave no summaries"),
        ("translation.models.topics.summary.train=[{kind: tsv, path: pairs.tsv, "
         "columns: {en: 0, zh: 1}}]", "gave no summaries"),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_in_one_sentence(project: Path, override: str, message: str) -> None:
    recipe = add_summaries(project)
    (project / "pairs.tsv").write_text("A long text\t短\n", encoding="utf-8")
    with pytest.raises(UserError, match=message):
        run(recipe, [override], project / "out", False)


def test_one_way_cannot_be_both_a_translation_and_a_summary(project: Path) -> None:
    recipe = add_summaries(project)
    (project / "pairs.tsv").write_text("A long text\t短\n", encoding="utf-8")
    files = "[{kind: tsv, path: pairs.tsv, columns: {en: 0, zh: 1}}]"
    place = "translation.models.topics.summary"
    settings = [f"{place}.{part}={files}" for part in ("train", "valid", "test")]
    with pytest.raises(UserError, match="learns to translate en-zh, too"):
        run(recipe, [*settings, f"{place}.directions=[en-zh]"], project / "out", False)
