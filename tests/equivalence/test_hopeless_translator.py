"""A hopeless training that is killed and goes on says the same once, and is given up as early."""

from pathlib import Path
from typing import Any

import pytest

from xlmkit.build.translation_measure import TranslationValidation
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.core.files import read_json, sha256_file
from xlmkit.run import prepare, train_translator
from xlmkit.train.state import TrainingState

SECTION = """\
pretrain: {models: null, checkpoint_minutes: 1.0e-9}
translation:
  steps: 40
  tokens_per_batch: 256
  optimizer: {lr: 1.0e-30, clip: 1.0e-30}
  validate_every: 3
  max_valid: 24
  beam_size: 0
  give_up_after: 4
  models:
    mute: {mt: {directions: [en-ar], length: 32}}
"""
SHARES = ["data.split.valid=0.1", "data.split.test=0.1"]


@pytest.fixture
def recipe(project: Path) -> Path:
    """A recipe whose translator begins as one that writes one word again and again."""
    path = project / "recipe.yaml"
    text = path.read_text("utf-8").partition("pretrain:")[0]
    path.write_text(f"{text}{SECTION}", encoding="utf-8")
    prepare(path, SHARES, project / "out", False)
    first = [*SHARES, "translation.steps=1", "translation.give_up_after=null"]
    train_translator(path, first, project / "out", False)
    bundle = Bundle.load(project / "out" / "translation" / "mute")
    bundle.weights["pred_layer.proj.bias"][-1] += 100
    bundle.save(project / "always-the-same")
    return path


def trained(recipe: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Train, and return the figures without times, and what was said of health."""
    capsys.readouterr()
    settings = [*SHARES, f"translation.models.mute.init={recipe.parent / 'always-the-same'}"]
    train_translator(recipe, settings, out, True)
    folder = out / "translation" / "mute"
    figures = read_json(folder / "figures.json")
    curve = [{k: v for k, v in p.items() if k != "seconds"} for p in figures["curve"]]
    weights = sha256_file(folder / "model.safetensors")
    return figures["steps"], curve, weights, told_of_health(capsys)


def told_of_health(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return what was said of health and of the end, without the scores."""
    lines = capsys.readouterr().err.splitlines()
    told = [line for line in lines if "Step" in line or "training ended" in line]
    return [line for line in told if " BLEU " not in line]


def test_killed_at_a_measurement_it_ends_as_one_that_was_not(
    recipe: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = recipe.parent / "out"
    steps, curve, test, told = trained(recipe, out, capsys)
    assert steps == 12  # four measurements
    assert sum("collapses" in line for line in told) == 1
    assert told[0].startswith("Step 6: English to Arabic")  # the second confirms it
    assert told[-1].startswith("All directions still copied, collapsed or wrote nothing at step 12")

    class KilledError(Exception):
        pass

    measure = TranslationValidation.__call__
    seen: list[int] = []

    def killed(self: TranslationValidation, model: Any, state: TrainingState) -> None:
        measure(self, model, state)
        seen.append(state.step)
        if len(seen) in (2, 4):  # before and after the finding is saved
            raise KilledError

    monkeypatch.setattr(TranslationValidation, "__call__", killed)
    said: list[str] = []
    for _ in range(2):
        with pytest.raises(KilledError):
            trained(recipe, out, capsys)
        said += told_of_health(capsys)
    again = trained(recipe, out, capsys)
    assert seen == [3, 6, 6, 9, 9, 12]
    assert again[:3] == (steps, curve, test)
    assert again[3] == told[-1:]  # the finding was told before, by the part that was killed
    assert said == told[:-1] * 2  # and said again only where its measurement was lost
