"""Long texts of other families: in windows, with the special tokens of the family."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

transformers = pytest.importorskip("transformers")

from xlmkit.core.errors import UserError  # noqa: E402 - after the check for transformers
from xlmkit.core.files import read_json  # noqa: E402
from xlmkit.data.text_windows import LongTexts  # noqa: E402
from xlmkit.huggingface.encoders import HuggingFaceBackbone  # noqa: E402
from xlmkit.huggingface.scorers import encode_examples  # noqa: E402
from xlmkit.huggingface.windows import encode_in_windows  # noqa: E402
from xlmkit.tasks.classification import ClassificationConfig, ClassificationData  # noqa: E402
from xlmkit.tasks.multiple_choice import MultipleChoiceConfig, MultipleChoiceData  # noqa: E402
from xlmkit.tasks.sequences import LabelledTexts  # noqa: E402

Make = Callable[..., Path]
WORDS = ["the", "old", "dog", "sees", "the", "small", "cat", "near", "the", "river", "and"]
LONG = " ".join(WORDS[i % len(WORDS)] for i in range(50))
TEXTS = ["The old dog", LONG, ""]
FAMILIES = ["bert", "xlm-roberta", "mbart"]


def opened(folder: Path) -> HuggingFaceBackbone:
    family = read_json(folder / "config.json")["model_type"]
    return HuggingFaceBackbone.open(folder, family, ["en", "zh"])


@pytest.fixture(params=FAMILIES)
def backbone(request: pytest.FixtureRequest, make_encoder: Make, tmp_path: Path) -> Any:
    return opened(make_encoder(request.param, tmp_path / "model"))


def test_windows_are_what_the_tokenizer_makes_of_their_words(backbone: HuggingFaceBackbone) -> None:
    encoder = backbone.encoder
    encoder.tell_language("en")
    rows, owners = encode_in_windows(encoder, {"en": TEXTS}, 22, 8, types=True)
    assert owners.tolist() == [0, 1, 1, 1, 1, 2]
    words = LONG.split()
    parts = [" ".join(words[start : start + 20]) for start in (0, 12, 24, 30)]
    expected, kinds = encoder.rows([TEXTS[0], *parts, TEXTS[2]], None)
    assert [row.tolist() for row in rows.ids] == [row.tolist() for row in expected]
    assert [row.tolist() for row in rows.types or ()] == [row.tolist() for row in kinds]
    assert encoder.cut(TEXTS, "en").tokens == 3 + 50


def test_of_a_pair_the_longer_text_is_cut(make_encoder: Make, tmp_path: Path) -> None:
    encoder = opened(make_encoder("mbart", tmp_path / "model")).encoder  # has a token between
    encoder.tell_language("en")
    short = "the small cat"
    special = encoder.tokenizer.num_special_tokens_to_add(pair=True)
    rows, owners = encode_in_windows(
        encoder, {"en": [short, LONG]}, 23 + special, 0, types=False, seconds={"en": [LONG, short]}
    )
    assert owners.tolist() == [0, 0, 0, 1, 1, 1]
    words = LONG.split()
    parts = [" ".join(words[start : start + 20]) for start in (0, 20, 30)]
    expected, _ = encoder.rows([short] * 3 + parts, parts + [short] * 3)
    assert [row.tolist() for row in rows.ids] == [row.tolist() for row in expected]


@pytest.mark.parametrize("join", ["mean", "max", "first", "vote"])
def test_a_long_text_is_learned_and_judged_by_all_its_windows(
    make_encoder: Make, tmp_path: Path, join: Any
) -> None:
    backbone = opened(make_encoder("bert", tmp_path / "model"))
    config = ClassificationConfig(max_length=22, long_texts=LongTexts(stride=8, join=join))
    part = LabelledTexts(TEXTS, np.array([0, 1, 0]))
    torch.manual_seed(3)
    data = ClassificationData(["a", "b"], {"en": part}, {})
    rows, owners = encode_examples(backbone.encoder, data, 22, config.long_texts, types=True)
    assert [len(row) for row in rows.ids] == [5, 22, 22, 22, 22, 2]
    assert owners.tolist() == [0, 1, 1, 1, 1, 2]
    adaptation = backbone.classification(data, config, 4096, "seed")
    assert adaptation.objective.labels.tolist() == [0, 1, 1, 1, 1, 0]
    assert int(adaptation.objective.batch(0).inputs.mask.sum(dim=1).max()) <= 22
    weights = {name: p.detach().clone() for name, p in adaptation.model.named_parameters()}
    folder = tmp_path / "saved"
    adaptation.save(folder, weights, {})
    made = backbone.classifier(folder, config).scores(TEXTS, "en")
    plain = backbone.classifier(folder, ClassificationConfig(max_length=22))
    words = LONG.split()
    windows = [" ".join(words[start : start + 20]) for start in (0, 12, 24, 30)]
    single = plain.scores(windows, "en")
    joined = {"mean": single.mean(0), "max": single.max(0), "first": single[0]}
    if join == "vote":
        assert made[1].argmax() == np.bincount(single.argmax(1), minlength=2).argmax()
    else:
        np.testing.assert_allclose(made[1], joined[join], atol=1e-5)
    np.testing.assert_allclose(made[::2], plain.scores(TEXTS[::2], "en"), atol=1e-5)


@pytest.mark.parametrize("join", ["mean", "max", "first"])
def test_choices_are_learned_as_they_are_measured(
    make_encoder: Make, tmp_path: Path, join: Any
) -> None:
    backbone = opened(make_encoder("bert", tmp_path / "model"))
    config = MultipleChoiceConfig(
        kind="multiple_choice", max_length=22, long_texts=LongTexts(stride=8, join=join), dropout=0
    )
    part = LabelledTexts(
        ["The cat"] * 4, np.array([1, 0]), [LONG, "the river", "the old dog", LONG[::-1]]
    )
    data = MultipleChoiceData(["choice"], {"en": part}, {}, 2)
    torch.manual_seed(3)
    adaptation = backbone.classification(data, config, 64, "seed")
    items = adaptation.objective.pool.batch(0)
    with torch.no_grad():
        output = adaptation.objective.loss(adaptation.model, adaptation.objective.batch(0))
    weights = {name: p.detach().clone() for name, p in adaptation.model.named_parameters()}
    adaptation.save(tmp_path / "saved", weights, {})
    classifier = backbone.classifier(tmp_path / "saved", config)
    measured = classifier.scores(part.texts, "en", part.seconds).reshape(2, 2)
    loss = torch.nn.functional.cross_entropy(
        torch.from_numpy(measured[items]), torch.from_numpy(part.labels[items]), reduction="sum"
    )
    torch.testing.assert_close(output.sum, loss, atol=1e-5, rtol=1e-5)


def test_texts_that_lose_their_ends_are_told(
    make_encoder: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backbone = opened(make_encoder("bert", tmp_path / "model"))
    data = ClassificationData(["a", "b"], {"en": LabelledTexts(TEXTS, np.array([0, 1, 0]))}, {})
    backbone.classification(data, ClassificationConfig(max_length=22), 4096, "seed")
    said = capsys.readouterr().err
    assert "1 of 3 texts to learn from are longer than 22 tokens and lose their ends" in said


def test_a_slow_tokenizer_is_refused(make_encoder: Make, tmp_path: Path) -> None:
    encoder = opened(make_encoder("bert", tmp_path / "model")).encoder

    class Slow:
        is_fast = False

    encoder.tokenizer = Slow()
    with pytest.raises(UserError, match="Slow does not tell where its special tokens stand"):
        encode_in_windows(encoder, {"en": TEXTS}, 22, 8, types=False)
