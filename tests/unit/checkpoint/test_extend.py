from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.checkpoint.extend import extended
from xlmkit.checkpoint.names import SEQUENCE_CLASSIFIER, TRANSLATOR
from xlmkit.cli.app import app
from xlmkit.core.files import read_json, write_json
from xlmkit.model.config import Architecture
from xlmkit.model.encoder_decoder import EncoderDecoder
from xlmkit.model.heads import SequenceClassifier
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

SHAPE = Architecture(
    n_words=15, n_langs=1, n_layers=1, emb_dim=8, n_heads=2, max_position_embeddings=10
)


def save(folder: Path, shape: Architecture = SHAPE, head: str = SEQUENCE_CLASSIFIER) -> Path:
    torch.manual_seed(0)
    model = SequenceClassifier(shape, 2) if head == SEQUENCE_CLASSIFIER else EncoderDecoder(shape)
    tokenizer = Tokenizer(
        Vocabulary([*SPECIAL_TOKENS, "a</w>"]), Merges(()), {"en": 0}, segmenters={}
    )
    labels = ["x", "y"] if head == SEQUENCE_CLASSIFIER else []
    Bundle(shape, tokenizer, model.state_dict(), head, labels).save(folder)
    return folder


def call(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["extend-positions", *map(str, arguments)])
    return result.exit_code, result.output


def scores(folder: Path, length: int) -> torch.Tensor:
    model = Bundle.load(folder).classifier()
    tokens = torch.full((1, length), 14)
    with torch.no_grad():
        found: torch.Tensor = model(tokens, torch.tensor([length]))
    return found


def test_short_texts_are_read_as_before_and_longer_ones_too(tmp_path: Path) -> None:
    folder, longer = save(tmp_path / "model"), tmp_path / "longer"
    config = read_json(folder / "config.json")
    write_json(folder / "config.json", {**config, "problem_type": "single_label_classification"})
    (folder / "answering.json").write_text("{}", encoding="utf-8")
    code, printed = call(folder, "--to", 24, "--output", longer)
    assert code == 0
    assert "reads 24 tokens instead of 10" in printed
    torch.testing.assert_close(scores(longer, 10), scores(folder, 10), rtol=0, atol=0)
    assert torch.isfinite(scores(longer, 24)).all()
    made = read_json(longer / "config.json")
    assert made == {**read_json(folder / "config.json"), "max_position_embeddings": 24}
    assert {p.name for p in longer.iterdir()} == {p.name for p in folder.iterdir()}
    with pytest.raises(IndexError, match="position ids"):
        scores(folder, 24)


def test_transformers_opens_the_longer_model(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    call(save(tmp_path / "model"), "--to", 24, "--output", tmp_path / "longer")
    model = transformers.XLMForSequenceClassification.from_pretrained(tmp_path / "longer")
    with torch.no_grad():
        theirs = model.eval()(torch.full((1, 24), 14)).logits
    torch.testing.assert_close(theirs, scores(tmp_path / "longer", 24), atol=1e-5, rtol=1e-4)


def test_tables_are_copied_or_drawn_out() -> None:
    table = torch.randn(10, 8)
    copied = extended(table, 25, "copy")
    torch.testing.assert_close(copied, torch.cat([table, table, table[:5]]), rtol=0, atol=0)
    drawn = extended(table, 19, "interpolate")
    torch.testing.assert_close(drawn[::2], table)
    torch.testing.assert_close(drawn[1], (table[0] + table[1]) / 2)


def test_a_sinusoidal_table_goes_on_as_it_was(tmp_path: Path) -> None:
    folder = save(tmp_path / "model", replace(SHAPE, sinusoidal_embeddings=True))
    call(folder, "--to", 40, "--output", tmp_path / "longer", "--by", "interpolate")
    name = "transformer.position_embeddings.weight"
    before = Bundle.load(folder).weights[name]
    after = Bundle.load(tmp_path / "longer").weights[name]
    torch.testing.assert_close(after[:10], before, rtol=0, atol=1e-6)
    whole = save(tmp_path / "whole", replace(
        SHAPE, sinusoidal_embeddings=True, max_position_embeddings=40
    ))  # fmt: skip
    torch.testing.assert_close(after, Bundle.load(whole).weights[name], rtol=0, atol=0)


def test_both_tables_of_a_translator_grow(tmp_path: Path) -> None:
    folder = save(tmp_path / "model", head=TRANSLATOR)
    call(folder, "--to", 30, "--output", tmp_path / "longer")
    model = Bundle.load(tmp_path / "longer").encoder_decoder()
    assert model.encoder.position_embeddings.weight.shape == (30, 8)
    assert model.decoder.position_embeddings.weight.shape == (30, 8)


def test_mistakes_are_told(tmp_path: Path) -> None:
    folder = save(tmp_path / "model")
    code, printed = call(folder, "--to", 10, "--output", tmp_path / "longer")
    assert code == 1
    assert "has 10 positions already" in printed
    code, printed = call(folder, "--to", 20, "--output", folder)
    assert code == 1
    assert "is there already" in printed
