"""A translator may have steps and dropout of its own."""

import json
from pathlib import Path

import pytest

from xlmkit.build.translation_texts import check_translations
from xlmkit.core.config import load_config
from xlmkit.core.errors import UserError
from xlmkit.core.process import Processes
from xlmkit.plan import RunPlan
from xlmkit.recipe import Recipe
from xlmkit.run import run

SECTION = """\
translation:
  steps: 4
  tokens_per_batch: 128
  validate_every: 2
  max_valid: 2
  beam_size: 0
  models:
    all: {mt: {directions: [en-zh], length: 32}}
    own:
      steps: 2
      dropout: 0.3
      attention_dropout: 0.2
      mt: {directions: [en-zh], length: 32}
"""


@pytest.fixture
def recipe(project: Path) -> Path:
    path = project / "recipe.yaml"
    text = path.read_text("utf-8").partition("pretrain:")[0]
    path.write_text(f"{text}{SECTION}", encoding="utf-8")
    return path


def plan(recipe: Path, *overrides: str) -> RunPlan:
    made = load_config(recipe, Recipe, overrides)
    return RunPlan(made, recipe.parent, recipe.parent / "out", Processes())


def test_it_is_made_with_them(recipe: Path) -> None:
    shares = ["data.split.valid=0.05", "data.split.test=0.05"]
    run(recipe, shares, recipe.parent / "out", False)
    made = json.loads((recipe.parent / "out" / "results.json").read_text("utf-8"))["translators"]
    assert {name: one["steps"] for name, one in made.items()} == {"all": 4, "own": 2}
    place = recipe.parent / "out" / "translation" / "own" / "config.json"
    config = json.loads(place.read_text("utf-8"))
    assert (config["dropout"], config["attention_dropout"]) == (0.3, 0.2)


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("translation.steps=5", ["all"]),
        ("translation.models.own.steps=3", ["own"]),
        ("translation.models.own.attention_dropout=0.3", ["own"]),
    ],
)
def test_a_stage_depends_on_the_steps_that_it_makes(
    recipe: Path, override: str, changed: list[str]
) -> None:
    before, after = plan(recipe), plan(recipe, override)
    names = before.translators()
    assert [n for n in names if before.translated(n).key != after.translated(n).key] == changed


def test_a_stage_that_names_none_is_what_it_was_before_there_were_any(recipe: Path) -> None:
    inputs = plan(recipe).translated("all").inputs
    assert not {"steps", "attention_dropout"} & inputs["translator"].keys()
    assert inputs["training"]["steps"] == 4


@pytest.mark.parametrize(
    ("key", "source", "message"),
    [
        ("test", "{kind: text, path: more.en, language: en}", "more.en has no translations"),
        ("valid", "{kind: parallel, paths: {en: more.en, de: more.de}}", "has no translations"),
    ],
)
def test_texts_to_judge_by_are_translations_of_its_languages(
    recipe: Path, key: str, source: str, message: str
) -> None:
    for code in ("en", "de"):
        (recipe.parent / f"more.{code}").write_text("a\n", encoding="utf-8")
    with pytest.raises(UserError, match=rf"translation\.{key}: .*{message}"):
        check_translations(plan(recipe, f"translation.{key}=[{source}]"))


def test_a_run_looks_at_them_before_it_trains(recipe: Path) -> None:
    (recipe.parent / "more.en").write_text("a\n", encoding="utf-8")
    named = "translation.test=[{kind: text, path: more.en, language: en}]"
    shares = ["data.split.valid=0.05", "data.split.test=0.05"]
    with pytest.raises(UserError, match="has no translations between two of the recipe's"):
        run(recipe, [*shares, named], recipe.parent / "out", False)
    assert not (recipe.parent / "out" / "translation").exists()


def test_translations_between_languages_that_nobody_learns_are_told(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "The dog\tالكلب\t狗\nA cat\tقطة\t猫\n"
    (recipe.parent / "more.tsv").write_text(rows, encoding="utf-8")
    shares = ["data.split.valid=0.05", "data.split.test=0.05"]
    named = "translation.test=[{kind: tsv, path: more.tsv, columns: {en: 0, ar: 1, zh: 2}}]"
    run(recipe, [*shares, named], recipe.parent / "out", False)
    told = "translation.test: the translations of more.tsv between ar-en and ar-zh are not used"
    assert capsys.readouterr().err.count(told) == 1
    tested = json.loads((recipe.parent / "out" / "results.json").read_text("utf-8"))["translators"]
    assert all(list(one["test"]) == ["en-zh"] for one in tested.values())


@pytest.mark.parametrize(
    ("points", "learns"),
    [
        ("[[0, 0], [2, 0], [9, 1]]", False),
        ("[[0, 0], [9, 1]]", True),
        ("[[0, 1], [1, 0]]", True),
        ("[[2, 1], [3, 0]]", True),
        ("[[0, 0], [1, 0.5], [2, 0]]", True),
    ],
)
def test_something_is_learned_within_its_own_steps(recipe: Path, points: str, learns: bool) -> None:
    override = f"translation.models.own.coefficients={{mt: {points}}}"
    if learns:
        plan(recipe, override)
        return
    with pytest.raises(UserError, match="are 0 for all that it learns in its 2 steps"):
        plan(recipe, override)
    plan(recipe, override, "translation.models.own.steps=4")


def test_what_is_too_long_is_told_once(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shares = ["data.split.valid=0", "data.split.test=0.05"]
    one = "translation.models={all: {mt: {directions: [en-zh], length: 16}}}"
    run(recipe, [*shares, one], recipe.parent / "out", False)
    told = "translations with a sentence of more than 16 tokens are not learned"
    assert capsys.readouterr().err.count(told) == 1


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("mt.directions=[enzh]", "cannot be 'enzh'; write it as en-fr"),
        ("coefficients={foo: [[0, 1]]}", "has no key 'foo' .valid: mt, summary, ae, bt, mlm"),
        ("coefficients={mt: 0.5}", r"coefficients.mt: write it as \[\[0, 1\], \[1000, 0.1"),
        ("coefficients={mt: '0:1,5:0.1'}", r"coefficients.mt: write it as \[\[0, 1\], "),
        ("coefficients={mt: [0, 1]}", r"coefficients.mt: write it as \[\[0, 1\], "),
    ],
)
def test_what_is_written_in_another_form_is_told_the_right_one(
    recipe: Path, override: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        plan(recipe, f"translation.models.own.{override}")


def test_a_source_that_gave_nothing_is_told_with_its_key(recipe: Path) -> None:
    none = ("data.split.test=0.05", "translation.models.own.mt.sources=[nope]")
    with pytest.raises(UserError, match=r"^translation\.models\.own\.mt\.sources: No text to"):
        run(recipe, none, recipe.parent / "out", False)
