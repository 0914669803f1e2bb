"""Translators beside one another."""

import json
from pathlib import Path

import pytest
import sacrebleu.significance  # noqa: F401 - by its own import it warns of its own

from xlmkit.core.errors import UserError
from xlmkit.evaluate.comparing import compare
from xlmkit.evaluate.contenders import read_contenders
from xlmkit.evaluate.outcomes import Outcomes, example_ids, save_outcomes
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
        save_outcomes(run / "evaluate" / f"{key}@translator" / "outcomes/translation.npz", {"fr-en": kept})
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
