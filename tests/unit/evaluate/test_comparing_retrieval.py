"""Retrieval beside tasks in a comparison of models."""

import json
from pathlib import Path

import numpy as np
import pytest

from xlmkit.evaluate.comparing import AVERAGE, compare
from xlmkit.evaluate.contenders import read_contenders
from xlmkit.evaluate.outcomes import Outcomes, example_ids, save_outcomes
from xlmkit.evaluate.score import bootstrap_mean

pytestmark = pytest.mark.unit

N = 300


def add_retrieval(run: Path, shares: dict[str, float], code: str = "sw") -> None:
    """Write what models found in both directions between a language and English."""
    results = json.loads((run / "results.json").read_text("utf-8"))
    for key, share in shares.items():
        outcomes, directions = {}, {}
        for number, direction in enumerate((f"{code}-en", f"en-{code}")):
            draw = np.random.default_rng([number, int(share * 100)])
            hits = (draw.random(N) < share).astype(float)
            directions[direction] = bootstrap_mean("retrieval@1", hits, resamples=20).to_json()
            ids = example_ids([f"{direction} {i}" for i in range(N)], ["x"] * N)
            outcomes[direction] = Outcomes(ids, {"accuracy": hits})
        average = np.mean([one["value"] for one in directions.values()])
        results["models"][key]["retrieval"] = {"directions": directions, "average": average}
        save_outcomes(run / "evaluate" / key / "outcomes" / "retrieval.npz", outcomes)
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")


def test_retrieval_joins_the_quality_and_is_tested(tmp_path, make_run, model):
    run = make_run(tmp_path / "run", a=model("A", 0.8), b=model("B", 0.7))
    add_retrieval(run, {"a": 0.1, "b": 0.9})
    found = compare(read_contenders([run]))
    assert [task.name for task in found.tasks] == ["topic", "retrieval"]
    assert found.standings[0].title == "B"
    topic, retrieval = found.tasks
    assert retrieval.languages == retrieval.averaged == ("sw-en", "en-sw")
    assert found.standings[0].quality == pytest.approx(
        (topic.average("B") + retrieval.average("B")) / 2
    )
    tested = {p.language: p.difference for p in found.pairs if p.task == "retrieval"}
    assert list(tested) == ["sw-en", "en-sw", AVERAGE]
    assert tested["sw-en"].value == pytest.approx(0.8, abs=0.1)
    assert tested["sw-en"].test == "mcnemar-exact"
    assert found.standings[0].per_second == pytest.approx(3 * N / 3.0)  # of the task alone
    assert found.notes == ()
    alone = compare(read_contenders([run]), tasks=["topic"])
    assert [task.name for task in alone.tasks] == ["topic"]
    assert alone.standings[0].title == "A"


def test_languages_that_matter_are_those_of_the_directions_too(tmp_path, make_run, model):
    run = make_run(tmp_path / "run", a=model("A", 0.8), b=model("B", 0.7))
    add_retrieval(run, {"a": 0.4, "b": 0.5})
    found = compare(read_contenders([run]), languages=["sw"])
    assert found.tasks[1].languages == ("sw-en", "en-sw")
    french = compare(read_contenders([run]), languages=["fr"])
    assert [task.name for task in french.tasks] == ["topic"]
    assert "not measured in all these languages: retrieval" in french.notes[0]
