import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from xlmkit.model.config import Architecture
from xlmkit.model.positions import sinusoidal_positions
from xlmkit.model.transformer import Transformer
from xlmkit.text.vocabulary import PAD

SIZES: dict[str, Any] = {
    "n_words": 60,
    "n_langs": 3,
    "n_layers": 2,
    "emb_dim": 16,
    "n_heads": 4,
    "max_position_embeddings": 20,
    "embed_init_std": 0.25,
}
LENGTHS = [9, 5, 2]


def transformer(**choices: Any) -> Transformer:
    torch.manual_seed(0)
    return Transformer(Architecture(**{**SIZES, **choices})).eval()


def batch() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Tokens, lengths, restarting positions and languages, (3, 9)."""
    generator = torch.Generator().manual_seed(3)
    lengths = torch.tensor(LENGTHS)
    padding = torch.arange(9) >= lengths[:, None]
    tokens = torch.randint(14, 60, (3, 9), generator=generator).masked_fill(padding, PAD)
    positions = (torch.arange(9) % 4).expand(3, 9).masked_fill(padding, 0)
    languages = (torch.arange(9) // 4).expand(3, 9).masked_fill(padding, 0)
    return tokens, lengths, positions, languages


@pytest.mark.parametrize("causal", [False, True])
def test_states_have_the_models_width_after_every_layer(causal: bool) -> None:
    model = transformer(causal=causal)
    states = model.states(*batch())
    assert [tuple(state.shape) for state in states] == [(3, 9, 16)] * 3
    assert torch.equal(states[-1], model(*batch()))
    assert all(state.isfinite().all() for state in states)


@pytest.mark.parametrize("causal", [False, True])
def test_a_padded_sequence_gives_what_it_gives_alone(causal: bool) -> None:
    model = transformer(causal=causal)
    tokens, lengths, positions, languages = batch()
    together = model.states(tokens, lengths, positions, languages)
    for row, length in enumerate(LENGTHS):
        part = (slice(row, row + 1), slice(0, length))
        alone = model.states(tokens[part], lengths[row : row + 1], positions[part], languages[part])
        for one, all_ in zip(alone, together, strict=True):
            torch.testing.assert_close(one, all_[part], rtol=1e-5, atol=1e-5)


def test_what_stands_in_the_padding_does_not_matter() -> None:
    model = transformer()
    tokens, lengths, positions, languages = batch()
    before = model(tokens, lengths, positions, languages)
    padding = torch.arange(9) >= lengths[:, None]
    after = model(tokens.masked_fill(padding, 33), lengths, positions, languages)
    torch.testing.assert_close(before[~padding], after[~padding])


@pytest.mark.parametrize("full", [False, True])
def test_a_causal_model_does_not_look_ahead(full: bool) -> None:
    model = transformer(causal=True)
    tokens, lengths, positions, languages = batch()
    if full:
        lengths = torch.full((3,), 9)
    before = model(tokens, lengths, positions, languages)
    changed = tokens.clone()
    changed[:, 4:] = 20
    after = model(changed, lengths, positions, languages)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[0, 4:], after[0, 4:])


def test_an_encoder_looks_both_ways() -> None:
    model = transformer()
    tokens, lengths, positions, languages = batch()
    before = model(tokens, lengths, positions, languages)
    tokens[0, 8] = 20
    after = model(tokens, lengths, positions, languages)
    assert not torch.allclose(before[0, 0], after[0, 0])
    torch.testing.assert_close(before[1:], after[1:])


def test_positions_count_up_unless_they_are_given() -> None:
    model = transformer()
    tokens, lengths, positions, _ = batch()
    counted = torch.arange(9).expand(3, 9)
    expected = model(tokens, lengths, counted)
    torch.testing.assert_close(model(tokens, lengths), expected)
    assert not torch.allclose(model(tokens, lengths, positions)[0], expected[0])


def test_languages_are_told_apart_where_the_model_has_them() -> None:
    tokens, lengths, positions, languages = batch()
    cases: list[tuple[dict[str, Any], bool]]
    cases = [({}, True), ({"use_lang_emb": False}, False), ({"n_langs": 1}, False)]
    for choices, differ in cases:
        model = transformer(**choices)
        assert hasattr(model, "lang_embeddings") == differ
        with_languages = model(tokens, lengths, positions, languages)
        without = model(tokens, lengths, positions)
        assert torch.allclose(with_languages, without) != differ


def test_layers_normalise_after_adding() -> None:
    """Post-norm: what comes out of a layer has mean 0 and variance 1 in every position."""
    for state in transformer().states(*batch()):
        torch.testing.assert_close(state.mean(-1), torch.zeros(3, 9), atol=1e-5, rtol=0)
        torch.testing.assert_close(state.var(-1, correction=0), torch.ones(3, 9), atol=1e-3, rtol=0)


def test_activation_is_as_chosen() -> None:
    hidden = torch.randn(1, 3, 16)
    for gelu, activation in ((True, functional.gelu), (False, functional.relu)):
        layer = transformer(gelu_activation=gelu).get_submodule("ffns.0")
        first, second = layer.get_submodule("lin1"), layer.get_submodule("lin2")
        torch.testing.assert_close(layer(hidden), second(activation(first(hidden))))


def test_fresh_embeddings_have_the_spread_asked_for_and_padding_is_nought() -> None:
    assert transformer().embeddings.padding_idx == PAD
    model = transformer(emb_dim=64, n_words=2000, max_position_embeddings=200)
    words = model.embeddings.weight
    assert not words[PAD].any()
    for table in (words, model.position_embeddings.weight, model.lang_embeddings.weight):
        assert table.std().item() == pytest.approx(0.25, rel=0.2)
        assert table.requires_grad


def test_sinusoidal_positions_are_fixed_and_as_published() -> None:
    model = transformer(sinusoidal_embeddings=True)
    table = model.position_embeddings.weight
    assert not table.requires_grad
    assert table.dtype == torch.float32
    for place in (0, 1, 7, 19):
        for pair in range(8):
            angle = place / 10000 ** (2 * pair / 16)
            assert table[place, 2 * pair].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[place, 2 * pair + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)
    assert sinusoidal_positions(3, 5).shape == (3, 5)


def test_dropout_is_active_in_training_only() -> None:
    model = transformer(dropout=0.3, attention_dropout=0.0)
    assert torch.equal(model(*batch()), model(*batch()))
    model.train()
    assert not torch.equal(model(*batch()), model(*batch()))


def test_every_parameter_learns() -> None:
    model = transformer()
    model(*batch())[:, :2].pow(3).sum().backward()
    silent = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    assert silent <= {f"attentions.{layer}.k_lin.bias" for layer in range(2)}  # cancels in softmax
    assert model.embeddings.weight.grad is not None
    assert not model.embeddings.weight.grad[PAD].any()


def test_bfloat16_stays_near_float32() -> None:
    model = transformer()
    exact = model(*batch())
    rounded = model.to(torch.bfloat16)(*batch())
    assert rounded.dtype == torch.bfloat16
    for row, length in enumerate(LENGTHS):
        torch.testing.assert_close(
            rounded[row, :length].float(), exact[row, :length], atol=0.15, rtol=0.1
        )


@pytest.mark.parametrize("kind", ["token", "position", "language"])
def test_an_id_that_the_model_has_not_is_told(kind: str) -> None:
    tokens_BL, lengths_B, positions_BL, languages_BL = batch()
    given = {"token": tokens_BL, "position": positions_BL, "language": languages_BL}
    given[kind][0, 0] = 10_000

    with pytest.raises(IndexError, match=rf"The {kind} ids go from . to 10000, but the model's"):
        transformer()(tokens_BL, lengths_B, positions_BL, languages_BL)
