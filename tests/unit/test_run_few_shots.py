"""Labels of several languages, all or few of some, from the recipe to the report."""

from pathlib import Path

import pytest

from xlmkit.core.files import read_json
from xlmkit.run import run

_SOURCE = "kind: tsv, text: 0, language_column: 1, label_column: 2"
BOTH = f"finetune.kind.train=[{{{_SOURCE}, path: train.tsv}}, {{{_SOURCE}, path: test.tsv}}]"


@pytest.fixture
def out(finished: Path) -> Path:
    return finished / "out"


def test_few_shots_are_drawn_by_each_seed_and_told(
    finished: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [BOTH, "finetune.kind.few_shot=2", "finetune.kind.language_alpha=0.5"]
    run(finished / "recipe.yaml", [*settings, "finetune.kind.seeds=2"], out, False)
    told = capsys.readouterr()
    assert "labels in English, with 2 examples of each class of other languages" in told.out
    task = read_json(out / "results.json")["models"]["both"]["tasks"]["kind"]
    assert task["few_shot"] == 2
    assert task["train_examples"] == 60 + 40 + 2 * 2 * 2  # all in English, few in two others
    assert task["average"]["over"] == ["zh", "ar"]
    assert task["seeds"]["seeds"] == [1, 2]
    page = (out / "report.html").read_text("utf-8")
    assert "the only language whose labels were seen" not in page
    assert "Labels were learned in English, with 2 examples of each class" in page


def test_joint_training_is_averaged_over_the_languages_without_labels(
    finished: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [BOTH, "finetune.kind.source_languages=[en, zh]", "finetune.kind.language_alpha=0"]
    run(finished / "recipe.yaml", settings, out, False)
    assert "labels in English and Chinese (95% intervals)" in capsys.readouterr().out
    task = read_json(out / "results.json")["models"]["both"]["tasks"]["kind"]
    assert task["source_languages"] == ["en", "zh"]
    assert task["average"]["over"] == ["ar"]
