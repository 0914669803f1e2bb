"""Scores of one name that were not made in the same way are not compared."""

import json

import pytest

from xlmkit.core.errors import UserError
from xlmkit.evaluate.comparing import compare
from xlmkit.evaluate.contenders import read_contenders
from xlmkit.evaluate.score import definition

pytestmark = pytest.mark.unit


def sign(run, **signatures):
    """Write how the accuracy of each task was made, whoever was measured."""
    path = run / "results.json"
    results = json.loads(path.read_text("utf-8"))
    for model in results["models"].values():
        for name, signature in signatures.items():
            for part in model["tasks"][name]["languages"].values():
                part["accuracy"]["signature"] = signature
    path.write_text(json.dumps(results), encoding="utf-8")


@pytest.fixture
def runs(tmp_path, make_run, model):
    """Return two runs of a model each, both with the tasks topic and mood."""
    made = []
    for name, right in (("one", 0.8), ("two", 0.5)):
        run, more = (
            make_run(tmp_path / folder, m=model(name.title(), right, task=task))
            for folder, task in ((name, "topic"), (f"{name}-more", "mood"))
        )
        results, also = (json.loads((x / "results.json").read_text("utf-8")) for x in (run, more))
        results["models"]["m"]["tasks"] |= also["models"]["m"]["tasks"]
        (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
        made.append(run)
    return made


def test_a_task_whose_metric_is_not_defined_alike_is_left_out(runs):
    for run, reading in zip(runs, ("bio", "iob2"), strict=True):
        sign(run, topic=f"f1|reading:{reading}|n:300|bootstrap:1000|seed:1|v:0.1.0")
    contenders = read_contenders(runs)
    found = compare(contenders)
    assert [task.name for task in found.tasks] == ["mood"]
    assert {pair.task for pair in found.pairs} == {"mood"}
    told = (
        "Accuracy of topic is not defined alike (One: f1|reading:bio; Two: f1|reading:iob2); "
        "give the recipes the same settings of it and measure again."
    )
    assert found.notes[0] == f"Left out: {told}"
    with pytest.raises(UserError) as caught:
        compare(contenders, tasks=["topic"])
    assert str(caught.value) == told


def test_other_items_resamples_and_versions_are_no_other_definition(runs):
    sign(runs[0], topic="f1|reading:bio|n:300|bootstrap:1000|seed:1|v:0.1.0")
    sign(runs[1], topic="f1|reading:bio|n:299|bootstrap:none|v:0.2.0")
    found = compare(read_contenders(runs))
    assert [task.name for task in found.tasks] == ["topic", "mood"]
    assert not any("alike" in note for note in found.notes)


def test_a_definition_of_sacrebleu_is_that_without_versions_and_resamples():
    made = "BLEU|nrefs:1|{}case:mixed|eff:no|tok:13a|smooth:exp|version:{}"
    one, two = made.format("bs:1000|seed:12345|", "2.5.1"), made.format("", "2.6.0")
    assert definition(one) == definition(two) == "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"
    assert definition(one) != definition(one.replace("mixed", "lc"))
