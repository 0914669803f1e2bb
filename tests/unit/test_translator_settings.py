"""A translator may have steps and dropout of its own."""

import json
from pathlib import Path

import pytest

from xlmkit.core.config import load_config
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
