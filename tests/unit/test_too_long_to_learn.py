"""Texts that are too long to learn a translator from are counted and told."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from xlmkit.build import translator_objectives as made_of
from xlmkit.core.config import load_config
from xlmkit.core.errors import UserError
from xlmkit.core.process import Processes
from xlmkit.data.shards import Shards
from xlmkit.plan import RunPlan
from xlmkit.recipe import Recipe
from xlmkit.run import prepare

SUMMARIES = "{kind: jsonl, path: short.jsonl, text: text, second: short, language: en}"
SECTION = f"""\
translation:
  steps: 4
  criterion: loss
  models:
    all:
      mt: {{length: 14}}
      ae: {{length: 16, languages: [zh]}}
      bt: {{length: 17, directions: [en-zh]}}
    headlines: {{summary: {{summary_length: 8, train: [{SUMMARIES}]}}}}
"""


@pytest.fixture
def made(project: Path) -> RunPlan:
    path = project / "recipe.yaml"
    text = path.read_text("utf-8").partition("pretrain:")[0]
    path.write_text(f"{text}{SECTION}", encoding="utf-8")
    rows = [{"text": "a b c d e f", "short": short} for short in ("a", "b", "a b c d e f g h i")]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (project / "short.jsonl").write_text(lines, encoding="utf-8")
    prepare(path, [], project / "out", False)
    return RunPlan(load_config(path, Recipe, []), project, project / "out", Processes())


def test_what_is_too_long_is_told(made: RunPlan, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    objectives = made_of.translator_objectives(made, "all")
    assert len(objectives) == 3
    said = " ".join(capsys.readouterr().err.split())
    lengths = Shards(made.shards.folder).sentences("train", "zh").lengths
    long = int((lengths + 2 > 16).sum())
    assert 0 < long < len(lengths)
    assert "all.mt: translations with a sentence of more than 14 tokens are not learned: " in said
    assert f"all.ae: sentences of more than 16 tokens are not learned: {long:,} of zh." in said
    assert "all.bt: sentences of more than 17 tokens are not learned: " in said
    made_of.translator_objectives(made, "headlines")
    told = "headlines.summary: texts whose summaries have more than 8 tokens are not learned: 1 of"
    assert f"{told} en-en." in " ".join(capsys.readouterr().err.split())
    made_of.translator_objectives(made, "all", tell=False)
    assert capsys.readouterr().err == ""


def test_a_direction_of_which_all_pairs_are_too_long_is_refused(
    made: RunPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = SimpleNamespace(name="en-zh")
    pairs = SimpleNamespace(groups=[group], left_out={"en-zh": 3, "zh-en": 0})
    monkeypatch.setattr(made_of, "DirectedPairs", lambda *_, **__: pairs)
    with pytest.raises(UserError, match="all translations of zh-en have sentences of more than 14"):
        made_of.translator_objectives(made, "all")
