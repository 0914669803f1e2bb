"""A finetuning that is stopped at a validation chooses and keeps what it would have kept."""

from pathlib import Path

import pytest

from xlmkit.build.selecting import Selection
from xlmkit.core.files import read_json
from xlmkit.run import evaluate, finetune, report
from xlmkit.train.state import TrainingState

VALID = "{kind: tsv, path: test.tsv, text: 0, language_column: 1, label_column: 2}"
SETTINGS = [f"finetune.kind.valid=[{VALID}]", "finetune.kind.validate_every=0.5"]
BY_LAYER = ["finetune.kind.freeze=embeddings", "finetune.kind.layer_decay=0.7"]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*.safetensors"))
    }


def points(folder: Path) -> list[dict[str, object]]:
    curve = read_json(folder / "figures.json")["curve"]
    return [{k: v for k, v in point.items() if k != "seconds"} for point in curve]


@pytest.mark.parametrize("more", [[], BY_LAYER], ids=["all", "by layer"])
def test_stopped_at_a_validation_it_goes_on_exactly(
    more: list[str], finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, out = finished / "recipe.yaml", finished / "out"
    stage = out / "finetune" / "both" / "kind"
    settings = [*SETTINGS, *more]
    finetune(recipe, settings, out, False)
    expected, curve = contents(stage), points(stage)
    chosen = read_json(stage / "figures.json")["selection"]
    others = set(chosen["own_selected"].values()) - {chosen["source_selected"]}
    assert set(expected) == {
        "model.safetensors", *(f"steps/{step}/model.safetensors" for step in others)
    }  # fmt: skip

    class KilledError(Exception):
        pass

    validate, times = Selection.validate, []

    def killed(self: Selection, model: object, state: TrainingState, weights: object) -> None:
        validate(self, model, state, weights)
        times.append(state.step)
        if len(times) == 2:
            raise KilledError

    monkeypatch.setattr(Selection, "validate", killed)
    often = [*settings, "pretrain.checkpoint_minutes=1e-9"]
    with pytest.raises(KilledError):
        finetune(recipe, often, out, True)
    finetune(recipe, often, out, True)
    assert len(times) > 3
    assert (contents(stage), points(stage)) == (expected, curve)
    evaluate(recipe, often, out, False)
    task = read_json(out / "evaluate" / "both" / "figures.json")["tasks"]["kind"]
    assert {one["step"] for one in task["source_selected"]["languages"].values()} == {
        chosen["source_selected"]
    }
    for code, part in task["own_selected"]["languages"].items():
        assert part["step"] == chosen["own_selected"][code]
        best = task["source_selected"]["languages"][code]["accuracy"]["value"]
        assert part["accuracy"]["value"] >= best  # the valid texts are the test texts here
    assert all(
        task["source_selected"]["languages"][code]["accuracy"] == scores["accuracy"]
        for code, scores in task["languages"].items()
    )
    report(recipe, often, out, False)
    assert "Who chose the step" in (out / "report.html").read_text("utf-8")
