"""What each stage depends on, seen on a finished run: which stages still hold after a change."""

import os
import shutil
from pathlib import Path

import pytest

from xlmkit.core.config import load_config
from xlmkit.core.errors import UserError
from xlmkit.core.process import Processes
from xlmkit.plan import RunPlan
from xlmkit.recipe import Recipe

VERBS = ["prepare", "pretrain", "finetune", "evaluate"]

ALL = {
    "corpus", "shards",
    "pretrain/none", "pretrain/both", "finetune/none/kind", "finetune/both/kind",
    "evaluate/none", "evaluate/both",
}  # fmt: skip
ADAPTED = {name for name in ALL if name.startswith(("finetune", "evaluate"))}
MEASURED = {"evaluate/none", "evaluate/both"}
OF_BOTH = {name for name in ALL if "both" in name}


def plan(folder: Path, *overrides: str) -> RunPlan:
    recipe = load_config(folder / "recipe.yaml", Recipe, overrides)
    return RunPlan(recipe, folder, folder / "out", Processes())


def outdated(folder: Path, *overrides: str) -> set[str]:
    made = plan(folder, *overrides)
    stages = [stage for verb in VERBS for stage in made.stages(verb)]
    return {
        stage.folder.relative_to(folder / "out").as_posix()
        for stage in stages
        if not stage.finished
    }


def test_the_stages_are_those_of_the_recipe(project: Path) -> None:
    assert outdated(project) == ALL
    assert plan(project).stages("report") == []


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("title=Another", set()),
        ("pretrain.models.both.title=Another", set()),
        ("finetune.kind.title=Another", set()),
        ("pretrain.points=3", set()),
        ("pretrain.checkpoint_minutes=9", set()),
        ("evaluate.retrieval.candidates=50", MEASURED),
        ("evaluate.language_modeling=false", MEASURED),
        ("finetune.kind.epochs=1", ADAPTED),
        ("finetune.kind.optimizer.lr=0.1", ADAPTED),
        ("finetune.kind.source_languages=[zh]", ADAPTED),
        ("finetune.kind.pair_form=joined", ADAPTED),
        ("pretrain.steps=25", OF_BOTH),
        ("pretrain.accumulate=2", OF_BOTH),
        ("pretrain.models.both.tlm.weight=2", OF_BOTH),
        ("model.dropout=0.2", ALL - {"corpus", "shards"}),
        ("threads=2", ALL - {"corpus", "shards"}),
        ("precision=bfloat16", ALL - {"corpus", "shards"}),
        ("tokenizer.vocabulary_size=200", ALL - {"corpus"}),
        ("data.clean.min_words=3", ALL),
        ("data.sources.0.name=other", ALL),
        ("seed=2", ALL),
        ("languages=[en, ar, zh]", ALL),
    ],
)
def test_a_change_of_the_recipe_outdates_what_depends_on_it(
    finished: Path, override: str, expected: set[str]
) -> None:
    assert outdated(finished) == set()
    assert outdated(finished, override) == expected


def test_keys_that_came_later_leave_earlier_stages_as_they_are(project: Path) -> None:
    made = plan(project)
    assert "pair_form" not in made.finetuned("none", "kind").inputs["task"]
    changed = plan(project, "finetune.kind.pair_form=joined").finetuned("none", "kind")
    assert changed.inputs["task"]["pair_form"] == "joined"
    assert "compile" not in made.pretrained("both").inputs["budget"]
    compiled = plan(project, "pretrain.compile=true").pretrained("both")
    assert compiled.inputs["budget"]["compile"] is True
    measured = made.measured("none").inputs["evaluate"]
    assert "minings" not in measured
    assert "stride" not in measured["retrieval"]
    windows = plan(project, "evaluate.retrieval.stride=8").measured("none").inputs["evaluate"]
    assert windows["retrieval"]["stride"] == 8


@pytest.mark.parametrize(
    ("name", "expected"), [("text.zh", ALL), ("train.tsv", ADAPTED), ("test.tsv", ADAPTED)]
)
def test_a_change_of_a_file_outdates_what_is_made_from_it(
    finished: Path, name: str, expected: set[str]
) -> None:
    path = finished / name
    before = path.stat()
    path.write_bytes(path.read_bytes()[::-1])  # the same size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert outdated(finished) == expected


def test_another_task_or_model_outdates_no_other(finished: Path) -> None:
    assert outdated(finished, "pretrain.models.more={mlm: {length: 32}}") == {
        "pretrain/more", "finetune/more/kind", "evaluate/more",
    }  # fmt: skip
    task = "finetune.second={train: [{kind: tsv, path: train.tsv, text: 0, language: en, "
    task += "label_column: 2}], test: [{kind: tsv, path: test.tsv, text: 0, language: en, "
    task += "label_column: 2}]}"
    assert outdated(finished, task) == {
        "finetune/none/second", "finetune/both/second", *MEASURED,
    }  # fmt: skip


