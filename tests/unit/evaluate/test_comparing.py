"""Models of runs that differ in known ways, compared as a user does."""

import csv
import json
from pathlib import Path

import pytest
import sacrebleu.significance  # noqa: F401 - by its own import it warns of its own
from typer.testing import CliRunner

from xlmkit.cli.app import app
from xlmkit.core.errors import UserError
from xlmkit.evaluate.compare_report import sentences, task_table, write_comparison
from xlmkit.evaluate.comparing import AVERAGE, compare
from xlmkit.evaluate.contenders import read_contenders
from xlmkit.evaluate.seeds import over_seeds

pytestmark = pytest.mark.unit

N = 300
LANGUAGES = {"en": "English", "sw": "Swahili", "fr": "French"}


def test_the_better_model_is_found_and_tested(tmp_path, make_run, model):
    one = make_run(tmp_path / "one", bad=model("Bad", 0.5))
    two = make_run(tmp_path / "two", good=model("Good", 0.8))
    found = compare(read_contenders([one, two / "results.json"]))
    assert [standing.title for standing in found.standings] == ["Good", "Bad"]
    assert found.tasks[0].averaged == ("sw", "fr")  # English gave the labels
    assert found.notes == ()
    by_language = {pair.language: pair for pair in found.pairs}
    assert list(by_language) == ["en", "sw", "fr", AVERAGE]
    scores = found.tasks[0].scores
    for code in LANGUAGES:
        pair = by_language[code]
        gap = scores["Good"][code].value - scores["Bad"][code].value
        assert pair.difference.value == pytest.approx(gap)
        assert pair.difference.low < gap < pair.difference.high
        assert pair.difference.test == "mcnemar-exact"
        assert pair.difference.p < 0.001
    least = min((by_language[code] for code in LANGUAGES), key=lambda pair: pair.difference.p)
    assert least.corrected == pytest.approx(3 * least.difference.p)
    average = by_language[AVERAGE]
    assert average.difference.value == pytest.approx(
        found.standings[0].quality - found.standings[1].quality
    )
    assert average.corrected == average.difference.p  # the only one of its family


def test_another_metric_is_tested_by_the_bootstrap(tmp_path, make_run, model):
    metrics = ("macro_f1", "accuracy")
    run = make_run(
        tmp_path / "run",
        bad=model("Bad", 0.5, metrics=metrics, codes=("en",)),
        good=model("Good", 0.8, metrics=metrics, codes=("en",)),
    )
    found = compare(read_contenders([run]))
    (pair,) = found.pairs
    assert found.tasks[0].metric == "macro_f1"
    assert pair.difference.test == "bootstrap"
    scores = found.tasks[0].scores
    assert pair.difference.value == pytest.approx(
        scores["Good"]["en"].value - scores["Bad"]["en"].value
    )


def test_different_examples_are_told_and_not_tested(tmp_path, make_run, model):
    one = make_run(tmp_path / "one", good=model("Good", 0.8))
    two = make_run(tmp_path / "two", bad=model("Bad", 0.5, texts="another"))
    found = compare(read_contenders([one, two]), languages=["sw"])
    assert [(pair.language, pair.difference) for pair in found.pairs] == [("sw", None)]
    assert found.notes == (
        "Good and Bad were tested on different examples of topic in sw, so there is no paired "
        "test.",
    )


def test_answers_that_were_not_kept_are_told_once(tmp_path, make_run, model):
    run = make_run(tmp_path / "run", good=model("Good", 0.8), bad=model("Bad", 0.5, kept=False))
    (note,) = compare(read_contenders([run])).notes
    assert note.startswith("Bad has no single answers for topic")
    assert "xlmkit evaluate --force" in note


def test_what_is_beaten_in_everything_is_told(tmp_path, make_run, model):
    run = make_run(
        tmp_path / "run",
        best=model("Best", 0.9, seconds=9, size=90),
        small=model("Small", 0.7, seconds=3, size=30),
        useless=model("Useless", 0.5, seconds=4, size=40),
    )
    found = compare(read_contenders([run]))
    assert {s.title: s.beaten_by for s in found.standings} == {
        "Best": "",
        "Small": "",
        "Useless": "Small",
    }
    assert found.standings[0].per_second == pytest.approx(3 * N / 9)
    assert found.standings[0].size == 90


