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
from xlmkit.tasks.base import TaskInputs
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
    page = (project / "out" / "report.html").read_text("utf-8")
    assert f"step {chosen['source_selected']} is kept" in page
    [task] = read_json(project / "out" / "results.json")["models"]["ready"]["tasks"].values()
    value = task["languages"]["en"]["accuracy"]["value"]
    values = {p["step"]: p["value"] for p in curve if p.get("language") == "en"}
    assert values[chosen["source_selected"]] == pytest.approx(value, abs=1e-5) == max(
        values.values()
    )  # fmt: skip


def test_valid_files_without_the_source_language_are_told_before_anything_is_learned(
    project: Path, make_encoder: Callable[..., Path]
) -> None:
    rows = (project / "test.tsv").read_text("utf-8").splitlines(keepends=True)
    others = [row for row in rows if "\ten\t" not in row]
    (project / "others.tsv").write_text("".join(others), encoding="utf-8")
    settings = _ready(project, make_encoder("bert", project / "encoder"))
    settings.append(f"finetune.kind.valid=[{{{_SOURCE}, path: others.tsv}}]")
    with pytest.raises(UserError, match=r"finetune\.kind: its valid files have no text in en"):
        run(project / "recipe.yaml", settings, project / "out", False)
    assert not list((project / "out").rglob("steps"))


def test_valid_labels_that_were_never_learned_are_told(project: Path) -> None:
    (project / "other.tsv").write_text("a text\ten\tplant\n", encoding="utf-8")
    settings = [f"finetune.kind.valid=[{{{_SOURCE}, path: other.tsv}}]", "pretrain.models={a: {}}"]
    with pytest.raises(UserError, match=r"finetune\.kind\.valid: no text of its .* files"):
        run(project / "recipe.yaml", settings, project / "out", False)


def test_patience_without_valid_files_is_refused(project: Path) -> None:
    with pytest.raises(UserError, match="patience counts validations; give valid files or"):
        load_config(project / "recipe.yaml", Recipe, ["finetune.kind.patience=2"])


def _steps(stage: Path) -> list[int]:
    curve = read_json(stage / "figures.json")["curve"]
    return sorted({p["step"] for p in curve if p["objective"] == "selection"})


def test_a_share_of_the_training_texts_chooses_and_is_not_learned(
    project: Path, make_encoder: Callable[..., Path]
) -> None:
    settings = _ready(project, make_encoder("bert", project / "encoder"))
    settings += ["finetune.kind.valid=[]", "finetune.kind.valid_share=0.25"]
    settings += ["finetune.kind.validate_steps=3", "finetune.kind.epochs=4"]
    recipe = load_config(project / "recipe.yaml", Recipe, settings)
    task, inputs = recipe.finetune["kind"], TaskInputs(project, project, recipe.languages)
    data, valid = task.load(inputs), task.validation().load(inputs)
    assert list(valid.test) == ["en"]
    assert valid.train["en"].texts == data.train["en"].texts
    learned, held_out = set(data.train["en"].texts), set(valid.test["en"].texts)
    assert not learned & held_out
    assert len(learned) + len(held_out) == 60
    assert 6 <= len(held_out) <= 24
    run(project / "recipe.yaml", settings, project / "out", False)
    steps = _steps(project / "out" / "finetune" / "ready" / "kind")
    assert steps[:-1] == list(range(3, steps[-1], 3))
    [measured] = read_json(project / "out" / "results.json")["models"]["ready"]["tasks"].values()
    assert measured["train_examples"] == len(learned)


def test_a_share_that_leaves_nothing_is_told(project: Path) -> None:
    settings = ["finetune.kind.valid_share=1e-9", "pretrain.models={a: {}}"]
    with pytest.raises(UserError, match=r"valid_share is 1e-09, which leaves no text"):
        run(project / "recipe.yaml", settings, project / "out", False)


def test_a_tagger_is_chosen_by_valid_sentences(
    project: Path, make_encoder: Callable[..., Path]
) -> None:
    for name in ("train", "valid"):
        lines = [f"old\tA\n{word}\tN\nsees\tV\n\n" for word in ("dog", "cat", "car") * 8]
        (project / f"{name}.conll").write_text("".join(lines), encoding="utf-8")
    source = "{kind: conll, path: %s.conll, language: en}"
    settings = _ready(project, make_encoder("bert", project / "encoder"))[:-1]
    settings.append(
        f"finetune={{tags: {{kind: tagging, train: [{source % 'train'}], epochs: 8, "
        f"valid: [{source % 'valid'}], test: [{source % 'valid'}], tokens_per_batch: 64}}}}"
    )
    run(project / "recipe.yaml", settings, project / "out", False)
    stage = project / "out" / "finetune" / "ready" / "tags"
    assert len(_steps(stage)) == 8
    [task] = read_json(project / "out" / "results.json")["models"]["ready"]["tasks"].values()
    step = read_json(stage / "figures.json")["selection"]["source_selected"]
    assert task["source_selected"]["languages"]["en"]["step"] == step


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