def test_more_seeds_outdate_nothing_that_is_adapted(finished: Path) -> None:
    assert outdated(finished, "finetune.kind.seeds=2") == {
        "finetune/none/kind@2", "finetune/both/kind@2", *MEASURED,
    }  # fmt: skip
    assert outdated(finished, "finetune.kind.seeds=[3, 1]") == {
        *(f"finetune/{name}/{task}" for name in ("none", "both") for task in ("kind", "kind@1")),
        *MEASURED,
    }


def test_files_inside_a_folder_of_catalogs_count(project: Path) -> None:
    catalog = project / "locale" / "ar" / "LC_MESSAGES" / "app.po"
    catalog.parent.mkdir(parents=True)
    catalog.write_text('msgid "Old dog"\nmsgstr "كلب قديم"\n', encoding="utf-8")
    source = "data.sources=[{kind: gettext, path: locale}]"
    before = plan(project, source).corpus.key
    assert plan(project, source).corpus.key == before
    catalog.write_text('msgid "Old cat"\nmsgstr "قط قديم جدا"\n', encoding="utf-8")
    assert plan(project, source).corpus.key != before


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("evaluate.minings.bucc.ids=true", r"pairs\.0: .*a\.zh, line 1, has no id .* ids: true"),
        ("evaluate.minings.bucc.pairs.0.test.gold=text.en", "text.en names no pair of the two"),
        ("evaluate.minings.bucc.pairs.0.test.source='text.*'", r"text\.\* is \d files; name one"),
    ],
)
def test_files_of_mining_are_looked_at_before_models_are_trained(
    project: Path, setting: str, message: str
) -> None:
    (project / "a.zh").write_text("text\n" * 3, encoding="utf-8")
    (project / "gold").write_text("first\tsecond\n1\t2\n", encoding="utf-8")
    files = "{source: a.zh, target: a.zh, gold: gold}"
    mining = f"evaluate.minings.bucc={{pairs: [{{source: en, target: zh, test: {files}}}]}}"
    plan(project, mining).find_files()
    with pytest.raises(UserError, match=message):
        plan(project, mining, setting).find_files()


def test_a_corpus_of_labels_by_number_is_made_anew(project: Path) -> None:
    source = "data.sources=[{kind: hub, dataset: org/set, text: text, language: en%s}]"
    assert "classes" not in plan(project, source % "").corpus.inputs
    assert plan(project, source % ", label_column: is").corpus.inputs["classes"] == "by name"


def test_a_project_may_move_with_its_results(finished: Path, tmp_path: Path) -> None:
    moved = shutil.move(finished, tmp_path / "elsewhere")
    assert outdated(moved) == set()


def test_a_file_cut_short_outdates_its_stage(finished: Path) -> None:
    shard = next((finished / "out" / "shards").glob("train.zh.tokens"))
    shard.write_bytes(shard.read_bytes()[:-2])
    assert outdated(finished) == {"shards"}
    shard.unlink()
    assert outdated(finished) == {"shards"}


def test_by_default_there_is_one_model_with_tlm_where_there_are_translations(
    finished: Path,
) -> None:
    models = plan(finished, "pretrain.models=null").models()
    assert list(models) == ["model"]
    assert list(models["model"].objectives) == ["mlm", "tlm"]
    assert models["model"].mlm.length == models["model"].tlm.length == 64  # all that fits
    alone = plan(finished, "pretrain.models=null", "seed=9").models()  # nothing prepared yet
    assert list(alone["model"].objectives) == ["mlm"]


def test_threads_are_the_cores_unless_the_recipe_says(project: Path) -> None:
    assert plan(project).threads == 1
    assert plan(project, "threads=null").threads == len(os.sched_getaffinity(0))


def test_so_many_trials_stand_side_by_side_as_the_recipe_says(project: Path) -> None:
    for threads, processes, expected in (
        (1, None, (1, 1)), (8, None, (3, 2)), (1, 2, (2, 1)), (8, 2, (2, 4)), (8, 9, (3, 2)),
    ):  # fmt: skip
        given = "" if processes is None else f", processes: {processes}"
        sweep = f"finetune.kind.sweep={{lr: [0.1, 0.01, 0.001]{given}}}"
        made = plan(project, f"threads={threads}", "finetune.kind.valid_share=0.1", sweep)
        stage = made.trial("both", "kind", made.trials("kind")[0])
        assert (made.side_by_side("kind"), stage.inputs["threads"]) == expected
