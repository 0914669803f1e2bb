"""Translators beside one another."""

import json
from pathlib import Path

import pytest
import sacrebleu.significance  # noqa: F401 - by its own import it warns of its own
from typer.testing import CliRunner

from xlmkit.cli.app import app
from xlmkit.core.errors import UserError
from xlmkit.evaluate.comparing import compare
from xlmkit.evaluate.contenders import read_contenders
from xlmkit.evaluate.outcomes import Outcomes, example_ids, save_outcomes
from xlmkit.evaluate.rouge import rouge_counts
from xlmkit.evaluate.translation import translation_counts

pytestmark = pytest.mark.unit


def translators(run: Path, outputs: dict[str, list[str]], references: list[str]) -> Path:
    written = {}
    for key, lines in outputs.items():
        counts = translation_counts(lines, [references], "en", ("bleu",))["bleu"]
        score = counts.score(resamples=20).to_json()
        written[key] = {
            "title": key.title(), "parameters": 1,
            "test": {"fr-en": {"n": len(lines), "scores": {"bleu": score}}},
        }  # fmt: skip
        kept = Outcomes(example_ids(references, references), {"bleu": counts.per_sentence})
        folder = run / "evaluate" / f"{key}@translator" / "outcomes"
        save_outcomes(folder / "translation.npz", {"fr-en": kept})
    results = {"languages": ["en", "fr"], "models": {}, "translators": written}
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    return run


def test_translators_are_compared_by_bleu(tmp_path):
    references = [f"the {i % 7} old dog sees the small cat number {i}" for i in range(60)]
    half = [line if i % 2 else "a" * 9 for i, line in enumerate(references)]
    most = [line if i % 5 else "the old dog" for i, line in enumerate(references)]
    run = translators(tmp_path, {"poor": half, "better": most}, references)
    found = compare(read_contenders([run]))
    assert [standing.title for standing in found.standings] == ["Better", "Poor"]
    (task,) = found.tasks
    assert (task.name, task.metric) == ("translation", "bleu")
    system, other = (
        translation_counts(lines, [references], "en", ("bleu",))["bleu"] for lines in (most, half)
    )
    expected = system.compare(other, resamples=10)
    (pair,) = found.pairs
    assert pair.difference.value == pytest.approx((expected.value - expected.other) / 100)
    assert pair.difference.low < pair.difference.value < pair.difference.high
    assert pair.difference.p < 0.01
    with pytest.raises(UserError, match="compared among themselves"):
        read_contenders([run], ["translation", "topic"])


def summarizers(run: Path, outputs: dict[str, list[str]], references: list[str]) -> Path:
    written = {}
    for key, lines in outputs.items():
        counts = rouge_counts(lines, [references], "en", ("rouge1", "rouge2", "rougeL"))
        scores = {name: one.score(resamples=20).to_json() for name, one in counts.items()}
        written[key] = {
            "title": key.title(),
            "test": {"en-en": {"n": len(lines), "scores": scores}},
        }
        columns = {name: one.per_sentence[:, 0] / 100 for name, one in counts.items()}
        kept = Outcomes(example_ids(references, references), columns)
        save_outcomes(
            run / "evaluate" / f"{key}@translator" / "outcomes/summaries.npz", {"en-en": kept}
        )
    results = {
        "languages": ["en"], "language_names": {"en": "English"}, "models": {},
        "translators": written,
    }  # fmt: skip
    run.mkdir(exist_ok=True)
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    return run


def test_summaries_are_compared_by_rouge(tmp_path):
    references = [f"the {i % 7} old dog sees the small cat number {i}" for i in range(60)]
    half = [line if i % 2 else "a" * 9 for i, line in enumerate(references)]
    most = [line if i % 5 else "the old dog" for i, line in enumerate(references)]
    run = summarizers(tmp_path / "run", {"poor": half, "better": most}, references)
    found = compare(read_contenders([run]), languages=["en"])
    assert [standing.title for standing in found.standings] == ["Better", "Poor"]
    (task,) = found.tasks
    assert (task.name, task.metric, task.languages) == ("summaries", "rouge1", ("en-en",))
    system, other = (
        rouge_counts(x, [references], "en", ["rouge1"])["rouge1"] for x in (most, half)
    )
    expected = system.compare(other, resamples=10)
    (pair,) = found.pairs
    assert pair.difference.value == pytest.approx((expected.value - expected.other) / 100, abs=1e-6)
    assert pair.difference.p < 0.01
    told = CliRunner().invoke(app, ["compare", str(run), "--task", "summaries"]).stdout
    assert told.startswith("Best in quality: Better, ")
    assert "ROUGE-1 times 100 on summaries, in English" in told
    with pytest.raises(UserError, match="leave out --task summaries"):
        read_contenders([run], ["summaries", "topic"])


def test_summaries_without_single_texts_are_told(tmp_path):
    references = ["the old dog", "the small cat"]
    run = summarizers(tmp_path / "run", {"a": references, "b": references[::-1]}, references)
    for path in run.glob("evaluate/*/outcomes/summaries.npz"):
        path.unlink()
    (note,) = compare(read_contenders([run])).notes
    assert "no single answers for summaries" in note
    assert "xlmkit evaluate --force" in note
