"""Measuring: what each adapted model answers is a stage, which is not asked for twice."""

from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from xlmkit.build import measuring
from xlmkit.core.files import read_json
from xlmkit.run import evaluate, finetune, report

SEEDS = "finetune.kind.seeds=[1, 9]"


class KilledError(Exception):
    pass


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What models are asked, in order; after `killed` the third is stopped."""
    of_task, made = measuring._asked, list[str]()

    def ask(setting: Any, backbone: Any, name: str, task: str, seed: int) -> dict[str, Any]:
        if made[:1] == ["killed"] and len(made) == 3:
            raise KilledError
        made.append(f"{name} {task} {seed}")
        return of_task(setting, backbone, name, task, seed)

    monkeypatch.setattr(measuring, "_asked", ask)
    return made


def tasks(out: Path) -> Any:
    """Return what was measured, without how long it took."""
    found = read_json(out / "evaluate" / "both" / "figures.json")["tasks"]
    for task in found.values():
        for key in [key for key in task if "second" in key]:
            del task[key]
    return found


def test_stopped_while_measuring_it_goes_on(finished: Path, asked: list[str]) -> None:
    recipe, out = finished / "recipe.yaml", finished / "out"
    finetune(recipe, [SEEDS], out, False)
    evaluate(recipe, [SEEDS], out, False)
    assert asked == ["none kind 9", "both kind 9"]  # those of seed 1 were there
    expected = tasks(out)
    outcomes = (out / "evaluate" / "both" / "outcomes" / "kind.npz").read_bytes()
    rmtree(out / "evaluate")
    asked[:] = ["killed"]
    with pytest.raises(KilledError):
        evaluate(recipe, [SEEDS], out, False)
    assert asked == ["killed", "none kind 1", "none kind 9"]
    asked.clear()
    evaluate(recipe, [SEEDS], out, False)
    assert asked == ["both kind 1", "both kind 9"]
    assert tasks(out) == expected
    assert (out / "evaluate" / "both" / "outcomes" / "kind.npz").read_bytes() == outcomes
    report(recipe, [SEEDS], out, False)
    durations = read_json(out / "results.json")["durations"]
    parts = sorted((out / "evaluate").glob("both*/**/stage.json"))
    assert [part.parent.name for part in parts] == ["both", "kind", "kind@9"]
    whole = sum(read_json(part)["seconds"] for part in parts)
    assert durations["evaluate MLM + TLM"] == pytest.approx(whole, abs=0.06)


def test_one_more_task_asks_for_that_one_only(
    finished: Path, asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, out = finished / "recipe.yaml", finished / "out"
    columns = "{kind: tsv, path: %s.tsv, text: 0, language_column: 1, label_column: 2}"
    files = f"train: [{columns % 'train'}], test: [{columns % 'test'}]"
    before, more = tasks(out), [f"finetune.more={{epochs: 1, {files}}}"]
    finetune(recipe, more, out, False)
    evaluate(recipe, more, out, False)
    assert asked == ["none more 1", "both more 1"]
    assert "Measuring MLM + TLM: kind: unchanged" in capsys.readouterr().err
    assert tasks(out)["kind"] == before["kind"]
    asked.clear()
    evaluate(recipe, more, out, True)
    assert asked == ["none kind 1", "none more 1", "both kind 1", "both more 1"]


def test_what_earlier_versions_measured_holds(finished: Path, asked: list[str]) -> None:
    for folder in (finished / "out" / "evaluate").glob("*@tasks"):
        rmtree(folder)
    evaluate(finished / "recipe.yaml", [], finished / "out", False)
    report(finished / "recipe.yaml", [], finished / "out", False)
    assert asked == []
