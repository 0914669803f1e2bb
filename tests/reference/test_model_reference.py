"""States and scores equal to those of the original project, on its golden files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from xlmkit.model.config import Architecture
from xlmkit.model.heads import LanguageModel

GOLDEN = Path(__file__).parents[2].parent / "shared" / "golden"
pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the golden files are not here")

CHOICES: dict[str, dict[str, Any]] = {
    "mlm_tlm": {},
    "clm": {"causal": True},
    "mlm_sinusoidal_relu": {"sinusoidal_embeddings": True, "gelu_activation": False},
    "mlm_no_lang_emb": {"use_lang_emb": False},
}
TOLERANCE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture(params=list(CHOICES))
def golden(request: pytest.FixtureRequest) -> tuple[LanguageModel, dict[str, Tensor]]:
    """The original's model with its weights in ours, and what the original computed."""
    name = request.param
    checkpoint = torch.load(GOLDEN / f"{name}.pth", weights_only=True)
    params, weights = checkpoint["params"], checkpoint["model"]
    sizes = ("n_words", "n_langs", "n_layers", "emb_dim", "n_heads")
    positions = len(weights["position_embeddings.weight"])
    model = LanguageModel(
        Architecture(
            **{size: params[size] for size in sizes},
            max_position_embeddings=positions,
            **CHOICES[name],
        )
    )
    renamed = {
        key if key.startswith("pred_layer.") else f"transformer.{key}": value
        for key, value in weights.items()
    }
    model.load_state_dict(renamed)
    arrays = np.load(GOLDEN / f"{name}.npz")
    return model.eval(), {key: torch.from_numpy(value) for key, value in arrays.items()}


def compare(found: Tensor, expected: Tensor, lengths: Tensor) -> None:
    """Compare the states of real tokens."""
    real = torch.arange(found.shape[1]) < lengths[:, None]
    torch.testing.assert_close(found[real], expected[real], **TOLERANCE)


@torch.no_grad()
def test_a_stream_in_one_language(golden: tuple[LanguageModel, dict[str, Tensor]]) -> None:
    model, file = golden
    tokens, lengths = file["stream_ids"], file["stream_lengths"]
    languages = torch.full_like(tokens, int(file["stream_lang"]))
    found = model.transformer(tokens, lengths, None, languages)
    compare(found, file["stream_hidden"], lengths)


@torch.no_grad()
def test_a_pair_with_restarting_positions(golden: tuple[LanguageModel, dict[str, Tensor]]) -> None:
    model, file = golden
    lengths = file["pair_lengths"]
    found = model.transformer(file["pair_ids"], lengths, file["pair_positions"], file["pair_langs"])
    compare(found, file["pair_hidden"], lengths)


@torch.no_grad()
def test_predicted_words(golden: tuple[LanguageModel, dict[str, Tensor]]) -> None:
    model, file = golden
    inputs = (file["masked_ids"], file["pair_lengths"], file["pair_positions"], file["pair_langs"])
    hidden = model.transformer(*inputs)
    compare(hidden, file["masked_hidden"], file["pair_lengths"])
    # The original goes position by position, ours sentence by sentence.
    position, row = file["pred_mask"].t().nonzero(as_tuple=True)
    targets, scores = file["targets_slen_major"], file["scores_slen_major"]
    torch.testing.assert_close(model.pred_layer(hidden[row, position]), scores, **TOLERANCE)
    places = row * hidden.shape[1] + position
    losses, correct = model(*inputs, places, targets)
    assert losses.mean().item() == pytest.approx(float(file["loss"]), abs=1e-4)
    assert torch.equal(correct, scores.argmax(dim=1) == targets)
    expected = functional.cross_entropy(scores, targets, reduction="none")
    torch.testing.assert_close(losses, expected, **TOLERANCE)
