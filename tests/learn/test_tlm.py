"""TLM reads hidden words off the other language, and with MLM brings translations together."""

from typing import Any

import torch

from xlmkit.checkpoint.bundle import Bundle
from xlmkit.data.records import Record
from xlmkit.evaluate.config import RetrievalConfig
from xlmkit.evaluate.inference import PlainEncoder
from xlmkit.evaluate.retrieval import measure_retrieval
from xlmkit.evaluate.word_alignment import Gold, alignment_quality
from xlmkit.inference.aligner import WordAligner
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.config import MlmConfig, TlmConfig
from xlmkit.objectives.mlm import MaskedLanguageModeling
from xlmkit.text.tokenizer import Tokenizer

MASKING = {"share": 0.3}


def found(model: LanguageModel, tokenizer: Tokenizer, records: dict[str, list[Record]]) -> float:
    encoder = PlainEncoder(model.transformer, tokenizer, list(tokenizer.lang2id))
    measured = measure_retrieval(encoder, records["valid"], records["test"], RetrievalConfig())
    assert measured is not None
    return float(measured["average"])


def misaligned(model: LanguageModel, tokenizer: Tokenizer, records: list[Record]) -> float:
    """Return the alignment error rate for translations in the opposite order of words."""
    sources = [record.texts["en"] for record in records]
    targets = [" ".join(reversed(record.texts["el"].split())) for record in records]
    bundle = Bundle(model.transformer.architecture, tokenizer, model.state_dict())
    aligner = WordAligner(bundle, precision="float32")
    found = [one.pairs for one in aligner.align(sources, targets, "en", "el")]
    gold = []
    for source in sources:
        n = len(source.split())
        pairs = frozenset((i, n - 1 - i) for i in range(n))
        gold.append(Gold(pairs, pairs))
    return alignment_quality(found, gold).error_rate


def test_hidden_words_are_read_off_the_translation(cipher: Any, learn: Any) -> None:
    shards, tokenizer, records = cipher
    torch.manual_seed(0)
    model = LanguageModel(
        Architecture(
            n_words=14 + 48,
            n_langs=2,
            n_layers=2,
            emb_dim=48,
            n_heads=4,
            max_position_embeddings=24,
            embed_init_std=48**-0.5,
        )
    )
    tlm_section = TlmConfig.model_validate({"length": 24, "one_side": 1.0, "masking": MASKING})
    mlm_section = MlmConfig.model_validate({"length": 16, "form": "sentence", "masking": MASKING})
    build: dict[str, Any] = {"shards": shards, "tokens": 1024, "seed": 0}
    tlm = MaskedLanguageModeling.tlm(tlm_section, split="train", **build)
    mlm = MaskedLanguageModeling.mlm(mlm_section, split="train", **build)

    assert found(model, tokenizer, records) < 0.1
    by_chance = misaligned(model, tokenizer, records["test"])
    learn(model, [tlm, mlm], steps=600, lr=5e-3)
    model.eval()
    valid = MaskedLanguageModeling.tlm(tlm_section, split="valid", **build)
    with torch.no_grad():
        parts = sum(valid.loss(model, valid.batch(number)).parts for number in range(8))
    assert isinstance(parts, torch.Tensor)
    accuracy = parts[:, 2] / parts[:, 1]  # in either language
    assert accuracy.min() > 0.97
    assert found(model, tokenizer, records) > 0.9
    assert misaligned(model, tokenizer, records["test"]) < 0.6 < 0.8 < by_chance
