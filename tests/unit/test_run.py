import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from xlmkit import __version__
from xlmkit.cli.app import VERBS, app
from xlmkit.core.config import load_config
from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json
from xlmkit.recipe import Recipe
from xlmkit.run import run

STAGES = [
    "corpus", "shards", "pretrain/none", "pretrain/both", "finetune/none/kind",
    "finetune/both/kind", "evaluate/none", "evaluate/both",
]  # fmt: skip


Files = dict[str, tuple[bytes, int]]


def call(folder: Path, verb: str, *arguments: str) -> Result:
    """Call the command line on a project whose results go to its folder `out`."""
    places = [str(folder / "recipe.yaml"), "--output", str(folder / "out")]
    return CliRunner().invoke(app, [verb, *places, *arguments])


def files(folder: Path) -> Files:
    """Return contents and time of change of every file."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def made_again(before: Files, after: Files, stages: Sequence[str] = STAGES) -> list[str]:
    marks = {stage: f"{stage}/stage.json" for stage in stages}
    return [stage for stage, mark in marks.items() if before[mark] != after[mark]]


def without_times(value: Any) -> Any:
    """Leave out of results what two equal runs need not share."""
    varying = {"created", "durations", "machine", "seconds", "tokens_per_second"}
    if isinstance(value, dict):
        return {name: without_times(inner) for name, inner in value.items() if name not in varying}
    return [without_times(inner) for inner in value] if isinstance(value, list) else value


def hidden(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob(".*")]


def test_a_run_makes_every_stage_and_the_report(finished: Path) -> None:
    out = finished / "out"
    there = files(out)
    for name in [
        "corpus/train.jsonl", "corpus/report.json", "shards/manifest.json",
        "shards/tokenizer/vocab.json", "pretrain/none/model.safetensors",
        "pretrain/both/model.safetensors", "pretrain/both/config.json",
        "finetune/both/kind/model.safetensors", "evaluate/both/figures.json",
        "evaluate/both/outcomes/kind.npz", "evaluate/both/outcomes/retrieval.npz",
        "results.json", "results.csv", "report.html",
        "recipe.yaml",
    ]:  # fmt: skip
        assert there[name][0], name
    assert [name for name in STAGES if f"{name}/stage.json" not in there] == []
    assert hidden(out) == []


def test_results_hold_every_number(finished: Path) -> None:
    results = read_json(finished / "out" / "results.json")
    assert list(results["models"]) == ["none", "both"]
    both = results["models"]["both"]
    assert both["pretraining"]["steps"] == 24
    assert both["pretraining"]["objectives"] == {"mlm": 0.5, "tlm": 0.5}
    assert set(both["tasks"]["kind"]["languages"]) == {"en", "zh", "ar"}
    assert both["tasks"]["kind"]["languages"]["zh"]["n"] == 40
    assert set(both["retrieval"]["directions"]) == {"zh-en", "en-zh", "ar-en", "en-ar"}
    assert set(both["language_modelling"]["mlm"]) == {"en", "zh", "ar"}
    assert results["models"]["none"]["pretraining"] is None
    assert "language_modelling" not in results["models"]["none"]
    assert results["data"]["splits"]["train"]["texts"]["ar"] > 200
    assert results["tokenizer"]["languages"]["zh"]["tokens"] > 0
    assert all(seconds >= 0 for seconds in results["durations"].values())
    assert len(results["durations"]) == 1 + 3 * 2


def test_another_title_of_a_task_is_shown_without_measuring_again(finished: Path) -> None:
    before = files(finished / "out")
    for title in ("What it is about", "Topics"):
        result = call(finished, "report", "--set", f"finetune.kind.title={title}")
        assert result.exit_code == 0, result.output
        assert title in result.output
        assert title in (finished / "out" / "report.html").read_text("utf-8")
        models = read_json(finished / "out" / "results.json")["models"]
        assert {one["tasks"]["kind"]["title"] for one in models.values()} == {title}
    assert made_again(before, files(finished / "out")) == []


def test_the_models_of_a_run_can_be_compared(finished: Path) -> None:
    result = CliRunner().invoke(app, ["compare", str(finished / "out")])
    assert result.exit_code == 0, result.output
    assert "mcnemar-exact" in result.stdout
    assert "retrieval" in result.stdout
    both = read_json(finished / "out" / "results.json")["models"]["both"]
    assert set(both["device"]) == {"name", "threads"}
    task = both["tasks"]["kind"]
    assert "outcomes" not in task
    weights = finished / "out" / "finetune" / "both" / "kind" / "model.safetensors"
    assert task["bytes"] == weights.stat().st_size
    assert task["languages"]["ar"]["tokens_per_word"] >= 1
    assert sum(n for n, *_ in task["languages"]["ar"]["calibration"]["bins"]) == 40


def test_recipe_versions_and_seed_lie_beside_every_result(finished: Path) -> None:
    out = finished / "out"
    recipe = load_config(finished / "recipe.yaml", Recipe)
    assert load_config(out / "recipe.yaml", Recipe) == recipe
    results = read_json(out / "results.json")
    assert results["seed"] == 1
    assert results["versions"]["xlmkit"] == __version__
    for stage in STAGES:
        assert set(read_json(out / stage / "stage.json")["versions"]) >= {"xlmkit", "torch"}
    for model in ("pretrain/both", "finetune/both/kind"):
        provenance = read_json(out / model / "xlmkit.json")
        assert provenance["seed"] == 1
        assert provenance["versions"] == results["versions"]
        assert Recipe.model_validate_json(json.dumps(provenance["recipe"])) == recipe


def test_a_second_run_changes_nothing(finished: Path) -> None:
    before = files(finished)
    result = call(finished, "run")
    assert result.exit_code == 0, result.output
    assert result.stderr.count(": unchanged, kept from before.") == len(STAGES)
    after = files(finished)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed <= {
        f"out/{name}" for name in ("recipe.yaml", "results.json", "results.csv", "report.html")
    }
    assert {name: text for name, (text, _) in after.items()} == {
        name: text for name, (text, _) in before.items()
    }


def test_a_change_redoes_what_depends_on_it_and_nothing_else(finished: Path) -> None:
    before = files(finished / "out")
    result = call(finished, "run", "--set", "finetune.kind.epochs=1")
    assert result.exit_code == 0, result.output
    after = files(finished / "out")
    assert made_again(before, after) == STAGES[4:]
    assert load_config(finished / "out" / "recipe.yaml", Recipe).finetune["kind"].epochs == 1
    assert before["results.json"] != after["results.json"]
    assert hidden(finished) == []


def test_force_does_everything_again_with_the_same_results(finished: Path) -> None:
    before = files(finished / "out")
    results = read_json(finished / "out" / "results.json")
    result = call(finished, "run", "--force")
    assert result.exit_code == 0, result.output
    assert "unchanged" not in result.stderr
    after = files(finished / "out")
    assert made_again(before, after) == STAGES
    assert without_times(read_json(finished / "out" / "results.json")) == without_times(results)
    for name in ("pretrain/both", "finetune/both/kind"):
        weights = f"{name}/model.safetensors"
        assert after[weights][0] == before[weights][0]


def test_a_single_verb_can_be_forced(finished: Path) -> None:
    before = files(finished / "out")
    assert "unchanged" in call(finished, "evaluate").stderr
    assert call(finished, "evaluate", "--force").exit_code == 0
    assert made_again(before, files(finished / "out")) == STAGES[6:]


def test_the_same_seed_gives_the_same_results_in_another_folder(
    finished: Path, project: Path
) -> None:
    run(project / "recipe.yaml", [], project / "elsewhere" / "results", False)
    one, other = (
        without_times(read_json(path / "results.json"))
        for path in (finished / "out", project / "elsewhere" / "results")
    )
    assert one == other


def test_another_seed_gives_others(finished: Path, project: Path) -> None:
    run(project / "recipe.yaml", ["seed=2"], project / "out", False)
    one, other = (read_json(path / "out" / "results.json") for path in (finished, project))
    assert one["models"]["none"]["retrieval"] != other["models"]["none"]["retrieval"]


def test_single_verbs_in_order_do_what_a_run_does(finished: Path, project: Path) -> None:
    verbs = [verb for verb in VERBS if verb != "train-translator"]  # the recipe has none
    for number, verb in enumerate(verbs):
        if verb != "prepare":
            assert not (project / "out" / "results.json").exists()
        result = call(project, verb)
        assert result.exit_code == 0, (verb, result.output)
        for later in verbs[number + 2 :]:
            refused = call(project, later)
            assert refused.exit_code == 1
            assert f"do xlmkit {verbs[number + 1]} first" in refused.stderr
    one, other = (read_json(path / "out" / "results.json") for path in (finished, project))
    assert without_times(one) == without_times(other)


def test_a_verb_too_early_writes_nothing(project: Path, finished: Path) -> None:
    result = call(project, "evaluate")
    assert result.exit_code == 1
    assert result.stderr == (
        f"xlmkit: error: {project / 'out' / 'corpus'} is missing or made from other inputs; "
        "do xlmkit prepare first, or xlmkit run, which does what is needed.\n"
    )
    assert not (project / "out").exists()
    before = files(finished)
    assert call(finished, "report", "--set", "seed=5").exit_code == 1
    assert files(finished) == before  # the results keep the recipe that made them


def test_by_default_results_go_to_a_folder_of_the_recipes_name(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["prepare", "project/recipe.yaml"]).exit_code == 0
    assert (tmp_path / "runs" / "tiny" / "shards" / "manifest.json").is_file()


def test_a_model_without_task_and_retrieval_is_enough(project: Path) -> None:
    alone = ["finetune={}", "evaluate.retrieval=null", "pretrain.models=null", "languages=[en]"]
    alone += ["data.sources=[{kind: text, path: text.en, language: en}]", "pretrain.steps=3"]
    result = call(project, "run", *(word for setting in alone for word in ("--set", setting)))
    assert result.exit_code == 0, result.output
    model = read_json(project / "out" / "results.json")["models"]["model"]
    assert (model["title"], model["tasks"]) == ("MLM", {})


@pytest.fixture(autouse=True)
def ctrl_c_interrupts() -> Iterator[None]:
    """Let Ctrl-C raise, though a shell starts what it runs in the background without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt(
    monkeypatch: pytest.MonkeyPatch, where: str, nth: int, number: signal.Signals = signal.SIGINT
) -> None:
    """Send this process a signal when a function is called for the n-th time."""
    owner, name = where.rsplit(".", 1)
    module, _, inner = owner.partition(":")
    __import__(module)
    holder = getattr(sys.modules[module], inner) if inner else sys.modules[module]
    function: Callable[..., Any] = getattr(holder, name)
    calls = 0

    def wrapped(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth:
            os.kill(os.getpid(), number)
        return function(*arguments, **named)

    monkeypatch.setattr(holder, name, wrapped)


@pytest.mark.parametrize(
    ("number", "where", "nth", "stage"),
    [
        (signal.SIGINT, "xlmkit.data.block_cleaning:Cleaner.clean", 1, "corpus"),
        (signal.SIGTERM, "xlmkit.data.block_cleaning:Cleaner.clean", 1, "corpus"),
        (signal.SIGINT, "xlmkit.data.corpus.write_splits", 1, "corpus"),
        (signal.SIGINT, "xlmkit.text.word_counts:WordCounter.update", 2, "shards"),
        (signal.SIGINT, "xlmkit.data.encode:_BlockEncoder._encode", 4, "shards"),
        (signal.SIGINT, "xlmkit.train.loop._step", 10, "pretrain/both"),
        (signal.SIGTERM, "xlmkit.train.loop._step", 10, "pretrain/both"),
        (signal.SIGINT, "xlmkit.checkpoint.bundle:Bundle.save", 2, "pretrain/both"),
        (signal.SIGINT, "xlmkit.train.loop._step", 24, "pretrain/both"),
        (signal.SIGINT, "xlmkit.train.loop._step", 24 + 3, "finetune/none/kind"),
        (signal.SIGTERM, "xlmkit.build.plain.pooled_states", 2, "evaluate/none"),
        (signal.SIGINT, "xlmkit.gather.write_report", 1, "report"),
    ],
)
def test_ctrl_c_in_any_stage_leaves_nothing_half_written_and_the_next_run_goes_on(
    project: Path, finished: Path, number: signal.Signals, where: str, nth: int, stage: str
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        interrupt(monkeypatch, where, nth, number)
        result = call(project, "run")
    out = project / "out"
    assert result.exit_code == 130, result.output
    stopped = "Stopped; the same command goes on from the last checkpoint."
    assert result.stderr.splitlines()[-1] == stopped
    assert "Traceback" not in result.stderr
    made = STAGES[: STAGES.index(stage)] if stage != "report" else STAGES
    assert [name for name in STAGES if (out / name).exists()] == made
    assert not (out / "report.html").exists()
    before = files(out)
    again = call(project, "run")
    assert again.exit_code == 0, again.output
    after = files(out)
    assert made_again(before, after, made) == []
    assert hidden(out) == []
    one, other = (read_json(path / "out" / "results.json") for path in (finished, project))
    assert without_times(one) == without_times(other)


def test_a_training_stopped_by_ctrl_c_keeps_its_checkpoint(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(monkeypatch, "xlmkit.train.loop._step", 10)
    assert call(project, "run").exit_code == 130
    from xlmkit.train.state import load_state

    partial = project / "out" / "pretrain" / ".both.partial"
    state, _ = load_state(partial, (partial / "key").read_text(encoding="utf-8").split()[0])
    assert state.step == 10  # the step in which the signal came was finished


def test_a_training_is_safe_until_its_model_is_saved(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, "xlmkit.checkpoint.bundle:Bundle.save", 2)
        assert call(project, "run").exit_code == 130

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("it was trained already")

    monkeypatch.setattr("xlmkit.train.loop._step", never)
    assert call(project, "pretrain").exit_code == 0
    assert not list((project / "out" / "pretrain").rglob("training.safetensors"))


def test_a_damaged_checkpoint_is_one_sentence(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, "xlmkit.train.loop._step", 10)
        assert call(project, "run").exit_code == 130
    path = project / "out" / "pretrain" / ".both.partial" / "training.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    cut = call(project, "run")
    path.write_bytes(whole[:-4] + bytes(4 * [7]))
    changed = call(project, "run")
    for result in (cut, changed):
        assert result.exit_code == 1
        assert result.stderr.splitlines()[-1].startswith(f"xlmkit: error: {path} ")
        assert result.stderr.endswith("; delete it to start this run again.\n")
    path.unlink()
    assert call(project, "run").exit_code == 0


def test_a_damaged_model_is_one_sentence_and_can_be_made_again(finished: Path) -> None:
    path = finished / "out" / "pretrain" / "both" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + bytes(4 * [7]))
    with pytest.raises(UserError, match="its checksum differs"):
        run(finished / "recipe.yaml", ["finetune.kind.epochs=1"], finished / "out", False)
    path.write_bytes(path.read_bytes()[:-4])
    result = call(finished, "run")
    assert result.exit_code == 0, result.output
    assert "Pretraining No pretraining: unchanged" in result.stderr
    assert "Pretraining MLM + TLM: unchanged" not in result.stderr


def test_a_damaged_shard_is_made_again(finished: Path) -> None:
    shard = finished / "out" / "shards" / "train.en.tokens"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-2])
    refused = call(finished, "pretrain", "--set", "pretrain.steps=3")
    assert refused.exit_code == 1
    assert "shards is missing or made from other inputs; do xlmkit prepare first" in refused.stderr
    before = files(finished / "out")
    assert call(finished, "run").exit_code == 0
    assert made_again(before, files(finished / "out")) == ["shards"]
    assert shard.read_bytes() == whole
