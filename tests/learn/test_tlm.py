"""TLM reads hidden words off the other language, and so brings translations together."""

from typing import Any

import torch

from xlmkit.evaluate.config import RetrievalConfig
from xlmkit.evaluate.retrieval import measure_retrieval
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.config import TlmConfig
from xlmkit.objectives.mlm import MaskedLanguageModeling

ARCHITECTURE = Architecture(
    n_words=46,
    n_langs=2,
    n_layers=2,
    emb_dim=48,
    n_heads=4,
    dropout=0.0,
    attention_dropout=0.0,
    max_position_embeddings=24,
    embed_init_std=48**-0.5,
)


def tlm(shards: Any, split: str) -> MaskedLanguageModeling:
    config = TlmConfig.model_validate({"length": 24, "one_side": 1.0, "masking": {"share": 0.3}})
    return MaskedLanguageModeling.tlm(config, shards, split=split, tokens=1024, seed=0)


def test_hidden_words_are_read_off_the_translation(cipher: Any, learn: Any) -> None:
    shards, tokenizer, test = cipher
    torch.manual_seed(0)
    model = LanguageModel(ARCHITECTURE)

    def found() -> float:
        measured = measure_retrieval(
            model.transformer, tokenizer, test, test, RetrievalConfig(candidates=150)
        )
        assert measured is not None
        return float(measured["average"])

    assert found() < 0.2
    learn(model, [tlm(shards, "train")], steps=STEPS, lr=LR)
    model.eval()
    valid = tlm(shards, "valid")
    with torch.no_grad():
        parts = sum(valid.loss(model, valid.batch(number)).parts for number in range(8))
    accuracy = float(parts[:, 2].sum() / parts[:, 1].sum())
    print(accuracy, found())
    assert accuracy > 0.95
    assert found() > 0.9
