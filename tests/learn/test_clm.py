"""CLM continues a pattern that repeats, which needs the words before and their order."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from xlmkit.core.files import write_json
from xlmkit.data.shards import MANIFEST, Shards
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel
from xlmkit.objectives.clm import CausalLanguageModeling
from xlmkit.objectives.config import ClmConfig

LENGTH, PERIOD = 24, 4


def write_shards(folder: Path) -> Shards:
    """Every stream is four random words, over and over: they cannot be learned by heart."""
    random = np.random.default_rng(0)
    arrays = {}
    for split, rows in (("train", 2000), ("valid", 50)):
        patterns = random.integers(14, 30, (rows, PERIOD))
        tokens = np.tile(patterns, LENGTH // PERIOD).ravel().astype("<u2")
        arrays[f"{split}.en.tokens"] = tokens
        arrays[f"{split}.en.starts"] = np.array([0, len(tokens)], "<i8")
    arrays["word_counts"] = np.ones(30, "<i8")
    files = {}
    for name, array in arrays.items():
        array.tofile(folder / name)
        files[name] = {"dtype": array.dtype.str, "bytes": array.nbytes}
    write_json(folder / MANIFEST, {"languages": ["en"], "pairs": {}, "files": files})
    return Shards(folder)


def test_a_repeating_pattern_is_continued(tmp_path: Path, learn: Any) -> None:
    shards = write_shards(tmp_path)
    torch.manual_seed(0)
    model = LanguageModel(
        Architecture(
            n_words=30,
            n_langs=1,
            n_layers=2,
            emb_dim=32,
            n_heads=2,
            dropout=0.0,
            attention_dropout=0.0,
            max_position_embeddings=LENGTH,
            embed_init_std=32**-0.5,
            causal=True,
        )
    )
    section = ClmConfig(length=LENGTH)
    train, valid = (
        CausalLanguageModeling(section, shards, split=split, tokens=960, seed=0)
        for split in ("train", "valid")
    )
    learn(model, [train], steps=400, lr=5e-3)
    model.eval()
    batch = valid.batch(0)
    with torch.no_grad():
        losses, correct = model(
            batch.inputs.tokens,
            batch.inputs.lengths,
            batch.inputs.positions,
            batch.inputs.languages,
            batch.predict,
            batch.targets,
        )
    shape = (len(batch.inputs.tokens), LENGTH - 1)
    right, nats = correct.view(shape).double().mean(0), losses.view(shape).mean(0)
    assert right[PERIOD - 1 :].min() > 0.97  # from the second time on
    # The first time nothing can be known: a fair guess costs the logarithm of 16 words.
    assert nats[: PERIOD - 1].mean() > 0.9 * np.log(16)
