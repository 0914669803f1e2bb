"""Adaptation with several seeds, from the recipe on."""

from pathlib import Path
from statistics import stdev

import pytest

from xlmkit.core.config import load_config
from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json
from xlmkit.evaluate.comparing import compare
from xlmkit.evaluate.contenders import read_contenders
from xlmkit.recipe import Recipe
from xlmkit.run import run


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def test_each_seed_is_a_stage_and_all_are_measured(finished: Path) -> None:
    out = finished / "out"
    stages = out / "finetune" / "both"
    before = weights(stages / "kind"), (stages / "kind" / "stage.json").stat().st_mtime_ns
    first = read_json(out / "results.json")["models"]["both"]["tasks"]["kind"]
    run(finished / "recipe.yaml", ["finetune.kind.seeds=[1, 9]"], out, False)
    after = weights(stages / "kind"), (stages / "kind" / "stage.json").stat().st_mtime_ns
    assert after == before
    assert weights(stages / "kind@9") != before[0]
    assert read_json(stages / "kind@9" / "xlmkit.json")["seed"] == 9
    task = read_json(out / "results.json")["models"]["both"]["tasks"]["kind"]
    assert task["languages"] == first["languages"]
    over = task["seeds"]
    assert over["seeds"] == [1, 9]
    for code, part in task["languages"].items():
        found = over["languages"][code]["accuracy"]
        assert found["values"][0] == part["accuracy"]["value"]
        assert found["deviation"] == stdev(found["values"])
    assert over["average"]["accuracy"]["values"][0] == task["average"]["accuracy"]
    values = [part["accuracy"]["values"] for part in over["languages"].values()]
    assert any(a != b for a, b in values)
    notes = compare(read_contenders([out])).notes
    assert any(note.startswith("MLM + TLM was adapted to kind with 2 seeds") for note in notes)


def test_a_number_of_seeds_counts_from_the_recipes_own(project: Path) -> None:
    recipe = load_config(project / "recipe.yaml", Recipe, ["seed=4", "finetune.kind.seeds=3"])
    assert recipe.finetune["kind"].seeds_from(recipe.seed) == (4, 5, 6)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[2, 2]", "a seed is listed twice"),
        ("0", "from 1, or a list of seeds from 0"),
        ("[]", "from 1, or a list"),
        ("[-1]", "from 1, or a list"),
        ("many", "finetune.kind.seeds must be a whole number"),
    ],
)
def test_seeds_that_make_no_sense_are_refused(project: Path, value: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_config(project / "recipe.yaml", Recipe, [f"finetune.kind.seeds={value}"])
