from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from xlmkit.core.files import write_json
from xlmkit.data.batch import assemble
from xlmkit.data.shards import MANIFEST, Shards
from xlmkit.evaluate import language_modeling
from xlmkit.evaluate.language_modeling import measure_language_modeling
from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel, PredictionLayer

N_WORDS = 30


def sentences(seed: int, n: int) -> list[list[int]]:
    random = np.random.default_rng(seed)
    return [random.integers(14, N_WORDS, random.integers(1, 9)).tolist() for _ in range(n)]


TEXTS = {"en": sentences(0, 25), "tr": sentences(1, 10), "zh": []}


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    files: dict[str, Any] = {}
    for code, rows in TEXTS.items():
        if rows:
            arrays = {
                "tokens": np.array([i for row in rows for i in [*row, 1]], "<u2"),
                "starts": np.cumsum([0, *(len(row) + 1 for row in rows)]).astype("<i8"),
            }
            for kind, array in arrays.items():
                array.tofile(tmp_path / f"test.{code}.{kind}")
                files[f"test.{code}.{kind}"] = {"dtype": array.dtype.str, "bytes": array.nbytes}
    write_json(tmp_path / MANIFEST, {"languages": list(TEXTS), "pairs": {}, "files": files})
    return Shards(tmp_path)


def model(*, causal: bool) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(
        Architecture(
            n_words=N_WORDS,
            n_langs=3,
            n_layers=1,
            emb_dim=16,
            n_heads=2,
            max_position_embeddings=10,
            embed_init_std=0.5,
            causal=causal,
        )
    )


def causal_losses(lm: LanguageModel, code: int, rows: list[list[int]]) -> list[float]:
    losses = []
    for row in rows:
        inputs = assemble([((np.array(row), code),)], 10).tensors()
        hidden = lm.transformer(inputs.tokens, inputs.lengths, inputs.positions, inputs.languages)
        scores = lm.pred_layer(hidden[0, :-1])
        losses += functional.cross_entropy(scores, inputs.tokens[0, 1:], reduction="none").tolist()
    return losses


def test_causal_perplexity_is_that_of_every_next_word(shards: Shards) -> None:
    lm = model(causal=True).eval()
    found = measure_language_modeling(lm, shards, "test")
    assert list(found) == ["clm"]
    assert list(found["clm"]) == ["en", "tr"]  # there is no Chinese
    for number, code in enumerate(("en", "tr")):
        with torch.no_grad():
            losses = causal_losses(lm, number, TEXTS[code])
        assert found["clm"][code]["n"] == len(losses)
        value = found["clm"][code]["perplexity"]["value"]
        assert value == pytest.approx(np.exp(np.mean(losses)), rel=1e-4)


def test_results_do_not_depend_on_the_size_of_batches(
    shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    lm = model(causal=True)
    large = measure_language_modeling(lm, shards, "test")["clm"]["en"]
    monkeypatch.setattr(language_modeling, "_TOKENS", 12)
    small = measure_language_modeling(lm, shards, "test")["clm"]["en"]
    assert small["n"] == large["n"]
    assert small["perplexity"]["value"] == pytest.approx(large["perplexity"]["value"], rel=1e-5)
    assert small["accuracy"]["value"] == large["accuracy"]["value"]


def test_hidden_words_are_the_same_for_every_model(shards: Shards) -> None:
    asked: list[list[int]] = []

    def spy(lm: LanguageModel) -> dict[str, dict[str, Any]]:
        targets: list[int] = []
        handle = lm.register_forward_pre_hook(lambda _, inputs: targets.extend(inputs[5].tolist()))
        found = measure_language_modeling(lm, shards, "test")
        handle.remove()
        asked.append(targets)
        return found

    first, other = model(causal=False), model(causal=False)
    torch.nn.init.normal_(other.transformer.embeddings.weight)
    torch.manual_seed(5)
    found, differs = spy(first), spy(other)
    assert found == spy(first.train())  # evaluation mode and a fixed choice of words
    assert asked[0] == asked[1] == asked[2]
    assert found != differs
    words = sum(len(row) for row in TEXTS["en"])
    assert found["mlm"]["en"]["n"] == round(0.15 * words)
    assert min(asked[0]) >= 14


def test_a_model_that_always_says_one_word_is_right_where_it_stands(shards: Shards) -> None:
    lm = model(causal=False)
    assert isinstance(lm.pred_layer, PredictionLayer)
    with torch.no_grad():
        lm.pred_layer.proj.bias[20] = 1e4
    targets: list[int] = []
    lm.register_forward_pre_hook(lambda _, inputs: targets.extend(inputs[5].tolist()))
    found = measure_language_modeling(lm, shards, "test")["mlm"]
    right = sum(score["accuracy"]["value"] * score["n"] for score in found.values())
    assert right == pytest.approx(targets.count(20))
    assert 0 < right < len(targets)
    assert found["en"]["perplexity"]["value"] is None  # infinite


def test_at_most_so_many_sentences_are_measured(shards: Shards) -> None:
    lm = model(causal=True)
    every = measure_language_modeling(lm, shards, "test")["clm"]["en"]
    few = measure_language_modeling(lm, shards, "test", most=5)["clm"]["en"]
    assert few["n"] < every["n"]
    assert few["perplexity"]["n"] == 5
    assert few == measure_language_modeling(lm, shards, "test", most=5)["clm"]["en"]
