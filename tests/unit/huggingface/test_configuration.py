"""XLMConfig takes what transformers' takes, and what the original project had besides."""

from pathlib import Path
from typing import Any

import pytest

transformers = pytest.importorskip("transformers")

from xlmkit import XLMConfig  # noqa: E402 - after the check for transformers

SIZES: dict[str, Any] = {"vocab_size": 50, "emb_dim": 32, "n_layers": 2, "n_heads": 4, "n_langs": 3}
MEMORY = {"positions": [[1, "in"]], "decoder_positions": [[0, "after"]], "n_keys": 16, "key_dim": 8}


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"causal": True, "sinusoidal_embeddings": True, "gelu_activation": False},
        {"asm": True, "asm_cutoffs": [20, 40], "asm_div_value": 2.0},
        {"memory": MEMORY},
        {"tie_word_embeddings": False, "max_position_embeddings": 1024},
    ],
)
def test_a_configuration_survives_its_file(tmp_path: Path, choices: dict[str, Any]) -> None:
    config = XLMConfig(**SIZES, **choices)
    config.save_pretrained(tmp_path)
    assert XLMConfig.from_pretrained(tmp_path).architecture == config.architecture
    assert transformers.XLMConfig.from_pretrained(tmp_path).emb_dim == 32


def test_the_names_of_the_original_are_accepted() -> None:
    config = XLMConfig(n_words=60, emb_dim=32, n_heads=4, pad_index=7, bos_index=3)
    assert (config.vocab_size, config.pad_token_id, config.bos_token_id) == (60, 7, 3)
    assert config.architecture.n_words == 60
    assert config.architecture.pad_index == 7


def test_memories_of_encoder_and_decoder_are_told_apart() -> None:
    shape = XLMConfig(**SIZES, memory=MEMORY).architecture
    assert shape.memory is not None
    assert shape.memory.positions == ((1, "in"),)
    decoder = shape.decoder
    assert decoder.memory is not None
    assert decoder.memory.positions == ((0, "after"),)
    assert decoder.causal
    assert decoder.is_decoder


def test_an_adaptive_softmax_gets_the_cutoffs_of_the_original() -> None:
    config = XLMConfig(**{**SIZES, "vocab_size": 30000}, asm=True)
    assert config.architecture.asm_cutoffs == (8000, 20000)
    with pytest.raises(ValueError, match="needs asm_cutoffs"):
        XLMConfig(**SIZES, asm=True)
