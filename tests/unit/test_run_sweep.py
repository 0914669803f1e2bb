"""Sweeps over learning rates and sizes of batches, from the recipe on."""

from pathlib import Path

import pytest

from xlmkit.core.config import load_config
from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json
from xlmkit.recipe import Recipe
from xlmkit.run import finetune, pretrain, run

_SOURCE = "kind: tsv, text: 0, language_column: 1, label_column: 2"
VALID = f"finetune.kind.valid=[{{{_SOURCE}, path: test.tsv}}]"
SWEEP = "finetune.kind.sweep={lr: [1.0e-7, 1.0e-2], tokens_per_batch: [128]}"
ONE_MODEL = "pretrain.models={both: {mlm: {length: 32, form: sentence}, tlm: {length: 64}}}"


def files(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_best_trial_is_what_is_measured_and_finished_trials_are_kept(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = finished / "out"
    settings = [VALID, ONE_MODEL, SWEEP, "finetune.kind.epochs=6"]
    run(finished / "recipe.yaml", settings, out, False)
    stage = out / "finetune" / "both" / "kind"
    trials = out / "finetune" / "both" / "kind@trials"
    assert {path.name for path in trials.iterdir()} == {
        "lr=1e-07,tokens_per_batch=128", "lr=0.01,tokens_per_batch=128",
    }  # fmt: skip
    assert {path.name for path in trials.rglob("*.safetensors")} == set()
    trained = read_json(trials / "lr=0.01,tokens_per_batch=128" / "figures.json")
    assert read_json(stage / "figures.json")["seconds"] == trained["seconds"]  # it is that model
    tried = read_json(stage / "figures.json")["trials"]
    best = max(tried, key=lambda one: one["score"])
    assert [one["chosen"] for one in tried] == [False, True]
    assert best == tried[1]
    assert tried[0]["score"] < tried[1]["score"]
    task = read_json(out / "results.json")["models"]["both"]["tasks"]["kind"]
    assert task["trials"] == tried
    # What the trial reached, its model reaches.
    assert task["languages"]["en"]["accuracy"]["value"] == pytest.approx(best["score"], abs=1e-5)
    assert "rate 0.01, 128 tokens" in capsys.readouterr().out
    assert "What was tried" in (out / "report.html").read_text("utf-8")

    before = files(trials)
    more = "finetune.kind.sweep={lr: [1.0e-7, 1.0e-2, 1.0e-3], tokens_per_batch: [128]}"
    run(finished / "recipe.yaml", [*settings, more, "finetune.kind.seeds=2"], out, False)
    after = files(trials)
    assert {name: after[name] for name in before} == before
    assert len(after) == 3 * len(before) // 2
    again = read_json(stage / "figures.json")
    assert again["seconds"] != trained["seconds"]  # the model of that trial was gone
    assert next(one for one in again["trials"] if one["chosen"]) == best
    assert not (stage / "steps" / str(best["step"])).exists()
    assert len(read_json(stage.with_name("kind@2") / "figures.json")["trials"]) == 3


def test_a_trial_that_diverges_is_the_worst_and_not_tried_again(finished: Path) -> None:
    recipe, out = finished / "recipe.yaml", finished / "out"
    settings = [VALID, ONE_MODEL, "finetune.kind.sweep={lr: [1.0e+30, 1.0e-2]}"]
    run(recipe, settings, out, False)
    stage = out / "finetune" / "both" / "kind"
    wild, tame = read_json(stage / "figures.json")["trials"]
    assert (wild["score"], wild["step"], wild["chosen"]) == (None, None, False)
    assert "The loss is not finite at step" in wild["diverged"]
    assert tame["chosen"]
    assert "diverged" not in tame
    trial = out / "finetune" / "both" / "kind@trials" / "lr=1e+30"
    assert {path.name for path in trial.iterdir()} == {"figures.json", "stage.json"}
    assert read_json(out / "results.json")["models"]["both"]["tasks"]["kind"]["trials"][0] == wild
    page = (out / "report.html").read_text("utf-8")
    assert "diverged" in page.partition("What was tried")[2].partition("</table>")[0]

    before = files(trial)
    none = [*settings, "finetune.kind.sweep={lr: [1.0e+30, 1.0e+29]}"]
    for _ in range(2):  # the second time nothing is left to train
        with pytest.raises(UserError, match=r"All trials .* diverged; give lower rates"):
            finetune(recipe, none, out, False)
        assert files(trial) == before


def test_trials_side_by_side_give_what_they_give_one_after_another(finished: Path) -> None:
    recipe, out = finished / "recipe.yaml", finished / "two"
    ready = f"pretrain.models={{ready: {{checkpoint: {finished / 'out/pretrain/both'}}}}}"
    stage, found = out / "finetune" / "ready" / "kind", []
    for processes, threads in ((1, 1), (2, 2)):
        settings = ["data=null", VALID, SWEEP, ready, f"threads={threads}"]
        settings.append(f"finetune.kind.sweep.processes={processes}")
        pretrain(recipe, settings, out, False)
        finetune(recipe, settings, out, False)
        stages = [read_json(path) for path in sorted(out.glob("*/*/*@trials/*/stage.json"))]
        assert [one["inputs"]["threads"] for one in stages] == [1, 1]
        found.append(read_json(stage / "figures.json")["trials"])
    assert len({one["key"] for one in stages}) == 2
    assert found[0] == found[1]


def test_a_trial_that_fails_is_named(finished: Path) -> None:
    rows = (finished / "test.tsv").read_text("utf-8").splitlines(keepends=True)
    others = [row for row in rows if "\ten\t" not in row]
    (finished / "others.tsv").write_text("".join(others), encoding="utf-8")
    valid = f"finetune.kind.valid=[{{{_SOURCE}, path: others.tsv}}]"
    with pytest.raises(UserError, match=r"Trial lr=1e-07,.* valid files have no text in en"):
        run(finished / "recipe.yaml", [valid, ONE_MODEL, SWEEP], finished / "out", False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ([SWEEP], "a sweep needs texts to choose by; give valid files"),
        ([VALID, "finetune.kind.sweep={lr: [0.1]}"], "needs two values or more"),
        ([VALID, "finetune.kind.sweep={}"], "needs two values or more"),
        ([VALID, "finetune.kind.sweep={lr: [0.1, 0.1]}"], "tries no value twice"),
        ([VALID, "finetune.kind.sweep={batch: [1, 2]}"], "batch"),
        ([VALID, "finetune.kind.sweep={lr: [0.1, -1]}"], "above 0"),
    ],
)
def test_sweeps_that_make_no_sense_are_refused(
    project: Path, settings: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        load_config(project / "recipe.yaml", Recipe, settings)