def test_speeds_that_were_hardly_measured_do_not_decide(tmp_path, make_run, model):
    run = make_run(
        tmp_path / "run",
        one=model("One", 0.8, seconds=0.02),
        two=model("Two", 0.8, seconds=4.0),
    )
    found = compare(read_contenders([run]))
    assert {s.beaten_by for s in found.standings} == {""}
    assert found.notes == (
        "Speeds of One were measured over less than 3 seconds: they are shown, but do not decide.",
    )


def test_languages_that_are_not_shared_are_told(tmp_path, make_run, model):
    one = make_run(tmp_path / "one", a=model("A", 0.9))
    two = make_run(tmp_path / "two", b=model("B", 0.6, codes=("en", "sw")))
    left = "Left out of topic, since not all models were measured in them: "
    assert compare(read_contenders([one, two])).notes == (f"{left}fr.",)
    source = make_run(tmp_path / "source", b=model("B", 0.6, codes=("en",)))
    assert compare(read_contenders([one, source])).notes == (
        f"{left}sw, fr.",
        "Only en is left of topic, whose labels were learned: nothing is said about other "
        "languages.",
    )
    assert compare(read_contenders([one, two]), languages=["sw"]).notes == ()


def with_tasks(run: Path, *others: Path) -> Path:
    """Add the tasks of runs with the same models to a run."""
    results = json.loads((run / "results.json").read_text("utf-8"))
    for other in others:
        more = json.loads((other / "results.json").read_text("utf-8"))
        for key, model in more["models"].items():
            results["models"][key]["tasks"] |= model["tasks"]
            for path in (other / "evaluate" / key / "outcomes").iterdir():
                path.rename(run / "evaluate" / key / "outcomes" / path.name)
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    return run


def test_who_is_better_on_a_task_is_not_beaten(tmp_path, make_run, model):
    one = make_run(tmp_path / "one", a=model("A", 0.9, size=10), bb=model("B", 0.6, size=20))
    two = make_run(
        tmp_path / "two",
        a=model("A", 0.5, size=10, task="mood"),
        bb=model("B", 0.6, size=20, task="mood"),
    )
    found = compare(read_contenders([with_tasks(one, two)]))
    assert [s.title for s in found.standings] == ["A", "B"]
    assert [s.beaten_by for s in found.standings] == ["", ""]
    said = sentences(found, LANGUAGES.get)
    assert "Against B it is better on 1 of 2 tasks, worse on 1." in said
    assert "None of A and B is shown to be beaten in quality, speed and size at once." in said
    assert "(mean of the averages of two tasks)" in said[0]


def test_a_higher_average_that_may_be_chance_beats_nobody(tmp_path, make_run, model):
    run = make_run(tmp_path / "run", a=model("A", 0.800), b=model("B", 0.801))
    found = compare(read_contenders([run]))
    assert found.standings[0].quality > found.standings[1].quality
    assert found.decisive(found.standings[1].title)[0].corrected > 0.05
    assert found.standings[1].beaten_by == ""


def test_equal_models_are_told_as_equal(tmp_path, make_run, model):
    run = make_run(tmp_path / "run", a=model("A", 0.8), b=model("B", 0.8))
    found = compare(read_contenders([run]))
    assert "B equals it to a tenth of a point (p = 1.000)." in sentences(found, LANGUAGES.get)


def test_averages_are_corrected_among_themselves(tmp_path, make_run, model):
    models = {"a": model("A", 0.8), "bb": model("B", 0.77), "ccc": model("C", 0.5)}
    found = compare(read_contenders([make_run(tmp_path / "run", **models)]))
    averages = [pair for pair in found.pairs if pair.language == AVERAGE]
    least, most = sorted(averages, key=lambda pair: pair.difference.p)
    assert most.difference.p > least.difference.p > 0
    assert least.corrected == pytest.approx(2 * least.difference.p)
    assert most.corrected == most.difference.p


