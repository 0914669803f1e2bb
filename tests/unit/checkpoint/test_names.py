from pathlib import Path

import pytest

from xlmkit.checkpoint.names import LANGUAGE_MODEL, from_config_json, to_config_json
from xlmkit.core.errors import UserError
from xlmkit.model.config import Architecture

ARCHITECTURE = Architecture(
    n_words=99, n_langs=2, n_layers=3, emb_dim=8, n_heads=2, dropout=0.3, causal=True
)


def test_a_configuration_comes_back() -> None:
    config = to_config_json(ARCHITECTURE, {"en": 0, "sw": 1}, LANGUAGE_MODEL)
    assert from_config_json(config, Path("config.json")) == ARCHITECTURE
    assert config["vocab_size"] == 99
    assert config["id2lang"] == {"0": "en", "1": "sw"}
    assert (config["mask_token_id"], config["pad_token_id"]) == (5, 2)
    assert "id2label" not in config


def test_names_of_older_files_are_understood() -> None:
    config = {"model_type": "xlm", "n_words": 64, "n_layers": 1, "emb_dim": 4, "n_heads": 1}
    found = from_config_json(config, Path("config.json"))
    assert (found.n_words, found.n_langs, found.max_position_embeddings) == (64, 1, 512)


def test_labels_are_numbered_both_ways() -> None:
    config = to_config_json(ARCHITECTURE, {}, "X", ["да", "нет"], "mean")
    assert config["id2label"] == {"0": "да", "1": "нет"}
    assert config["label2id"] == {"да": 0, "нет": 1}
    assert config["summary_type"] == "mean"


def test_what_is_not_of_xlm_is_refused() -> None:
    with pytest.raises(UserError, match="names no model_type"):
        from_config_json({}, Path("config.json"))
