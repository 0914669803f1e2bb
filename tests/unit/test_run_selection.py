"""Finetuning with validation texts, from the recipe on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xlmkit.core.config import load_config
from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json
from xlmkit.recipe import Recipe
from xlmkit.run import run
from xlmkit.tasks.sequences import SequenceData

_SOURCE = "kind: tsv, text: 0, language_column: 1, label_column: 2"
VALID = f"finetune.kind.valid=[{{{_SOURCE}, path: test.tsv}}]"


def _ready(project: Path, encoder: Path) -> list[str]:
    return [
        "data=null", "evaluate.retrieval=null", "evaluate.language_modeling=false",
        f"pretrain.models={{ready: {{checkpoint: {encoder}}}}}", VALID,
    ]  # fmt: skip


def test_another_family_is_chosen_alike_and_ends_early(
    project: Path, make_encoder: Callable[..., Path]
) -> None:
    settings = _ready(project, make_encoder("bert", project / "encoder"))
    settings += ["finetune.kind.epochs=40", "finetune.kind.patience=2"]
    settings += ["finetune.kind.optimizer.lr=1e-2"]
    run(project / "recipe.yaml", settings, project / "out", False)
    stage = project / "out" / "finetune" / "ready" / "kind"
    figures = read_json(stage / "figures.json")
    chosen, curve = figures["selection"], figures["curve"]
    steps = sorted({p["step"] for p in curve if p["objective"] == "selection"})
    assert steps.index(chosen["source_selected"]) == len(steps) - 3  # two brought nothing better
    assert figures["steps"] == steps[-1]
    [task] = read_json(project / "out" / "results.json")["models"]["ready"]["tasks"].values()
    value = task["languages"]["en"]["accuracy"]["value"]
    values = {p["step"]: p["value"] for p in curve if p.get("language") == "en"}
    assert values[chosen["source_selected"]] == pytest.approx(value, abs=1e-5) == max(
        values.values()
    )  # fmt: skip


def test_valid_files_without_the_source_language_are_told(
    project: Path, make_encoder: Callable[..., Path]
) -> None:
    rows = (project / "test.tsv").read_text("utf-8").splitlines(keepends=True)
    others = [row for row in rows if "\ten\t" not in row]
    (project / "others.tsv").write_text("".join(others), encoding="utf-8")
    settings = _ready(project, make_encoder("bert", project / "encoder"))
    settings.append(f"finetune.kind.valid=[{{{_SOURCE}, path: others.tsv}}]")
    with pytest.raises(UserError, match=r"finetune\.kind: its valid files have no text in en"):
        run(project / "recipe.yaml", settings, project / "out", False)


def test_valid_labels_that_were_never_learned_are_told(project: Path) -> None:
    (project / "other.tsv").write_text("a text\ten\tplant\n", encoding="utf-8")
    settings = [f"finetune.kind.valid=[{{{_SOURCE}, path: other.tsv}}]", "pretrain.models={a: {}}"]
    with pytest.raises(UserError, match=r"finetune\.kind\.valid: no text of its .* files"):
        run(project / "recipe.yaml", settings, project / "out", False)


def test_patience_without_valid_files_is_refused(project: Path) -> None:
    with pytest.raises(UserError, match="patience counts validations; give valid files too"):
        load_config(project / "recipe.yaml", Recipe, ["finetune.kind.patience=2"])


def test_steps_of_single_languages_are_measured_in_these_only(
    project: Path, make_encoder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: dict[str, list[str]] = {}  # step -> languages of its last measurement, that of test
    before = SequenceData.measure

    def measure(self: SequenceData, backbone: Any, folder: Path, *rest: Any) -> Any:
        measured[folder.name] = list(self.test)
        return before(self, backbone, folder, *rest)

    monkeypatch.setattr(SequenceData, "measure", measure)
    settings = _ready(project, make_encoder("bert", project / "encoder"))
    settings += ["finetune.kind.epochs=10", "finetune.kind.optimizer.lr=3e-3"]
    run(project / "recipe.yaml", settings, project / "out", False)
    chosen = read_json(project / "out/finetune/ready/kind/figures.json")["selection"]
    own = chosen["own_selected"]
    steps = set(own.values()) - {chosen["source_selected"]}
    assert steps
    for step in steps:
        assert measured[str(step)] == [code for code in own if own[code] == step]
    [task] = read_json(project / "out" / "results.json")["models"]["ready"]["tasks"].values()
    shown = task["own_selected"]["languages"]
    assert {code: part["step"] for code, part in shown.items()} == own