def test_other_labels_are_told(tmp_path, make_run, model):
    run = make_run(tmp_path / "run", a=model("A", 0.8), b=model("B", 0.5))
    results = json.loads((run / "results.json").read_text("utf-8"))
    for model, few in zip(results["models"].values(), (None, 10), strict=True):
        learned = {"source_languages": ["en"], "few_shot": few, "train_examples": 1200}
        model["tasks"]["topic"] |= learned
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    (note,) = compare(read_contenders([run])).notes
    assert "did not learn topic from the same labels" in note
    assert "B: 1,200 examples in en, 10 of each other language" in note


def test_speeds_of_different_machines_do_not_decide(tmp_path, make_run, model):
    run = make_run(
        tmp_path / "run",
        best=model("Best", 0.9, seconds=9),
        fast=model("Fast", 0.7, seconds=1, device={"name": "EPYC", "threads": 16}),
    )
    found = compare(read_contenders([run]))
    assert found.standings[1].beaten_by == "Best"
    assert "Speeds were not all measured on the same device" in found.notes[0]


def test_models_of_one_name_are_told_apart(tmp_path, make_run, model):
    one = make_run(tmp_path / "one", m=model("MLM", 0.8))
    two = make_run(tmp_path / "two", m=model("MLM", 0.5))
    titles = [contender.title for contender in read_contenders([one, two])]
    assert titles == ["MLM (one)", "MLM (two)"]


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["one", "one"], {}, "one is named 2 times"),
        (["one", "one/results.json"], {}, "one is named 2 times"),
        (["one"], {}, "Two models are needed to compare, and only A was"),
        (["one", "empty"], {}, "empty has no results (no results.json in it)"),
        (["one", "nowhere"], {}, "nowhere has no results (no such file or folder)"),
        (["one", "broken"], {}, "is not the results.json of a run"),
        (["one", "other"], {}, "share no task (A: topic; C: mood)"),
        (["one", "french"], {}, "share no language of the task topic"),
        (["one", "two"], {"tasks": ["mood"]}, "Not all models were measured on 'mood'"),
        (["one", "two"], {"languages": ["zh"]}, "Not all models were measured in 'zh' on topic"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, names, options, message, make_run, model):
    make_run(tmp_path / "one", a=model("A", 0.8, codes=("en", "sw")))
    make_run(tmp_path / "two", b=model("B", 0.8))
    make_run(tmp_path / "other", c=model("C", 0.8, task="mood"))
    make_run(tmp_path / "french", d=model("D", 0.8, codes=("fr",)))
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "results.json").write_text("[]", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        compare(read_contenders([tmp_path / name for name in names]), **options)
    assert message in str(caught.value)


@pytest.fixture
def two_runs(tmp_path, monkeypatch, make_run, model):
    """Return the arguments that compare a good and a bad model, <of> all names to be escaped."""
    monkeypatch.chdir(tmp_path)
    make_run(Path("one"), good=model("Good <b>", 0.8, seconds=9))
    make_run(Path("two"), bad=model("Bad", 0.5, size=5_000_000))
    return ["compare", "one", "two"]


def test_the_command_says_which_model(two_runs):
    result = CliRunner().invoke(app, two_runs)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Best in quality: Good <b>, ")
    assert "on average over Swahili and French" in result.stdout
    assert "points above Bad (p < 0.001)." in result.stdout
    assert "English (labels)" in result.stdout
    assert "mcnemar-exact" in result.stdout


def test_the_command_writes_all_forms(two_runs):
    outputs = [word for name in ("a.html", "a.json", "a.csv") for word in ("--output", name)]
    result = CliRunner().invoke(app, [*two_runs, "--language", "sw", *outputs])
    assert result.exit_code == 0, result.output
    page = Path("a.html").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("<svg") == 2
    found = json.loads(Path("a.json").read_text(encoding="utf-8"))
    assert found["best"] == "Good <b>"
    assert [pair["language"] for pair in found["pairs"]] == ["sw"]
    rows = list(csv.DictReader(Path("a.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["model"], row["language"], row["metric"]) for row in rows] == [
        ("Good <b>", "sw", "accuracy"),
        ("Bad", "sw", "accuracy"),
    ]


def test_a_form_that_is_unknown_is_refused(two_runs):
    result = CliRunner().invoke(app, [*two_runs, "--output", "a.pdf"])
    assert result.exit_code == 1
    assert "a.pdf should end in .html, .json, .csv" in result.stderr
    assert result.stdout == ""  # it is refused before anything is computed


def add_seeds(run: Path, model: str, gain: float) -> None:
    """Write that a model was adapted with a second seed, too, so much better in all languages."""
    results = json.loads((run / "results.json").read_text("utf-8"))
    task = results["models"][model]["tasks"]["topic"]
    first = {**task, "average": {}}
    second = json.loads(json.dumps(first))
    for part in second["languages"].values():
        part["accuracy"]["value"] += gain
    task["seeds"] = over_seeds({1: first, 2: second})
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")


def test_models_rank_by_the_mean_over_their_seeds(tmp_path, make_run, model):
    run = make_run(tmp_path / "run", a=model("Lucky", 0.8), b=model("Steady", 0.77))
    before = compare(read_contenders([run]))
    assert [one.title for one in before.standings] == ["Lucky", "Steady"]
    add_seeds(run, "a", -0.2)
    add_seeds(run, "b", 0.1)
    found = compare(read_contenders([run]))
    assert [one.title for one in found.standings] == ["Steady", "Lucky"]
    (task,) = found.tasks
    assert found.standings[0].quality == pytest.approx(before.standings[1].quality + 0.05)
    assert task.mean("Lucky", "sw") == pytest.approx(task.scores["Lucky"]["sw"].value - 0.1)
    # What the tests say is of the first seed.
    (average,) = found.decisive("Lucky")
    gap = before.standings[1].quality - before.standings[0].quality
    assert average.difference.value == pytest.approx(gap)
    assert average.difference.low < gap < average.difference.high
    told = sentences(found, LANGUAGES.get)
    by = 100 * (found.standings[0].quality - found.standings[1].quality)
    assert told[1].startswith(f"It is {by:.1f} points above Lucky (with the first seed \u2212")
    assert all("2 seeds: it ranks by their mean" in note for note in found.notes)
    assert all("paired tests are of the first." in note for note in found.notes)
    table = task_table(found, task, LANGUAGES.get)
    assert all(cell.detail.startswith("\u00b1 ") for row in table.rows[:3] for cell in row.cells)
    assert table.rows[3].cells[0].text == f"{100 * found.standings[0].quality:.1f}"
    printed = CliRunner().invoke(app, ["compare", str(run)])
    assert "mean \u00b1 standard deviation over the seeds" in printed.stdout + printed.stderr


def test_a_first_seed_that_says_otherwise_is_told(tmp_path, make_run, model):
    run = make_run(tmp_path / "run", a=model("Lucky", 0.9), b=model("Steady", 0.7))
    add_seeds(run, "a", -0.5)
    add_seeds(run, "b", 0.1)
    found = compare(read_contenders([run]))
    assert [one.title for one in found.standings] == ["Steady", "Lucky"]
    said = sentences(found, LANGUAGES.get)[1]
    assert "p < 0.001), though that seed alone shows Lucky to be better." in said
    for name in ("a.csv", "a.json"):
        write_comparison(found, LANGUAGES.get, tmp_path / name)
    lines = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    rows = {(row["model"], row["language"]): row for row in csv.DictReader(lines)}
    lucky, steady = rows["Lucky", "sw"], rows["Steady", "sw"]
    assert float(lucky["value"]) > float(steady["value"])
    assert float(lucky["mean"]) < float(steady["mean"])
    assert steady["seeds"] == "2"
    (task,) = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["tasks"].values()
    assert task["seeds"]["Steady"]["sw"]["mean"] == float(steady["mean"])


def test_a_language_without_a_value_is_told(tmp_path, make_run, model):
    run = make_run(tmp_path / "run", good=model("Good", 0.8), bad=model("Bad", 0.5))
    path = run / "results.json"
    results = json.loads(path.read_text("utf-8"))
    languages = results["models"]["bad"]["tasks"]["topic"]["languages"]
    languages["sw"]["accuracy"]["value"] = None
    path.write_text(json.dumps(results), encoding="utf-8")
    found = compare(read_contenders([run]))
    assert found.tasks[0].languages == ("en", "fr")
    assert found.notes == (
        "Accuracy of topic has no value for Bad in sw, which no model is compared in.",
    )
    assert compare(read_contenders([run]), languages=["fr"]).notes == ()
