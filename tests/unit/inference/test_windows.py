import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from xlmkit import SentenceEncoder, SequencePredictor
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.cli.app import app
from xlmkit.core.errors import UserError
from xlmkit.data.text_windows import LongTexts
from xlmkit.evaluate.inference import PlainClassifier
from xlmkit.evaluate.scoring import Scoring

SHORT = ["a b c", "b", ""]
LONG = " ".join("abcab"[i % 5] for i in range(70))  # the model reads 32 tokens, two of them </s>


def values(rows: list[dict[str, Any]]) -> list[list[float]]:
    return [list(row["probabilities"].values()) for row in rows]


@pytest.mark.parametrize("join", ["mean", "max", "vote", "first"])
def test_short_texts_are_read_as_ever(classifier: Path, join: Any) -> None:
    bundle = Bundle.load(classifier)
    plain = SequencePredictor(bundle, "float32").predict(SHORT, "en")
    windows = SequencePredictor(bundle, "float32", LongTexts(join=join))
    assert windows.predict(SHORT, "en") == plain
    encoder = SentenceEncoder(bundle, precision="float32")
    in_windows = SentenceEncoder(bundle, precision="float32", stride=8)
    np.testing.assert_array_equal(in_windows.encode(SHORT, "fr"), encoder.encode(SHORT, "fr"))


def test_the_vector_of_a_long_text_is_the_mean_of_its_windows(language_model: Path) -> None:
    encoder = SentenceEncoder.from_pretrained(language_model, precision="float32", stride=10)
    words = LONG.split()
    parts = [" ".join(words[start : start + 30]) for start in (0, 20, 40)]
    made = encoder.encode(["a", LONG, "b"], "en")
    np.testing.assert_allclose(made[1], encoder.encode(parts, "en").mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(made[::2], encoder.encode(["a", "b"], "en"), atol=1e-6)


def test_a_long_text_is_judged_by_all_its_windows(classifier: Path) -> None:
    bundle = Bundle.load(classifier)
    words = LONG.split()
    parts = [" ".join(words[start : start + 30]) for start in (0, 20, 40)]

    def scorer(join: Any) -> PlainClassifier:
        return PlainClassifier(
            bundle.classifier(), bundle.tokenizer, ["en"], 32, LongTexts(stride=10, join=join)
        )

    single = scorer("mean").scores(parts, "en")
    mean, highest = (scorer(join).scores([LONG], "en")[0] for join in ("mean", "max"))
    np.testing.assert_allclose(mean, single.mean(0), atol=1e-5)
    np.testing.assert_allclose(highest, single.max(0), atol=1e-5)
    predicted = SequencePredictor(bundle, "float32", LongTexts(stride=10)).predict([LONG], "en")
    powers = np.exp(single.mean(axis=0))
    np.testing.assert_allclose(values(predicted)[0], powers / powers.sum(), atol=1e-5)


def test_what_is_cut_off_is_told_once(classifier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predictor = SequencePredictor.from_pretrained(classifier)
    predictor.predict([LONG, "a"], "en")
    predictor.predict([LONG, "a"], "en")
    assert capsys.readouterr().err.count("1 of 2 texts are longer than 32 tokens") == 1
    windows = LongTexts(stride=8)
    SequencePredictor.from_pretrained(classifier, long_texts=windows).predict([LONG], "en")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("decides", ["number", "choice"])
def test_windows_vote_for_classes_only(classifier: Path, decides: Any) -> None:
    bundle, vote = Bundle.load(classifier), LongTexts(join="vote")
    with pytest.raises(UserError, match="and this model has none; take --join mean, max or first"):
        SequencePredictor(bundle, "float32", vote, Scoring(decides=decides))
    with pytest.raises(UserError, match="A vote needs classes"):
        SequencePredictor(bundle, "float32", scoring=Scoring(decides=decides, long_texts=vote))
    SequencePredictor(bundle, "float32", vote, Scoring(decides="several"))


def test_how_windows_are_joined_needs_windows(classifier: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(classifier, tmp_path / "model"))
    source = tmp_path / "texts.txt"
    source.write_text("a " * 30 + "c " * 40 + "\n", encoding="utf-8")
    call = ["predict", str(folder), str(source), "--lang", "en", "--precision", "float32"]
    refused = CliRunner().invoke(app, [*call, "--join", "max"])
    assert refused.exit_code == 1
    assert "reads none by itself; give --stride too, or leave out --join" in refused.output

    def probabilities(*options: str) -> dict[str, float]:
        done = CliRunner().invoke(app, [*call, *options])
        assert done.exit_code == 0
        found: dict[str, float] = json.loads(done.stdout)["probabilities"]
        return found

    asked = probabilities("--stride", "10", "--join", "max")
    assert asked != probabilities("--stride", "10")
    Scoring(long_texts=LongTexts(stride=10)).save(folder)
    assert probabilities("--join", "max") == asked
