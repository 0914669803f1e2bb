"""A model's folder opened by sentence-transformers gives the vectors of `SentenceEncoder`."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from xlmkit import SentenceEncoder
from xlmkit.checkpoint.bundle import Bundle
from xlmkit.cli.app import app
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.text.bpe import Merges
from xlmkit.text.tokenizer import Tokenizer
from xlmkit.text.vocabulary import SPECIAL_TOKENS, Vocabulary

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    library: Any = pytest.importorskip("sentence_transformers")

pytestmark = pytest.mark.filterwarnings("ignore")  # of the library
TEXTS = ["a b c", "c", "b a b c a", "a b c " * 20, "a x"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    symbols = Vocabulary([*SPECIAL_TOKENS, "a</w>", "b</w>", "c</w>"])
    shape = Architecture(
        n_words=len(symbols), n_langs=2, n_layers=2, emb_dim=16, n_heads=2,
        max_position_embeddings=32, embed_init_std=0.5,
    )  # fmt: skip
    torch.manual_seed(0)
    tokenizer = Tokenizer(symbols, Merges(()), {"en": 0, "fr": 1}, segmenters={})
    path = tmp_path_factory.mktemp("model")
    Bundle(shape, tokenizer, LanguageModel(shape).state_dict()).save(path)
    return path


def export(*arguments: Any) -> Any:
    command = ["export", *map(str, arguments), "--to", "sentence-transformers"]
    return CliRunner().invoke(app, command)


@pytest.mark.parametrize(
    ("options", "choices"),
    [
        ([], {}),
        (["--layer", 1], {"layer": 1}),
        (["--pooling", "first"], {"pooling": "first"}),
    ],
)
def test_vectors_are_the_same(
    folder: Path, tmp_path: Path, options: list[Any], choices: dict[str, Any]
) -> None:
    made = export(folder, tmp_path / "out", *options)
    assert made.exit_code == 0, made.output
    model = library.SentenceTransformer(str(tmp_path / "out"), trust_remote_code=True, device="cpu")
    encoder = SentenceEncoder.from_pretrained(folder, precision="float32", **choices)
    rows = {}
    for code in ("en", "fr"):
        rows[code] = model.encode(TEXTS, lang=code)
        np.testing.assert_allclose(rows[code], encoder.encode(TEXTS, code), atol=1e-5)
    assert not np.allclose(rows["en"], rows["fr"])
    with pytest.raises(ValueError, match="name the language of the texts"):
        model.encode(TEXTS)
    model.save(str(tmp_path / "again"))
    again = library.SentenceTransformer(
        str(tmp_path / "again"), trust_remote_code=True, device="cpu"
    )
    np.testing.assert_allclose(again.encode(TEXTS, lang="fr"), rows["fr"], atol=1e-6)


def test_a_language_may_be_the_usual_one(folder: Path, tmp_path: Path) -> None:
    assert export(folder, tmp_path / "out", "--lang", "fr").exit_code == 0
    model = library.SentenceTransformer(str(tmp_path / "out"), trust_remote_code=True, device="cpu")
    np.testing.assert_array_equal(model.encode(TEXTS), model.encode(TEXTS, lang="fr"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--src", "en"], "--to sentence-transformers takes no --src"),
        (["--layer", 3], "the layers 1 to 2 to export, but not 3"),
        (["--lang", "de"], "does not know the language 'de'"),
    ],
)
def test_mistakes_are_told(folder: Path, tmp_path: Path, options: list[Any], message: str) -> None:
    made = export(folder, tmp_path / "out", *options)
    assert made.exit_code == 1
    assert message in made.output
    assert list(tmp_path.iterdir()) == []


def test_a_translator_needs_its_languages(folder: Path, tmp_path: Path) -> None:
    command = ["export", str(folder), str(tmp_path / "out"), "--to", "ctranslate2"]
    made = CliRunner().invoke(app, command)
    assert made.exit_code == 1
    assert "Name the languages of the translator with --src and --tgt" in made.output
